"""The walls around an interpreter's process, should somebody break out of the interpreter.

The interpreter gives a script no files, no network and no programs. Its process has none either: a network
namespace without an interface, a root with nothing but the program and the system's libraries, read-only, no
capabilities, the few system calls that computing takes, an address space that the kernel bounds, and one
processor to run on.
"""

import os
import shlex
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from raptorflow.sandbox.drivers.monty.calls import call_filter

KIB = 1024
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
NAMESPACES = ("mnt", "net", "pid", "ipc", "uts", "user")
MARK = "RAPTORFLOW_WORKER"
FILTER_FD = 3
PREFIX = "raptorflow-monty-"


def new_folder(within: Path) -> Path:
    """A folder of this process's own; those of processes that were killed are removed."""
    for old in within.glob(f"{PREFIX}*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        # Another process may do the same at this moment.
        with suppress(FileNotFoundError):
            if not Path("/proc", pid).exists() and old.lstat().st_uid == os.geteuid():
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=within))


class Walls:
    """A program that starts another one behind walls.

    Args:
        bubblewrap: builds them.
        program: what runs inside.
        address_space: bytes.
    """

    def __init__(self, bubblewrap: Path, program: Path, address_space: int) -> None:
        self._mark = uuid4().hex
        libraries = [part for folder in LIBRARIES for part in ("--ro-bind-try", folder, folder)]
        self._command = [
            str(bubblewrap), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
            "--clearenv", "--setenv", MARK, self._mark, "--uid", "65534", "--gid", "65532",
            "--hostname", "sandbox", "--seccomp", str(FILTER_FD), *libraries,
            "--ro-bind", str(program), "/monty", "--remount-ro", "/", "--chdir", "/", "--", "/monty",
        ]  # fmt: skip
        self._address_space = address_space
        self._pinning = shutil.which("taskset")

    def write_each(self, folder: Path) -> list[Path]:
        """A script for each processor, as `write` makes them; only one where nothing can bind to processors.

        Raises:
            SandboxUnavailable: the filter of system calls cannot be compiled.
        """
        processors = sorted(os.sched_getaffinity(0)) if self._pinning else [None]
        return [self.write(folder, processor) for processor in processors]

    def write(self, folder: Path, processor: int | None = None) -> Path:
        """A script in a folder that starts the program, bound to a processor; arguments are handed on.

        Raises:
            SandboxUnavailable: the filter of system calls cannot be compiled.
        """
        calls = folder / f"calls-{self._mark}"
        calls.write_bytes(call_filter())
        script = folder / f"worker-{self._mark}-{processor}"
        limits = f"ulimit -c 0\nulimit -v {self._address_space // KIB}\n"
        bound = [self._pinning, "-c", str(processor)] if self._pinning and processor is not None else []
        command = shlex.join([*bound, *self._command])
        text = f'#!/bin/sh\n{limits}exec {command} "$@" {FILTER_FD}< {shlex.quote(str(calls))}\n'
        descriptor = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o700)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        return script

    def gaps(self) -> list[str]:
        """What does not hold around the processes that were started so; looked at from outside."""
        inside = [pid for pid in _pids() if self._is_inside(pid)]
        if not inside:
            return ["no process"]
        try:
            return sorted({gap for pid in inside for gap in _gaps_of(pid)})
        except OSError as error:
            return [f"it cannot be looked at ({error.strerror})"]

    def pinned(self) -> bool:
        """Whether each process that was started so is bound to one processor, as seen from outside."""
        inside = [pid for pid in _pids() if self._is_inside(pid)]
        return bool(inside) and all(_facts(pid).get(b"Cpus_allowed_list", b"-").isdigit() for pid in inside)

    def _is_inside(self, pid: int) -> bool:
        """Bubblewrap itself has the mark among its arguments; the program has it in its environment."""
        return f"{MARK}={self._mark}".encode() in _read(pid, "environ").split(b"\0")


def _gaps_of(pid: int) -> list[str]:
    ours = {name: os.stat(f"/proc/self/ns/{name}").st_ino for name in NAMESPACES}
    gaps = [name for name in NAMESPACES if os.stat(f"/proc/{pid}/ns/{name}").st_ino == ours[name]]
    facts = _facts(pid)
    held = {
        b"CapEff": b"0000000000000000",
        b"CapBnd": b"0000000000000000",
        b"NoNewPrivs": b"1",
        b"Seccomp": b"2",
    }
    return gaps + [name.decode() for name, value in held.items() if facts.get(name) != value]


def _facts(pid: int) -> dict[bytes, bytes]:
    return dict(line.split(b":\t", 1) for line in _read(pid, "status").splitlines() if b":\t" in line)


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
