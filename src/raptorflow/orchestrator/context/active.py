"""Which skills a session has loaded. Kept in its row: it outlives turns, crashes and trimming."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.ports import LoadedSkill


@dataclass(frozen=True)
class ActiveSkill:
    """A loaded skill. `used` is the moment of its last use, counted in uses of any skill."""

    name: str
    ref: str
    version: str
    digest: str
    used: int


@dataclass(frozen=True)
class ActiveSkills:
    """The loaded skills in the order of their activation, which is their order in the prompt."""

    skills: tuple[ActiveSkill, ...] = ()

    @classmethod
    def of(cls, state: JsonObject) -> "ActiveSkills":
        """Read from a session's state."""
        return cls(tuple(ActiveSkill(**skill) for skill in state.get("skills", [])))

    def state(self) -> JsonObject:
        """As a session's state."""
        return {"skills": [vars(skill) for skill in self.skills]}

    def names(self) -> list[str]:
        """The names, in order."""
        return [skill.name for skill in self.skills]

    def activated(self, loaded: LoadedSkill, most: int) -> tuple["ActiveSkills", list[str]]:
        """With one more skill, and who had to leave: the least recently used beyond `most`."""
        name = loaded.skill.name
        entry = ActiveSkill(name, loaded.ref, loaded.version, loaded.digest, self._now())
        skills = (
            tuple(entry if skill.name == name else skill for skill in self.skills)
            if name in self.names()
            else (*self.skills, entry)
        )
        leaving = {skill.name for skill in sorted(skills, key=_used)[: max(0, len(skills) - most)]}
        return ActiveSkills(_without(skills, leaving)), [s.name for s in skills if s.name in leaving]

    def used(self, name: str) -> "ActiveSkills":
        """With a skill marked as just used."""
        now = self._now()
        return ActiveSkills(tuple(replace(s, used=now) if s.name == name else s for s in self.skills))

    def without(self, names: Iterable[str]) -> "ActiveSkills":
        """Without some skills."""
        return ActiveSkills(_without(self.skills, set(names)))

    def _now(self) -> int:
        return max((skill.used for skill in self.skills), default=0) + 1


def _without(skills: tuple[ActiveSkill, ...], names: set[str]) -> tuple[ActiveSkill, ...]:
    return tuple(skill for skill in skills if skill.name not in names)


def _used(skill: ActiveSkill) -> int:
    return skill.used
