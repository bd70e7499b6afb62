"""Skills straight from folders: the in-memory twin of the registry, for trying a skill out and for tests."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import NotFound
from raptorflow.orchestrator.language_models.arguments import words_of
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill
from raptorflow.skills.reader import read_skill

NAMESPACE = "local/"


@dataclass(frozen=True)
class FolderSkill:
    """A skill in its own folder, with everything granted that it asks for and no environment."""

    skill: Skill
    skill_dir: Path
    env_dir: Path | None = None

    @property
    def ref(self) -> str:
        """`local/<name>`."""
        return f"{NAMESPACE}{self.skill.name}"

    @property
    def version(self) -> str:
        """The skill's version."""
        return self.skill.version

    @property
    def digest(self) -> str:
        """The skill's digest."""
        return self.skill.digest

    @property
    def granted(self) -> Capabilities:
        """What the skill asks for."""
        return self.skill.capabilities


@dataclass(frozen=True)
class FolderHit:
    """A search result; `score` and `words` are the part of the query's words that the skill holds."""

    name: str
    ref: str
    version: str
    description: str
    score: float
    words: float
    similarity: float = 0.0
    installed: bool = True


@dataclass(frozen=True)
class FolderHits:
    """Search results, the best first."""

    hits: list[FolderHit]
    elapsed_ms: float


class FolderSkills:
    """The skills of some folders, for every organisation.

    Args:
        folders: one folder a skill.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        skills = (FolderSkill(read_skill(folder), folder) for folder in folders)
        self._skills = {found.skill.name: found for found in skills}

    async def search(self, org_id: UUID, query: str, limit: int = 5) -> FolderHits:
        """The skills that hold the query's words."""
        watch = Stopwatch()
        hits = sorted((_hit(found, words_of(query)) for found in self._skills.values()), key=_order)
        return FolderHits(hits[:limit], watch.elapsed_ms())

    async def load(self, org_id: UUID, name: str) -> FolderSkill:
        """A skill by name.

        Raises:
            NotFound: there is none.
        """
        found = self._skills.get(name.removeprefix(NAMESPACE))
        if found is None:
            raise NotFound(f"There is no skill {name}.")
        return found

    async def actions(self, org_id: UUID, name: str) -> list[str]:
        """The names of a skill's actions.

        Raises:
            NotFound: there is none.
        """
        return [action.name for action in (await self.load(org_id, name)).skill.actions]

    async def read_file(self, org_id: UUID, name: str, path: str) -> bytes:
        """A file of a skill.

        Raises:
            NotFound: there is no such skill or file.
        """
        found = await self.load(org_id, name)
        if path not in {file.path for file in found.skill.files}:
            raise NotFound(f"{name} has no file {path}.")
        return (found.skill_dir / path).read_bytes()


def _hit(found: FolderSkill, words: frozenset[str]) -> FolderHit:
    skill = found.skill
    known = words_of(f"{skill.name} {skill.description} {' '.join(skill.tags)}")
    part = round(len(words & known) / max(1, len(words)), 4)
    return FolderHit(skill.name, found.ref, skill.version, skill.description, part, part)


def _order(hit: FolderHit) -> tuple[float, str]:
    return -hit.score, hit.name
