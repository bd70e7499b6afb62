"""The `local` driver: bubblewrap, seccomp, control groups and resource limits on this machine's kernel."""

import asyncio
import functools
import os
import signal
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from raptorflow.core.tasks import to_the_end
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.cgroups.detect import find_groups
from raptorflow.sandbox.cgroups.group import Group, Groups
from raptorflow.sandbox.channel import SocketChannel
from raptorflow.sandbox.driver import Blueprint, Handle, Usage
from raptorflow.sandbox.drivers.local.command import CommandLine, memory_file
from raptorflow.sandbox.drivers.local.leftovers import (
    AGAIN_SECONDS,
    Note,
    new_name,
    reap,
    remove_noted,
    state_folder,
)
from raptorflow.sandbox.drivers.local.measure import Meter, group_blueprint, resource_limits
from raptorflow.sandbox.drivers.local.processes import STANDING, descendants, state_of
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.drivers.local.remedies import remedy_for, remedy_of
from raptorflow.sandbox.drivers.local.start import Box, start
from raptorflow.sandbox.errors import SandboxGone, SandboxStartFailed, SandboxUnavailable
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.running.selftest import SelfTest
from raptorflow.sandbox.seccomp import filter_program
from raptorflow.sandbox.settings import SandboxSettings

log = logger(__name__)

NAME = "local"
UNWATCHED_SECONDS = 1.0
# Of the processors, while others want them too.
AHEAD_PERCENT, USUAL_PERCENT = 10, 100
# To remove a group.
ATTEMPTS = 300
# To stop all processes of a sandbox.
MOST_LOOKS = 2000


@dataclass
class _Held:
    """One sandbox that this driver has built."""

    box: Box
    group: Group | None
    meter: Meter


