"""What a sandbox holds on this machine, found by trying each thing that it should stop."""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from raptorflow.base.json import loads
from raptorflow.core.tasks import end_tasks, to_the_end
from raptorflow.sandbox.attempts import LOOPBACK_ONLY, START, is_powerless
from raptorflow.sandbox.cgroups.group import Groups
from raptorflow.sandbox.probing import Guarantee
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

MIB = 1024 * 1024
SAID = 300
LIMITS = Limits(timeout_seconds=20, memory_bytes=48 * MIB, pids=12, disk_bytes=2 * MIB, cpus=0.2)
# So little that also a very busy machine gives it more, unless it is held back.
LITTLE = LIMITS.model_copy(update={"cpus": 0.05})
SPEND = START + "overspend(0.1)"
ATTEMPTS = (
    START
    + """
import ctypes
overspend(0.06)
print(json.dumps({
    "status": status(),
    "pids": processes(),
    "interfaces": interfaces(),
    "skill": answer(lambda: write("/skill/x", 1)),
    "system": answer(lambda: write("/usr/x", 1)),
    "root": answer(lambda: write("/x", 1)),
    "kernel": answer(lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))),
    "work": answer(lambda: write("/workspace/x", 1)),
    "disk": answer(lambda: write("/workspace/y", 3 * 1024 * 1024)),
    "socket": answer(lambda: socket.socket()),
    "agent": answer(lambda: os.kill(os.getppid(), 0)),
    "landlock": max(0, ctypes.CDLL(None).syscall(444, None, 0, 1)),
    "fork": answer(lambda: fork_many(64)),
}))
"""
)
HOG = "kept = []\nwhile True: kept.append(b'x' * 1048576)"

REFUSED = {errno.EROFS, errno.EACCES}
# Inside there are the sandbox's first process, the agent, and the program itself.
MOST_PROCESSES_SEEN = 3
Run = Callable[[SandboxSpec], Awaitable[SandboxResult]]


class SelfTest:
    """Two short runs: one tries what must not be possible, one takes memory until it is stopped.

    Args:
        run: runs a spec with the bubblewrap that is tested.
        python: the interpreter inside.
        groups: where limits of memory, processes and CPU are set; None where no group can be made.
    """

    def __init__(self, run: Run, python: Path, groups: Groups | None) -> None:
        self._run = run
        self._python = python
        self._by = f"cgroup v{groups.version}" if groups else None

    async def execute(self) -> tuple[dict[str, Guarantee], str | None]:
        """What is held, or the reason why nothing could be run."""
        runs = [asyncio.create_task(self._python_run(script, LIMITS)) for script in (ATTEMPTS, HOG)]
        try:
            tried, hog = await asyncio.gather(*runs)
        finally:
            # Whoever gives up waits for both: neither leaves its sandbox behind.
            await to_the_end(end_tasks(runs))
        if failed := _failed(tried, hog):
            said = failed.message or failed.stderr.decode(errors="replace").strip()
            return {}, said[-SAID:] or failed.status
        answers = loads(tried.stdout)
        held_back = await self._is_held_back(tried)
        return self._held(answers) | self._limited(answers, hog, held_back=held_back), None

    def _held(self, answers: dict[str, Any]) -> dict[str, Guarantee]:
        """What namespaces, mounts, capabilities and the filter hold."""
        status = answers["status"]
        read_only = all(answers[name] in REFUSED for name in ("skill", "system", "root", "kernel"))
        no_way_out = answers["socket"] == errno.EPERM and answers["interfaces"] == LOOPBACK_ONLY
        alone = len(answers["pids"]) <= MOST_PROCESSES_SEEN
        return {
            "files": Guarantee.tried(read_only, "a mount namespace, read-only but for the workspace"),
            "network": Guarantee.tried(no_way_out, "a network namespace without interfaces, and no sockets"),
            "processes": Guarantee.tried(alone, "a pid namespace of its own"),
            "privileges": Guarantee.tried(
                is_powerless(status), "a user namespace, no capabilities, no new privileges"
            ),
            "syscalls": Guarantee.tried(
                status["Seccomp"] == "2", "a seccomp filter that lists what is allowed"
            ),
            "disk": Guarantee.tried(answers["disk"] == errno.ENOSPC, "a file system of the workspace's size"),
            "signals": Guarantee.tried(alone, _signals_held_by(answers)),
            "time": Guarantee("kernel", "a clock, at whose end the pid namespace is killed"),
            "output": Guarantee("kernel", "pipes, read up to the limit, then the pid namespace is killed"),
        }

    def _limited(
        self, answers: dict[str, Any], hog: SandboxResult, *, held_back: bool
    ) -> dict[str, Guarantee]:
        """What control groups hold, or else supervision."""
        refused = answers["fork"] == errno.EAGAIN
        if self._by:
            together = f"{self._by} for processes and files together, and a watch over processes alone"
            return {
                "memory": Guarantee.tried(hog.status == "oom", together),
                "pids": Guarantee.tried(refused, self._by),
                "cpu": Guarantee.tried(held_back, self._by),
            }
        watch = "and a watch over the process tree"
        pids = Guarantee("supervised", f"a count {watch[4:]}")
        return {
            "memory": Guarantee("supervised", f"resource limits of each process {watch}"),
            "pids": Guarantee("kernel", "the user namespace's process limit") if refused else pids,
            "cpu": Guarantee("supervised", "a limit on each process's CPU time; other runs may be slowed"),
        }

    async def _is_held_back(self, tried: SandboxResult) -> bool:
        """Whether the kernel stopped a program whose processor time was used up."""
        return bool(self._by and (tried.throttled or (await self._python_run(SPEND, LITTLE)).throttled))

    async def _python_run(self, script: str, limits: Limits) -> SandboxResult:
        return await self._run(
            SandboxSpec(
                command=("python", "-I", "-S", "-c", script),
                skill_dir=Path(__file__).parent,
                python=self._python,
                run_id="self-test",
                limits=limits,
            )
        )


def _signals_held_by(answers: dict[str, Any]) -> str:
    """What keeps signals inside; without Landlock's scopes a program can end its agent, and so itself."""
    if answers["agent"] == errno.EPERM:
        return f"a pid namespace, and Landlock v{answers['landlock']} between programs and their agent"
    return "a pid namespace; a program that ends its agent ends its sandbox (Linux 6.12 can prevent it)"


def _failed(tried: SandboxResult, hog: SandboxResult) -> SandboxResult | None:
    """The run that says nothing, if there is one.

    Where only a watch holds processes, the attempts end for having too many, after they have answered. What
    takes memory ends in many ways; it has to have begun.
    """
    if tried.status not in {"ok", "pids"} or not tried.stdout:
        return tried
    return hog if hog.status == "sandbox_error" else None
