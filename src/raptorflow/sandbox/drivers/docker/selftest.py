"""What containers hold on this machine, found by trying each thing that they should stop."""

import asyncio
import errno
import uuid
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raptorflow.base.json import loads
from raptorflow.core.tasks import end_tasks
from raptorflow.sandbox.attempts import LOOPBACK_ONLY, START, is_powerless
from raptorflow.sandbox.driver import Blueprint, Usage
from raptorflow.sandbox.drivers.docker.containers import Containers, Sandbox
from raptorflow.sandbox.drivers.docker.runtimes import Runtime
from raptorflow.sandbox.interpreter import Mount
from raptorflow.sandbox.probing import Guarantee
from raptorflow.skills.capabilities import MIB, Limits

LIMITS = Limits(memory_bytes=48 * MIB, pids=12, disk_bytes=2 * MIB, cpus=0.2)
# With a kernel of its own each process takes much of it, and its number is to be what ends it.
ROOMY = LIMITS.model_copy(update={"memory_bytes": 512 * MIB})
# So little that also a very busy machine gives it more, unless it is held back.
LITTLE = LIMITS.model_copy(update={"cpus": 0.05})
SECONDS, LOOK_SECONDS = 30.0, 0.005
MOST_ANSWER = 64 * 1024
# All run inside as the first process. They stay until their input ends, so that they can be measured.
TELLING = """
def tell(**answers):
    print(json.dumps(answers), flush=True)

def stay():
    print(flush=True)
    sys.stdin.read()
"""
ATTEMPTS = """
overspend(0.06)
tell(
    status=status(),
    pids=processes(),
    interfaces=interfaces(),
    files=[answer(lambda at=at: write(at, 1)) for at in ("/skill/x", "/usr/x", "/x", "/etc/x", "/sys/x")],
    kernel=answer(lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))),
    work=answer(lambda: write("/workspace/x", 1)),
    disk=answer(lambda: write("/workspace/y", 3 * 1024 * 1024)),
    socket=answer(lambda: socket.socket()),
)
tell(fork=answer(lambda: fork_many(FORKS)))
stay()
"""
SPEND = """
overspend(0.1)
tell()
stay()
"""
HOG = """
def hog():
    pid = os.fork()
    if pid == 0:
        kept = [b"x" * 1048576 for _ in range(256)]
        os._exit(0)
    return pid

def call(address):
    with socket.socket() as one:
        one.connect(address)

tell(interfaces=interfaces(), call=answer(lambda: call(("192.0.2.1", 80))))
_, end = os.waitpid(hog(), 0)
tell(end=end)
stay()
"""
REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT}
NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH}
# More than there may be. A kernel of its own has tasks of this machine's kernel too, so more are tried.
FORKS = {True: 64, False: 640}
KILLED = 9
# gVisor's kernel, a program in Go, ends with this when it may not have one more thread.
NO_THREAD, NEARLY = 2, 0.75
END = b"\n\n"
LOOKS, AGAIN_SECONDS = 100, 0.05


@dataclass(frozen=True)
class Tried:
    """What came of one container.

    Attributes:
        answers: of the attempts inside.
        used: what was seen of it last.
        most_tasks: processes and threads that were seen at once.
        end: the engine's word on how it ended; nothing when it had to be ended.
    """

    answers: dict[str, Any]
    used: Usage
    most_tasks: int
    end: Mapping[str, Any]

    @property
    def out_of_memory(self) -> bool:
        """Whether all of it was ended for lack of memory."""
        return bool(self.end.get("OOMKilled"))


Trial = Coroutine[Any, Any, Tried]


class SelfTestFailed(Exception):
    """A container ended without an answer."""


