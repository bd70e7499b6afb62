"""Starting a sandbox: bubblewrap builds it, the agent inside says so, and the host holds it before code runs.

    manager --- bubblewrap --- first process (pid 1 inside) --- agent --- programs

The agent's standard input is a socket to the host. Its first bytes carry, from the kernel, the sender's pid
as the host sees it. The host then has a sandbox that is complete but has not run a line of a skill's: it
sets its limits and opens its workspace before it asks it for anything.

All of them are in the sandbox's control group from the first on: a shell moves itself there and becomes
bubblewrap.
"""

import asyncio
import os
import resource
import signal
import socket
import struct
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.sandbox.drivers.local.command import SHARED_MEMORY, TMP, CommandLine, memory_file
from raptorflow.sandbox.drivers.local.processes import children, parent_of
from raptorflow.sandbox.drivers.local.waiting import readable
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.spec import WORK

CREDENTIALS = struct.Struct("3i")
PIPE_BYTES = 64 * 1024
NOT_THERE = "does not start: there is no such program"
ENTER = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit; shift; done; shift; exec "$@"'
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass
class Box:
    """A sandbox that is built. Whoever has it must `close` it.

    Attributes:
        process: bubblewrap.
        socket: to the agent.
        errors: what bubblewrap and the agent complain of.
        ended: a pidfd of bubblewrap.
        first: the sandbox's first process; when it dies every process inside does.
        first_ended: its pidfd.
        agent: the agent's pid.
        workspace: the open folder `/workspace`.
        scratch: the open folder `/tmp`.
        shared: the open folder `/dev/shm`.
    """

    process: subprocess.Popen[bytes]
    socket: socket.socket
    errors: int
    ended: int
    first: int = 0
    first_ended: int = -1
    agent: int = 0
    workspace: int = -1
    scratch: int = -1
    shared: int = -1

    def limit(self, limits: dict[int, int]) -> None:
        """Set resource limits of the agent, never above what it has.

        Soft and hard alike, but for processor time: at that soft limit a signal says why, the hard one kills.
        """
        for name, value in limits.items():
            highest = resource.prlimit(self.agent, name)[1]
            soft, hard = value, value + (name == resource.RLIMIT_CPU)
            if highest != resource.RLIM_INFINITY:
                soft, hard = min(soft, highest), min(hard, highest)
            resource.prlimit(self.agent, name, (soft, hard))

    def file_bytes(self) -> int:
        """What files in the workspace and in `/tmp` take."""
        return sum((system.f_blocks - system.f_bfree) * system.f_frsize for system in self._systems())

    def files(self) -> int:
        """How many files and folders are in all that can be written to, empty ones too."""
        systems = (*self._systems(), os.fstatvfs(self.shared))
        return sum(system.f_files - system.f_ffree for system in systems)

    def is_full(self) -> bool:
        """Whether nothing more fits into the workspace or `/tmp`."""
        return any(system.f_bavail == 0 or system.f_favail == 0 for system in self._systems())

    def kill(self) -> None:
        """End every process inside; bubblewrap's own end follows."""
        if self.first_ended < 0:
            self._catch_first()
        for descriptor in (self.first_ended, self.ended):
            if descriptor >= 0:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    def _systems(self) -> list[os.statvfs_result]:
        return [os.fstatvfs(descriptor) for descriptor in (self.workspace, self.scratch)]

    def _catch_first(self) -> None:
        """Take hold of the first process before the agent has spoken.

        Killed too early, bubblewrap leaves it behind, waiting for a parent that is no more. Stopped, it can
        neither start another one nor let a dead one's pid be used again.
        """
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.ended, signal.SIGSTOP)
            os.waitid(os.P_PIDFD, self.ended, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            for pid in children(self.process.pid):
                self.first = pid
                try:
                    self.first_ended = os.pidfd_open(pid)
                except OSError:
                    # No descriptor is left for it; its parent stands still, so the number is its own.
                    os.kill(pid, signal.SIGKILL)

    async def gone(self) -> int:
        """Wait until nothing is left inside; bubblewrap's exit code."""
        await readable(self.ended)
        code = self.process.wait()
        # Bubblewrap leaves as soon as the command has; the rest of its namespace is killed with that.
        if self.first_ended >= 0:
            await readable(self.first_ended)
            self._reap_first()
        return code

    def _reap_first(self) -> None:
        """Its parent has left, so the machine's init reaps it; in a container that may be us."""
        with suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self.first_ended, os.WEXITED | os.WNOHANG)

    def close(self) -> None:
        """Close every descriptor."""
        self.socket.close()
        files = (self.workspace, self.scratch, self.shared)
        for descriptor in (self.errors, self.ended, self.first_ended, *files):
            if descriptor >= 0:
                os.close(descriptor)


