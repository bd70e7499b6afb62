"""What the orchestrator needs from other rooms; the composition root binds it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill


class SkillHit(Protocol):
    """One skill that a search found.

    `score` ranks within one search; `words` (0 to 1) and `similarity` (-1 to 1) compare across searches.
    """

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def ref(self) -> str:
        """`namespace/name`."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def description(self) -> str:
        """What it does."""
        ...

    @property
    def score(self) -> float:
        """Its rank in this search."""
        ...

    @property
    def words(self) -> float:
        """The part of the query's words that it holds."""
        ...

    @property
    def similarity(self) -> float:
        """How near its meaning is to the query's."""
        ...

    @property
    def installed(self) -> bool:
        """Whether it can be loaded."""
        ...


class SkillHits(Protocol):
    """What a search found, best first, and how long it took."""

    @property
    def hits(self) -> Sequence[SkillHit]:
        """The skills."""
        ...

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds."""
        ...


class LoadedSkill(Protocol):
    """An installed skill, ready to run: its files and its environment are folders on this machine."""

    @property
    def skill(self) -> Skill:
        """What its files say."""
        ...

    @property
    def ref(self) -> str:
        """`namespace/name`."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def digest(self) -> str:
        """Of its files."""
        ...

    @property
    def granted(self) -> Capabilities:
        """What the organisation allows it."""
        ...

    @property
    def skill_dir(self) -> Path:
        """Its files, read-only."""
        ...

    @property
    def env_dir(self) -> Path | None:
        """Its Python environment, if it needs one."""
        ...


class SkillSource(Protocol):
    """The skills that an organisation has installed (the registry's facade)."""

    async def search(self, org_id: UUID, query: str, limit: int = 5) -> SkillHits:
        """The skills that fit a question, installed ones first to be used."""
        ...

    async def load(self, org_id: UUID, name: str) -> LoadedSkill:
        """An installed skill by its name, or by `namespace/name`.

        Raises:
            NotFound: the organisation has not installed it.
        """
        ...

    async def actions(self, org_id: UUID, name: str) -> Sequence[str]:
        """The names of an installed skill's actions, without making it ready to run.

        Raises:
            NotFound: the organisation has not installed it.
        """
        ...

    async def read_file(self, org_id: UUID, name: str, path: str) -> bytes:
        """A file of an installed skill.

        Raises:
            NotFound: there is no such skill or file.
        """
        ...


class ActionRunner(Protocol):
    """Runs an action (the sandbox's facade)."""

    async def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run a command in a sandbox and wait for its result."""
        ...