class SelfTest:
    """Two containers: one tries what must not be possible, one takes memory until it is stopped.

    Args:
        containers: of the engine that is tested.
        python: the interpreter inside.
        runtime: what kind of container that is.
        control_groups: what the engine calls them.
    """

    def __init__(self, containers: Containers, python: Path, runtime: Runtime, control_groups: str) -> None:
        self._containers = containers
        self._python = python
        self._by = control_groups
        self._runtime = runtime

    async def execute(self) -> dict[str, Guarantee]:
        """What is held.

        Raises:
            SelfTestFailed: nothing could be tried.
            SandboxStartFailed: no container could be built.
            SandboxUnavailable: the engine lacks the image.
        """
        # Both to their ends, also when one fails: nothing is left of either.
        begin = f"FORKS = {FORKS[self._runtime.shares_kernel]}\n{START}{TELLING}"
        tried, hog = await _all(
            (
                self._try(begin + ATTEMPTS, ROOMY, reach=False),
                self._try(begin + HOG, LIMITS, reach=True),
            )
        )
        used = tried.used
        if not used.throttled:
            used = (await self._try(begin + SPEND, LITTLE, reach=False)).used
        return {
            **self._held(tried.answers, hog.answers),
            "memory": self._memory(hog),
            "pids": Guarantee.tried(self._refused(tried), self._by),
            "cpu": Guarantee.tried(bool(used.throttled), self._by),
        }

    def _held(self, tried: dict[str, Any], hog: dict[str, Any]) -> dict[str, Guarantee]:
        """What namespaces, mounts, capabilities and the filter hold."""
        status, shares = tried["status"], self._runtime.shares_kernel
        read_only = {*tried["files"], tried["kernel"]} <= REFUSED and tried["work"] == 0
        closed = tried["interfaces"] == hog["interfaces"] == LOOPBACK_ONLY
        # A kernel of its own has no filter: sockets can be made there, and lead nowhere.
        no_way_out = closed and hog["call"] in NO_NETWORK and (tried["socket"] != 0 or not shares)
        filtered = status.get("Seccomp") == "2" or not shares
        filter_ = "a seccomp filter that lists what is allowed" if shares else "a kernel of its own"
        return {
            "files": Guarantee.tried(read_only, "a mount namespace, read-only but for folders in memory"),
            "network": Guarantee.tried(no_way_out, "a network namespace without interfaces"),
            "processes": Guarantee.tried(tried["pids"] == [1], "a pid namespace of its own"),
            "privileges": Guarantee.tried(
                is_powerless(status), "a user without capabilities and without new privileges"
            ),
            "syscalls": Guarantee.tried(filtered, filter_),
            "disk": Guarantee.tried(tried["disk"] == errno.ENOSPC, "a file system of the workspace's size"),
            "time": Guarantee("kernel", "a clock, at whose end the container is killed"),
            "output": Guarantee("kernel", "a channel, read up to the limit, then the container is killed"),
        }

    def _memory(self, hog: Tried) -> Guarantee:
        """A kernel of its own is ended as a whole, without an answer."""
        stopped = hog.answers.get("end") == KILLED or hog.out_of_memory
        seen = hog.used.out_of_memory or hog.out_of_memory
        return Guarantee.tried(stopped, self._by + ("" if seen else ", which this user cannot read"))

    def _refused(self, tried: Tried) -> bool:
        """Whether one more process was; gVisor ends for it, which it may for other reasons too."""
        if "fork" in tried.answers or self._runtime.boundary != "user-space-kernel":
            return tried.answers.get("fork") == errno.EAGAIN
        limit = LIMITS.pids + self._runtime.tasks
        without = tried.end.get("ExitCode") == NO_THREAD and not tried.out_of_memory
        return without and tried.most_tasks > NEARLY * limit

    async def _try(self, script: str, limits: Limits, *, reach: bool) -> Tried:
        skill = Mount(Path(__file__).parent, Path("/skill"))
        blueprint = Blueprint(limits, (skill,), self._python, reach, limits.disk_bytes)
        command = (str(self._python), "-I", "-S", "-c", script)
        sandbox = await self._containers.build(blueprint, f"self-test-{uuid.uuid4().hex}", {}, command)
        try:
            async with asyncio.timeout(SECONDS):
                async with self._watched(sandbox) as seen:
                    said = await _said(sandbox)
                end = None if said.endswith(END) else await self._ended(sandbox)
        except TimeoutError as error:
            raise SelfTestFailed("A container did not answer in time.") from error
        finally:
            sandbox.channel.close()
            await self._containers.remove(sandbox.container)
        if not said or (self._runtime.shares_kernel and end is not None):
            raise SelfTestFailed(
                f"A container ended at once: {sandbox.channel.complaint or 'it said nothing'}"
            )
        answers: dict[str, Any] = {}
        for line in said.splitlines():
            answers |= loads(line) if line else {}
        return Tried(answers, seen[-1], max(each.tasks or 0 for each in seen), end or {})

    @asynccontextmanager
    async def _watched(self, sandbox: Sandbox) -> AsyncGenerator[list[Usage]]:
        """What is seen of it during the block, and at its end: a kernel of its own may not live so long."""
        seen = [Usage()]
        watching = asyncio.create_task(self._watch(sandbox, seen))
        try:
            yield seen
        finally:
            await end_tasks([watching])
        seen += filter(None, [await self._containers.usage(sandbox)])

    async def _watch(self, sandbox: Sandbox, seen: list[Usage]) -> None:
        while True:
            seen += filter(None, [await self._containers.usage(sandbox)])
            await asyncio.sleep(LOOK_SECONDS)

    async def _ended(self, sandbox: Sandbox) -> Mapping[str, Any]:
        """The engine's word on its end, which it learns of a moment later."""
        for _ in range(LOOKS):
            state = (await self._containers.engine.inspect(sandbox.container))["State"]
            if not state["Running"]:
                return state
            await asyncio.sleep(AGAIN_SECONDS)
        return {}


async def _said(sandbox: Sandbox) -> bytes:
    """All up to the empty line, or the channel's end."""
    said = b""
    while not said.endswith(END) and len(said) < MOST_ANSWER:
        data = await sandbox.channel.read()
        if not data:
            break
        said += data
    return said


async def _all(trials: Sequence[Trial]) -> list[Tried]:
    """What each came to.

    Raises:
        BaseException: what the first that failed raised, when the others have ended too.
    """
    done = await asyncio.gather(*trials, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]
