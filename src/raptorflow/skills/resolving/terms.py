"""Sets of versions, and incompatibilities between them: the algebra of PubGrub.

After Natalie Weizenbaum, "PubGrub: Next-Generation Version Solving" (2018), with one change: versions are
finitely many, so that a term is the set of states that a skill may be in. The state `None` is "not chosen".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

State = str | None
States = frozenset[State]


@dataclass(frozen=True)
class Required:
    """The cause: versions of a skill require another one."""

    skill: str
    versions: States
    other: str
    wanted: str


@dataclass(frozen=True)
class Derived:
    """The cause: it follows from two others."""

    one: "Incompatibility"
    other: "Incompatibility"


@dataclass(frozen=True)
class Incompatibility:
    """States of some skills that cannot hold together."""

    terms: Mapping[str, States]
    cause: Required | Derived | None = None


@dataclass(frozen=True)
class Assignment:
    """A skill is in one of some states: decided, or derived from an incompatibility."""

    skill: str
    states: States
    level: int
    cause: Incompatibility | None


@dataclass
class PartialSolution:
    """What is decided and derived so far, in order; the states each skill can still be in."""

    domains: Mapping[str, States]
    assignments: list[Assignment] = field(default_factory=list[Assignment])
    current: dict[str, States] = field(default_factory=dict[str, States])
    level: int = 0

    def states(self, skill: str) -> States:
        """The states that a skill can still be in."""
        return self.current.get(skill, self.domains[skill])

    def add(self, skill: str, states: States, cause: Incompatibility | None) -> None:
        """Assign; a decision (without a cause) begins a level."""
        self.level += cause is None
        self.assignments.append(Assignment(skill, states, self.level, cause))
        self.current[skill] = self.states(skill) & states

    def back_to(self, level: int) -> None:
        """Take back everything above a level."""
        self.assignments = [each for each in self.assignments if each.level <= level]
        self.level = level
        self.current = {}
        for each in self.assignments:
            self.current[each.skill] = self.states(each.skill) & each.states

    def satisfier(self, skill: str, states: States, before: int | None = None) -> int:
        """The place of the first assignment with which a skill is surely in the states; -1 before any.

        Raises:
            LookupError: it is not.
        """
        seen = self.domains[skill]
        if seen <= states:
            return -1
        for place, each in enumerate(self.assignments[:before]):
            if each.skill == skill:
                seen &= each.states
                if seen <= states:
                    return place
        raise LookupError(f"{skill} is not in these states")
