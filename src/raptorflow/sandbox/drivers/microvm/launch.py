"""Starts a monitor so that it is held before it runs: in a group, apart, without rights, and to die with us.

    sh, which waits for a word --- prlimit --- unshare --- setpriv, or the jailer --- the monitor

All of them are one process, one after the other.
"""

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.sandbox.drivers.microvm.cells import Cell
from raptorflow.sandbox.drivers.microvm.console import Console
from raptorflow.sandbox.drivers.microvm.namespaces import apart
from raptorflow.sandbox.drivers.microvm.process import Process
from raptorflow.sandbox.errors import SandboxStartFailed

GATE = 'read -r go && exec "$@"'
OPEN_FILES = 256
KVM = Path("/dev/kvm")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/"}


@dataclass
class Monitored:
    """What was started, and what it and its machine print.

    Attributes:
        child: the monitor; or the jailer, which ends when it has started the monitor.
        process: the same, known for certain.
        console: read until every process that was started has ended.
    """

    child: asyncio.subprocess.Process
    process: Process
    console: Console

    async def end(self) -> None:
        """Kill what was started, and wait until it is buried. Doing it again does nothing."""
        self.process.kill()
        await self.child.wait()
        self.process.close()


async def launch(
    cell: Cell, command: Sequence[str], passed: Sequence[int], *, file_bytes: int, as_root: bool = False
) -> Monitored:
    """Start a monitor in its cell.

    Args:
        cell: holds it.
        command: the monitor and its arguments.
        passed: descriptors that it gets.
        file_bytes: how large a file it may write.
        as_root: leave its rights to a program that gives them up itself.

    Raises:
        SandboxStartFailed: it cannot be started or held.
    """
    limits = ["prlimit", "--core=0", f"--nofile={OPEN_FILES}", f"--fsize={file_bytes}"]
    held = [*apart(root=os.geteuid() == 0), *([] if as_root else _without_rights(cell))]
    try:
        child = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", GATE, cell.mark, *limits, *held, *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=tuple(passed),
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxStartFailed(f"The monitor cannot be started: {error}") from error
    if child.stdin is None or child.stdout is None:
        raise SandboxStartFailed("The monitor was started without its pipes.")
    # It waits at the gate, so its number is its own.
    monitored = Monitored(child, Process(child.pid), Console(child.stdout))
    try:
        if cell.group:
            cell.group.add(child.pid)
        child.stdin.write(b"go\n")
        child.stdin.close()
    except OSError as error:
        await to_the_end(monitored.end())
        raise SandboxStartFailed(f"The monitor cannot be held: {error}") from error
    return monitored


def _without_rights(cell: Cell) -> list[str]:
    command = ["setpriv", "--no-new-privs", "--pdeathsig", "KILL"]
    if cell.user is None:
        return command
    who = ["--reuid", str(cell.user), "--regid", str(cell.user)]
    return [*command, *who, *_groups(), "--inh-caps=-all", "--bounding-set=-all"]


def _groups() -> list[str]:
    """The one group that may be needed: whose members may use KVM."""
    try:
        facts = os.stat(KVM)
    except OSError:
        return ["--clear-groups"]
    usable = stat.S_ISCHR(facts.st_mode) and facts.st_mode & stat.S_IWGRP and facts.st_gid
    return ["--groups", str(facts.st_gid)] if usable else ["--clear-groups"]