async def start(
    bwrap: Path, command: CommandLine, limit_seconds: float, entrances: Sequence[Path] = ()
) -> Box:
    """Build a sandbox up to its agent's first word.

    Args:
        bwrap: bubblewrap's program.
        command: what it is told.
        limit_seconds: how long that may take.
        entrances: of its control group.

    Raises:
        SandboxStartFailed: it could not be built.
    """
    if not os.access(bwrap, os.X_OK):
        raise SandboxStartFailed(f"{bwrap} {NOT_THERE}.")
    try:
        box = _spawn(bwrap, command, entrances)
    except OSError as error:
        raise SandboxStartFailed(f"{bwrap} does not start: {error}.") from error
    try:
        async with asyncio.timeout(limit_seconds):
            await _hear(box)
    except BaseException as error:
        complaint = await to_the_end(_discarded(box))
        if isinstance(error, TimeoutError):
            raise SandboxStartFailed(
                f"The sandbox was not ready after {limit_seconds:g} s. {complaint}"
            ) from error
        if isinstance(error, OSError):
            raise SandboxStartFailed(complaint or f"The sandbox cannot be held: {error}.") from error
        raise
    return box


async def _discarded(box: Box) -> str:
    """End what was built so far; what it complained of."""
    box.kill()
    await box.gone()
    complaint = _complaint(box.errors)
    box.close()
    return complaint


async def _hear(box: Box) -> None:
    """Wait for the agent's first word, and take hold of what it tells; the word itself stays to be read.

    Raises:
        OSError: there was none, or what it told is gone already.
    """
    await readable(box.socket.fileno())
    word, told, _, _ = box.socket.recvmsg(1, socket.CMSG_SPACE(CREDENTIALS.size), socket.MSG_PEEK)
    if not word or not told:
        raise ConnectionError("it ended before its agent spoke")
    box.agent = CREDENTIALS.unpack(told[0][2])[0]
    box.first = parent_of(box.agent)
    box.first_ended = os.pidfd_open(box.first)
    box.workspace = os.open(f"/proc/{box.agent}/root{WORK}", OPEN_FOLDER)
    box.scratch = os.open(f"/proc/{box.agent}/root{TMP}", OPEN_FOLDER)
    box.shared = os.open(f"/proc/{box.agent}/root{SHARED_MEMORY}", OPEN_FOLDER)
    box.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)


def _spawn(bwrap: Path, command: CommandLine, entrances: Sequence[Path]) -> Box:
    """Start bubblewrap.

    No Python code runs between fork and exec, so that Python can use vfork: fast from a large process too.
    """
    started: list[subprocess.Popen[bytes]] = []
    with ExitStack() as ours, ExitStack() as theirs:
        # Last, when both sockets are closed: without a host the agent ends, and with it everything.
        ours.callback(_wait_for, started)
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.callback(here.close)
        theirs.callback(there.close)
        here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        here.setblocking(False)
        complaints, errors = _pipe(ours, theirs)
        arguments = memory_file(command.packed())
        theirs.callback(os.close, arguments)
        process = subprocess.Popen(
            [*_entering(entrances), str(bwrap), "--args", str(arguments), "--", *command.program()],
            stdin=there.fileno(),
            stdout=errors,
            stderr=errors,
            env={},
            cwd="/",
            pass_fds=(*command.descriptors, arguments),
        )
        started.append(process)
        box = Box(process, here, complaints, os.pidfd_open(process.pid))
        ours.pop_all()
        return box


def _entering(entrances: Sequence[Path]) -> list[str]:
    """What moves itself into a group and then becomes the command after it."""
    return ["/bin/sh", "-c", ENTER, "sh", *map(str, entrances), "--"] if entrances else []


def _wait_for(started: list[subprocess.Popen[bytes]]) -> None:
    for process in started:
        process.wait()


def _pipe(ours: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """A pipe whose reading end is ours and does not block."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    ours.callback(os.close, reading)
    theirs.callback(os.close, writing)
    os.set_blocking(reading, False)
    return reading, writing


def _complaint(errors: int) -> str:
    """What bubblewrap said before it ended."""
    try:
        return os.read(errors, PIPE_BYTES).decode(errors="replace").strip().removeprefix("bwrap: ")
    except BlockingIOError:
        return ""
