"""A Docker engine of a test's own, and sandboxes in it.

It needs Debian's `docker.io` and root. It touches no network of this machine, and everything it makes lies in
one folder and in control groups of its own name.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.driver import Blueprint, Handle, SandboxDriver
from raptorflow.sandbox.interpreter import Mount, sandbox_python
from raptorflow.skills.capabilities import MIB, Limits

READY_SECONDS = 60
CGROUPS = Path("/sys/fs/cgroup")
LIMITS = Limits(timeout_seconds=20, memory_bytes=64 * MIB, pids=16, disk_bytes=8 * MIB)


class OwnEngine:
    """An engine.

    Args:
        runtimes: further runtimes: name -> program.
    """

    def __init__(self, runtimes: Mapping[str, Path] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rf-docker-"))
        self.socket = self.folder / "docker.sock"
        self.group = self.folder.name
        self._runtimes = runtimes or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait for its word that it is ready."""
        told = self.folder / "ready.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(told))
            ready.settimeout(READY_SECONDS)
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    self._command(),
                    env={"PATH": f"/usr/sbin:{os.environ['PATH']}", "NOTIFY_SOCKET": str(told)},
                    stdout=log,
                    stderr=log,
                )
            while b"READY=1" not in ready.recv(4096):
                pass
        told.unlink()

    def stop(self) -> None:
        """Stop it, and remove all that it had."""
        if self._process and self._process.poll() is not None:
            # A test ended it: one more clears what it had.
            self.start()
        if self._process:
            self._process.terminate()
            self._process.wait(READY_SECONDS)
        # Of one that crashed, the next one leaves a mount behind.
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([mount for mount in mounts if mount.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", mount], check=True)
        for group in self.groups():
            group.rmdir()
        for parent in CGROUPS.glob(f"*/{self.group}"):
            parent.rmdir()
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait(READY_SECONDS)
        # Where the first process of the machine does not reap, containerd would be taken for alive.
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink()

    def processes(self) -> set[int]:
        """Every process in a container, whether there is an engine or not."""
        lists = [(group / "cgroup.procs").read_text().split() for group in self.groups()]
        return {int(pid) for pids in lists for pid in pids}

    def groups(self) -> list[Path]:
        """The control groups of containers that are there."""
        return [path for path in CGROUPS.glob(f"*/{self.group}/*") if path.is_dir()]

    def _command(self) -> list[str]:
        # It ends with whoever started it, also when that is killed.
        return [
            *("setpriv", "--pdeathsig", "TERM", "dockerd", "--host", f"unix://{self.socket}"),
            *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
            *("--pidfile", str(self.folder / "pid"), "--cgroup-parent", f"/{self.group}"),
            *("--exec-opt", "native.cgroupdriver=cgroupfs"),
            *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"),
            *(f"--add-runtime={name}={program}" for name, program in self._runtimes.items()),
        ]


@contextmanager
def running_engine(runtimes: Mapping[str, Path] | None = None) -> Generator[OwnEngine]:
    """An engine while a test needs it."""
    engine = OwnEngine(runtimes)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()


@dataclass(frozen=True)
class Ran:
    """How a program inside ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Box:
    """A sandbox whose agent was met."""

    driver: SandboxDriver
    handle: Handle
    link: Link

    async def python(self, code: str) -> Ran:
        """Run Python code inside."""
        return await self.run(str(sandbox_python()), "-I", "-c", code)

    async def run(self, *arguments: str) -> Ran:
        """Run a program inside."""
        said = {wire.STDOUT: b"", wire.STDERR: b"", wire.SIDE: b""}

        def take(kind: int, chunk: bytes) -> None:
            said[kind] += chunk

        running = await start(self.link, Program(arguments, {"PATH": "/usr/bin:/bin"}), take)
        await running.feed(b"")
        code = await running.wait()
        return Ran(code, said[wire.STDOUT].decode(), said[wire.STDERR].decode())


def blueprint(*mounts: Mount, limits: Limits = LIMITS, reach: bool = False) -> Blueprint:
    """What the tests' sandboxes are built from."""
    return Blueprint(limits, mounts, sandbox_python(), reach, limits.disk_bytes)


def new_id() -> str:
    """A sandbox's id."""
    return f"test-{uuid.uuid4().hex[:12]}"


@asynccontextmanager
async def box(driver: SandboxDriver, plan: Blueprint) -> AsyncGenerator[Box]:
    """A sandbox, destroyed afterwards."""
    handle = await driver.create(plan, new_id(), {})
    try:
        link = Link(await driver.channel(handle))
        await link.open()
        yield Box(driver, handle, link)
        await link.close()
    finally:
        await driver.destroy(handle)
