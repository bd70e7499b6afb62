"""Running a probe without a sandbox, for the control: an ordinary child process, bounded, and never left."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from raptorflow.sandbox.attacks.program import PROGRAM, write

MOST_SECONDS = 20.0
MOST_BYTES = 128 * 1024 * 1024
CHUNK = 1024 * 1024
Place = Literal["outside", "unguarded", "nobody"]
# Namespaces of its own, so that a way that is open leads nowhere; capabilities, and no filter, so that it is.
UNGUARDED = ("unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
AS_OWN_ROOT = ("--user", "--map-root-user")
NOBODY = 65534


@dataclass(frozen=True)
class Outside:
    """How it ended: `code` is None when it had to be stopped; `left` counts processes that outlived it."""

    code: int | None
    stdout: bytes
    stderr: bytes
    wall_seconds: float
    cpu_seconds: float
    left: int


async def run_outside(
    text: str, python: Path, mark: str, *, place: Place = "outside", seconds: float = MOST_SECONDS
) -> Outside:
    """Run a program's text in a temporary folder, in a process group of its own that is ended afterwards.

    Args:
        text: of the program.
        python: the interpreter.
        mark: an argument that names its processes, so that every one of them can be found and ended.
        place: `outside` is this machine; `unguarded` has its own namespaces and all capabilities in them;
            `nobody` is this machine for a user without rights.
        seconds: when it is stopped.
    """
    with tempfile.TemporaryDirectory(prefix="rf-attack-") as name:
        folder = _folder(name, text, open_to_all=place == "nobody")
        began, spent = time.monotonic(), os.times()
        process = await asyncio.create_subprocess_exec(
            *_command(place),
            str(python),
            str(folder / PROGRAM),
            mark,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=folder,
            user=NOBODY if place == "nobody" and os.geteuid() == 0 else None,
        )
        try:
            code, stdout, stderr = await _attend(process, seconds)
            left = len(marked(mark))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            end_marked(mark)
        after = os.times()
        cpu = after.children_user + after.children_system - spent.children_user - spent.children_system
        return Outside(code, stdout, stderr, time.monotonic() - began, cpu, left)


def _folder(name: str, text: str, *, open_to_all: bool) -> Path:
    folder = Path(name)
    folder.chmod(0o777 if open_to_all else 0o700)
    write(folder, text)
    return folder


async def _attend(process: asyncio.subprocess.Process, seconds: float) -> tuple[int | None, bytes, bytes]:
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("a child without pipes")
    reading = [asyncio.ensure_future(_read(stream)) for stream in (process.stdout, process.stderr)]
    code: int | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            code = await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # A daemon that left the group may hold the pipes open.
    await asyncio.wait(reading, timeout=1.0)
    for task in reading:
        task.cancel()
    stdout, stderr = await asyncio.gather(*reading, return_exceptions=True)
    return code, stdout if isinstance(stdout, bytes) else b"", stderr if isinstance(stderr, bytes) else b""


async def _read(stream: asyncio.StreamReader) -> bytes:
    kept = bytearray()
    while chunk := await stream.read(CHUNK):
        kept += chunk[: max(0, MOST_BYTES - len(kept))]
    return bytes(kept)


def _command(place: Place) -> Sequence[str]:
    if place != "unguarded":
        return ()
    return UNGUARDED if os.geteuid() == 0 else (*UNGUARDED, *AS_OWN_ROOT)


def marked(mark: str) -> list[int]:
    """Processes of this machine that have the mark among their arguments, but for this one."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def end_marked(mark: str) -> int:
    """End what a control has left; how many there were."""
    left = marked(mark)
    for pid in left:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(left)
