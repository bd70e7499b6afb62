"""Child processes that never outlive us, and a data folder that one process holds at a time."""

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from raptorflow.core.programs import said_problem
from raptorflow.stack import guard
from raptorflow.stack.account import Account
from raptorflow.stack.errors import EmbeddedPartFailed, ProgramFailed, StackAlreadyRunning

POLL_SECONDS = 0.02
KILL_SECONDS = 3.0
PRIVATE_FILE = 0o600
LOG_TAIL_BYTES = 2000
# A traceback may follow a program's own words.
LOG_WORDS_BYTES = 100_000

Insistence = Sequence[tuple[Signals, float]]
"""Signals to send one after the other, each with the seconds to wait for its effect."""


@dataclass(frozen=True)
class Log:
    """What one run of a program wrote into a file that earlier runs wrote into before."""

    file: Path
    begins: int
    """The file's size when the program started."""

    def tail(self, limit_bytes: int) -> str:
        """The end of it."""
        try:
            with self.file.open("rb") as opened:
                size = opened.seek(0, os.SEEK_END)
                # A file that was emptied meanwhile, because it had become long, is this run's from its start.
                begins = self.begins if self.begins <= size else 0
                opened.seek(max(begins, size - limit_bytes))
                return opened.read().decode(errors="replace").strip()
        except FileNotFoundError:
            return ""


class Child:
    """A running program in a session of its own, so that Ctrl-C reaches us and not it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Log | None) -> None:
        self.name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return await self._process.wait()

    async def stop(self, insistence: Insistence) -> None:
        """Send the signals in turn until it has ended, and SIGKILL after the last."""
        for number, seconds in (*insistence, (signal.SIGKILL, KILL_SECONDS)):
            if self._process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), seconds)

    def log_tail(self) -> str:
        """The last lines it wrote."""
        return self._log.tail(LOG_TAIL_BYTES) if self._log else ""

    def last_line(self) -> str:
        """The last line it wrote, as an exception's is its message."""
        return (self.log_tail().splitlines() or [""])[-1].strip()

    def failure(self, fact: str) -> EmbeddedPartFailed:
        """The error for a fact about it: its own reason when it gave one, otherwise the end of its log."""
        problem = said_problem(self._log.tail(LOG_WORDS_BYTES)) if self._log else None
        return ProgramFailed(problem) if problem else EmbeddedPartFailed(f"{fact}:\n{self.log_tail()}")

    async def until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()` is true.

        Raises:
            EmbeddedPartFailed: it ended, or the seconds passed.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.exit_code is not None:
                raise self.failure(f"{self.name} ended with {self.exit_code}")
            if time.monotonic() > deadline:
                raise self.failure(f"{self.name} is not ready in {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)


async def run_to_end(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, seconds: float
) -> str:
    """Run a program of ours to its end and return what it printed; its complaints go to the log.

    Raises:
        EmbeddedPartFailed: it failed, or took too long; the message is what it said.
    """
    complaints, begins = _open_log(log)
    try:
        process = await asyncio.create_subprocess_exec(
            *_guarded(command, None, signal.SIGKILL),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            env=dict(environment),
            start_new_session=True,
        )
    finally:
        os.close(complaints)
    child = Child(name, process, begins)
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError as error:
        raise child.failure(f"{name} did not end in {seconds:.0f} s") from error
    finally:
        await child.stop(())
    if process.returncode:
        raise child.failure(f"{name} ended with {process.returncode}")
    return printed.decode().strip()


def _guarded(command: Sequence[str | Path], account: Account | None, dies_by: Signals) -> list[str]:
    """The command line that becomes this command and ends with us."""
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    wrapped = [sys.executable, "-I", "-S", guard.__file__, os.getpid(), int(dies_by), uid, gid, *command]
    return [str(word) for word in wrapped]


async def start_child(
    name: str,
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    folder: Path = Path("/"),
    dies_by: Signals = signal.SIGKILL,
) -> Child:
    """Start a program that gets `dies_by` when this process ends, however it ends.

    Args:
        name: what messages call it.
        command: absolute program path and arguments.
        account: whom to run as; None: ourselves.
        environment: all it gets; None: ours.
        log: gets its output (appended); None: ours.
        folder: its working folder.
        dies_by: the signal the kernel sends it when we are gone (prctl(2), PR_SET_PDEATHSIG).
    """
    output, begins = _open_log(log) if log else (None, None)
    try:
        process = await asyncio.create_subprocess_exec(
            *_guarded(command, account, dies_by),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if environment is None else dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    finally:
        if output is not None:
            os.close(output)
    return Child(name, process, begins)


@dataclass(frozen=True)
class Trace:
    """How the servers of a data folder are told from every other process."""

    folder: Path
    """Their working folder."""
    command: bytes
    """Part of the main one's command line, which also those may read who may not see working folders: root
    without CAP_SYS_PTRACE, as in many containers."""


async def all_or_none(*starting: Awaitable[object]) -> None:
    """Wait for all; when one fails, the others are cancelled, and have ended before its error is raised."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in starting]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def processes_of(trace: Trace) -> list[int]:
    """Ids of the running servers of a data folder."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        # A process may end while we look.
        with suppress(FileNotFoundError, ProcessLookupError):
            if entry.name.isdigit() and _has_left(trace, entry):
                found.append(int(entry.name))
    return found


def _has_left(trace: Trace, entry: Path) -> bool:
    try:
        return os.readlink(entry / "cwd") == str(trace.folder)
    except PermissionError:
        return trace.command in (entry / "cmdline").read_bytes()


async def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition holds; whether it did in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        await asyncio.sleep(POLL_SECONDS)
    return condition()


async def end_leftovers(trace: Trace, first: int | None, insistence: Insistence) -> None:
    """End the servers that a killed run left behind, if there are any.

    Args:
        trace: how they are known for certain.
        first: the one to ask (the others follow it); None: all of them.
        insistence: how.

    Raises:
        EmbeddedPartFailed: they do not end.
    """
    for number, seconds in (*insistence, (signal.SIGKILL, KILL_SECONDS)):
        left = processes_of(trace)
        for pid in [first] if first in left else left:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if not left or await wait_until(lambda: not processes_of(trace), seconds):
            return
    raise EmbeddedPartFailed(f"Processes {processes_of(trace)} in {trace.folder} do not end.")


class FolderLock:
    """Holds a data folder for one process; the kernel lets go when that process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock.

        Raises:
            StackAlreadyRunning: another process has it.
        """
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(descriptor, 20).decode() or "unknown"
            os.close(descriptor)
            raise StackAlreadyRunning(
                f"RaptorFlow already runs on {self._file.parent} (process {pid}).", details={"pid": pid}
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open_log(log: Path) -> tuple[int, Log]:
    log.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, PRIVATE_FILE)
    return descriptor, Log(log, os.fstat(descriptor).st_size)
