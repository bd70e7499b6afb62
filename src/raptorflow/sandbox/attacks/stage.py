"""Where an attack is tried: a manager of sandboxes, and this machine without one for the control."""

import asyncio
import dataclasses
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raptorflow.sandbox.attacks.outside import MOST_SECONDS, Outside, Place, marked, run_outside
from raptorflow.sandbox.attacks.program import PROGRAM, program, write
from raptorflow.sandbox.attacks.world import World
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.probing import Boundary, ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

SMALL: dict[str, float] = {
    "timeout_seconds": 20.0,
    "memory_bytes": 64 * MIB,
    "disk_bytes": 8 * MIB,
    "pids": 24,
    "output_bytes": MIB,
}
TMP, SHARED, KEPT = f"{os.sep}tmp", f"{os.sep}dev/shm", f"{os.sep}var/tmp"
SETTLE_SECONDS = 3.0
POLL_SECONDS = 0.02
PATIENCE = 6.0
OWN_FILE, OWN_CONTENT = "data.txt", "the skill's own file"


class Harmed(Exception):
    """Something outside is not as it was before a run."""


@dataclass(frozen=True)
class Stage:
    """What an attack may use.

    Attributes:
        manager: makes the sandboxes.
        settings: of the manager.
        report: what its driver holds here.
        python: the interpreter, inside and out.
        folder: for files of this machine.
        make: builds another manager of the same kind.
        world: what is outside of a manager with a broker; None where there is none.
    """

    manager: SandboxManager
    settings: SandboxSettings
    report: ProbeReport
    python: Path
    folder: Path
    make: Callable[[SandboxSettings], SandboxManager] = build_manager
    world: World | None = None

    def with_manager(self, manager: SandboxManager) -> "Stage":
        """The same with another manager."""
        return dataclasses.replace(self, manager=manager)

    @asynccontextmanager
    async def another(self, **changes: Any) -> AsyncGenerator["Stage"]:
        """The same with another manager, whose settings differ."""
        manager = self.make(self.settings.model_copy(update=changes))
        try:
            await manager.check()
            yield self.with_manager(manager)
        finally:
            await manager.close()

    @property
    def driver(self) -> str:
        """Which kind of sandbox."""
        return self.report.driver

    @property
    def patience(self) -> float:
        """How many times longer things may take than in a process: a machine has to start first."""
        return PATIENCE if self.boundary == "virtual-machine" else 1.0

    @property
    def boundary(self) -> Boundary:
        """What stands between the code and this machine's kernel."""
        return self.report.boundary

    def text(
        self, steps: Mapping[str, str], facts: Mapping[str, object], *, apart: bool, outside: bool
    ) -> str:
        """A program of these steps."""
        return program(steps, facts, apart=apart, outside=outside)

    async def inside(self, text: str, **fields: Any) -> SandboxResult:
        """Run a program's text in a sandbox, under small limits.

        Args:
            text: of the program.
            fields: of the spec; `limits` is a mapping of those that differ from the small ones.

        Raises:
            Harmed: processes of it are left, or the skill's folder on the host is not what it was.
        """
        with self.skill(text) as skill:
            return await self.inside_of(skill, **fields)

    @contextmanager
    def skill(self, text: str) -> Generator[Path]:
        """The folder of a skill with a program of this text, for sandboxes that are to be made alike."""
        with tempfile.TemporaryDirectory(prefix="rf-skill-", dir=self.folder) as name:
            yield _skill(name, text)

    async def inside_of(self, skill: Path, **fields: Any) -> SandboxResult:
        """Run a skill's program, as `inside` does.

        Raises:
            Harmed: processes of it are left, or the skill's folder on the host is not what it was.
        """
        mark = f"rf-attack-{secrets.token_hex(6)}"
        before = _digest(skill)
        result = await self.manager.run(self._spec(skill, mark, **fields))
        if _digest(skill) != before:
            raise Harmed("the skill's folder on the host was changed")
        await self._nothing_left(mark)
        return result

    async def outside(self, text: str, place: Place = "outside", seconds: float = MOST_SECONDS) -> Outside:
        """Run a program's text without a sandbox, bounded."""
        mark = f"rf-control-{secrets.token_hex(6)}"
        return await run_outside(text, self.python, mark, place=place, seconds=seconds)

    def _spec(self, skill: Path, mark: str, **fields: Any) -> SandboxSpec:
        limits = Limits.model_validate({**SMALL, **fields.pop("limits", {})})
        out = Path(tempfile.mkdtemp(prefix="rf-out-", dir=self.folder))
        given: dict[str, Any] = {
            "command": ("python", PROGRAM, mark),
            "skill_dir": skill,
            "python": self.python,
            "artifacts_dir": out,
            "limits": limits,
            "run_id": mark,
        }
        return SandboxSpec(**{**given, **fields})

    async def _nothing_left(self, mark: str) -> None:
        """Processes of the run on this machine are gone."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while left := [f"process {pid}" for pid in marked(mark)]:
            if time.monotonic() > deadline:
                raise Harmed(f"{len(left)} left by the run: {left[0]}")
            await asyncio.sleep(POLL_SECONDS)


def _skill(name: str, text: str) -> Path:
    """A skill's folder with the program in it, that every user may read."""
    folder = Path(name)
    folder.chmod(0o755)
    write(folder, text)
    (folder / OWN_FILE).write_text(OWN_CONTENT)
    return folder


def _digest(folder: Path) -> str:
    """Names, modes and contents of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)} {path.lstat().st_mode:o} ".encode())
        digest.update(path.read_bytes() if path.is_file() else b"-")
    return digest.hexdigest()
