"""A skill, ready to use: read, in a read-only folder, with its environment and what it may do."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill


@dataclass(frozen=True)
class LoadedSkill:
    """An installed skill.

    Attributes:
        ref: `namespace/name`.
        granted: what the organisation granted; what runs is its intersection with the manifest.
        skill_dir: the skill's files, read-only, by digest.
        env_dir: its Python environment; None when its scripts depend on nothing.
    """

    skill: Skill
    ref: str
    version: str
    digest: str
    granted: Capabilities
    skill_dir: Path
    env_dir: Path | None
    installation_id: UUID

    @property
    def capabilities(self) -> Capabilities:
        """What may run: the manifest's and the grant's intersection."""
        return self.skill.capabilities.intersection(self.granted)