class LocalDriver:
    """Builds sandboxes with bubblewrap.

    Args:
        settings: which programs to use, and how long a start may take.
    """

    name = NAME

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._groups: Groups | None = None
        self._clean_ups: list[weakref.finalize[..., LocalDriver]] = []
        self._report: ProbeReport | None = None
        self._bwrap: Path | None = None
        self._probing = asyncio.Lock()
        self._held: dict[str, _Held] = {}
        self._mark = ""
        self._lost_groups = False

    async def probe(self) -> ProbeReport:
        """Try a sandbox, and say who keeps which guarantee; once, unless something was lacking."""
        async with self._probing:
            report = self._report
            if report is None or not report.available or report.missing or self._lost_groups:
                report = self._report = await self._probe()
            return report

    async def prepare(self, blueprint: Blueprint) -> None:
        """Nothing: all that a sandbox shows is on this machine already."""

    async def create(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """Build a sandbox whose agent has spoken and is held.

        Raises:
            SandboxStartFailed: bubblewrap could not build it, or it could not be held.
        """
        return await self._create(blueprint, sandbox_id, ahead=False)

    async def create_ahead(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        """The same, while others have the processors first, where there are groups.

        Raises:
            SandboxStartFailed: as above.
        """
        return await self._create(blueprint, sandbox_id, ahead=True)

    def claim(self, handle: Handle) -> None:
        """It counts as much as the others from now on.

        Raises:
            SandboxGone: it has been destroyed.
        """
        if group := self._get(handle).group:
            group.weigh(USUAL_PERCENT)

    async def _create(self, blueprint: Blueprint, sandbox_id: str, *, ahead: bool) -> Handle:
        if self._bwrap is None or self._lost_groups:
            await self.probe()
        if self._bwrap is None:
            raise SandboxStartFailed("Bubblewrap cannot be used.")
        group: Group | None = None
        box: Box | None = None
        try:
            group = self._groups.make(sandbox_id, group_blueprint(blueprint)) if self._groups else None
            if group and ahead:
                group.weigh(AHEAD_PERCENT)
            box = await self._start(self._bwrap, blueprint, group)
            box.limit(resource_limits(blueprint, supervised=group is None))
        except BaseException as error:
            await to_the_end(_let_go(box, group))
            if isinstance(error, OSError):
                # Where somebody has removed our groups, others are made before the next one.
                self._lost_groups = not _all_there(self._groups)
                raise SandboxStartFailed(f"The sandbox cannot be held: {error}.") from error
            raise
        self._held[sandbox_id] = _Held(box, group, Meter(box, group, blueprint))
        return Handle(self.name, sandbox_id)

    async def channel(self, handle: Handle) -> SocketChannel:
        """The socket to its agent.

        Raises:
            SandboxGone: it has been destroyed.
        """
        return SocketChannel(self._get(handle).box.socket)

    async def stats(self, handle: Handle) -> Usage:
        """What its group or its process tree uses.

        Raises:
            SandboxGone: it has been destroyed.
        """
        return self._get(handle).meter.usage()

    async def destroy(self, handle: Handle) -> None:
        """End every process of it, and remove its group."""
        if held := self._held.pop(handle.sandbox_id, None):
            await to_the_end(_let_go(held.box, held.group))

    async def pause(self, handle: Handle) -> None:
        """Stop every process inside.

        Raises:
            SandboxGone: it has been destroyed, or its processes make others faster than they can be stopped.
        """
        before: dict[int, str] = {}
        for _ in range(MOST_LOOKS):
            found = {pid: state_of(pid) for pid in self._processes(handle)}
            running = [pid for pid, state in found.items() if state not in STANDING]
            # Who was made while we looked, or has just ended and left one behind, shows at the next look.
            if not running and found == before:
                return
            _signal(running, signal.SIGSTOP)
            before = found
            await asyncio.sleep(0)
        raise SandboxGone(f"The sandbox {handle.sandbox_id} does not stand still.")

    async def resume(self, handle: Handle) -> None:
        """Let them go on."""
        _signal(self._processes(handle), signal.SIGCONT)

    async def list(self) -> list[Handle]:
        """Those of this process, and those whose groups exist. A dead manager's died with it."""
        grouped = {name for folder in _folders(self._groups) for name in _inside(folder)}
        return [Handle(self.name, name) for name in sorted(grouped | set(self._held))]

    async def close(self) -> None:
        """Destroy what is left, and remove this manager's groups. One more would make them anew."""
        for sandbox_id in list(self._held):
            await self.destroy(Handle(self.name, sandbox_id))
        for clean_up in self._clean_ups:
            clean_up()
        self._clean_ups.clear()
        self._groups, self._report, self._bwrap, self._mark = None, None, None, ""

    async def _start(self, bwrap: Path, blueprint: Blueprint, group: Group | None) -> Box:
        watched = group is None
        seccomp = filter_program(reach=blueprint.reach, watched=watched)
        command = CommandLine(blueprint, memory_file(seccomp), self._mark, watched=watched)
        entrances = group.entrances if group else ()
        try:
            return await start(bwrap, command, self._settings.start_seconds, entrances)
        finally:
            command.close()

    def _get(self, handle: Handle) -> _Held:
        if held := self._held.get(handle.sandbox_id):
            return held
        raise SandboxGone(f"The sandbox {handle.sandbox_id} has been destroyed.")

    def _processes(self, handle: Handle) -> tuple[int, ...]:
        held = self._get(handle)
        return held.group.pids() if held.group else tuple(descendants(held.box.first))

    async def _probe(self) -> ProbeReport:
        try:
            python = self._settings.python or sandbox_python()
            await asyncio.to_thread(self._prepare_groups)
            return await self._try_each(python)
        except SandboxUnavailable as error:
            return ProbeReport(self.name, problem=error.message, remedy=error.hint)
        except OSError as error:
            return ProbeReport(self.name, problem=f"The sandbox cannot be prepared: {error}.")

    def _prepare_groups(self) -> None:
        """Clean up after dead managers, and make a place for our groups where this user may.

        What was made before is kept, or stays until the end when it was lost: sandboxes may live in it.
        """
        folder = state_folder(self._settings)
        if count := reap(folder):
            log.info("removed what dead sandbox managers left", managers=count)
        first = self._lost_groups or not self._mark
        if first:
            self._mark, self._groups, self._lost_groups = new_name(), None, False
        if self._groups is None:
            self._groups = find_groups(self._mark)
            if self._groups or first:
                self._note(Note(folder, self._mark), self._groups.folders if self._groups else ())

    def _note(self, note: Note, made: tuple[Path, ...]) -> None:
        """Write down what was made, for whoever finds it when this manager is dead.

        Raises:
            OSError: it cannot be written; nothing that was made is left.
        """
        # Also at the end of a program that does not close its manager.
        clean_up: weakref.finalize[..., LocalDriver] = weakref.finalize(self, remove_noted, note, made)
        try:
            note.write(made)
        except OSError:
            clean_up()
            self._mark, self._groups = "", None
            raise
        self._clean_ups.append(clean_up)

    async def _try_each(self, python: Path) -> ProbeReport:
        problems: list[str] = []
        # Watched so rarely that what stops the test's programs is the kernel.
        settings = self._settings.model_copy(update={"watch_seconds": UNWATCHED_SECONDS})
        run = functools.partial(run_once, self, settings=settings)
        for bwrap in bubblewraps(self._settings):
            self._bwrap = bwrap
            guarantees, problem = await SelfTest(run, python, self._groups).execute()
            if problem is None:
                return ProbeReport(self.name, guarantees, remedy=remedy_of(guarantees))
            self._bwrap = None
            problems.append(f"{bwrap}: {problem}")
        if not problems:
            return ProbeReport(
                self.name, problem="Bubblewrap is not installed.", remedy="apt-get install bubblewrap"
            )
        text = "; ".join(problems)
        return ProbeReport(self.name, problem=text, remedy=remedy_for(text))


async def _let_go(box: Box | None, group: Group | None) -> None:
    """End a sandbox, as far as it was built."""
    try:
        if box:
            box.kill()
            await box.gone()
            box.close()
    finally:
        if group and not await _removed(group):
            log.warning("a control group stays: something in it does not end")


async def _removed(group: Group) -> bool:
    """Remove a group; a killed process leaves it only when its memory is freed, which takes a moment."""
    for _ in range(ATTEMPTS):
        if group.remove():
            return True
        await asyncio.sleep(AGAIN_SECONDS)
    return False


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _all_there(groups: Groups | None) -> bool:
    return all(folder.is_dir() for folder in _folders(groups))


def _folders(groups: Groups | None) -> tuple[Path, ...]:
    return groups.folders if groups else ()


def _inside(folder: Path) -> list[str]:
    """The groups below a manager's own."""
    return [entry.name for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []
