"""The resolver: picks a version of every skill that is needed, the newest that fit, or says why none fits."""

from collections.abc import Mapping

from raptorflow.skills.ranges import VersionRange, newest_first
from raptorflow.skills.resolving.explaining import explain
from raptorflow.skills.resolving.graph import refuse_cycles
from raptorflow.skills.resolving.model import Candidate, DependenciesUnsolvable, Universe, Wishes
from raptorflow.skills.resolving.terms import (
    Assignment,
    Derived,
    Incompatibility,
    PartialSolution,
    Required,
    States,
)

ROOT, WISHED = "", "wished"
CONFLICT = "*conflict*"


def resolve(
    wishes: Wishes, universe: Universe, locked: Mapping[str, str] | None = None
) -> dict[str, Candidate]:
    """The chosen version of each skill that the wishes lead to.

    Args:
        wishes: what is asked for.
        universe: what there is.
        locked: versions that are taken before newer ones when they fit.

    Raises:
        DependenciesUnsolvable: nothing fits.
        DependencyCycle: what was chosen requires itself.
    """
    chosen = _Solver(wishes, universe, locked or {}).solve()
    refuse_cycles(chosen)
    return chosen


class _Solver:
    """One resolution."""

    def __init__(self, wishes: Wishes, universe: Universe, locked: Mapping[str, str]) -> None:
        self._wishes = wishes
        self._universe = universe
        self._locked = locked
        known = {name for each in universe.values() for one in each for name in one.requires} | wishes.keys()
        self._candidates = {
            name: {one.version: one for one in universe.get(name, ())} for name in known | universe.keys()
        }
        domains: dict[str, States] = {
            name: frozenset((None, *versions)) for name, versions in self._candidates.items()
        }
        self._solution = PartialSolution({**domains, ROOT: frozenset((None, WISHED))})
        self._by_skill: dict[str, list[Incompatibility]] = {}
        self._expanded: set[tuple[str, str, str]] = set()
        self._learn(Incompatibility({ROOT: frozenset((None,))}))
        for name, wanted in wishes.items():
            self._learn(self._required(ROOT, frozenset((WISHED,)), name, wanted))

    def solve(self) -> dict[str, Candidate]:
        """Propagate and decide, until every skill that is needed has a version."""
        changed = {ROOT}
        while True:
            self._propagate(changed)
            undecided = self._undecided()
            if undecided is None:
                return {
                    name: self._candidates[name][version]
                    for name, states in sorted(self._solution.current.items())
                    if name != ROOT and len(states) == 1 and (version := next(iter(states))) is not None
                }
            changed = {self._decide(undecided)}

    def _undecided(self) -> str | None:
        """A skill that is needed and has no version yet; the one with the fewest to choose from."""
        decided = {each.skill for each in self._solution.assignments if each.cause is None}
        open_ones = [
            (len(states), name)
            for name, states in self._solution.current.items()
            if name not in decided and None not in states and name != ROOT
        ]
        return min(open_ones)[1] if open_ones else None

    def _decide(self, name: str) -> str:
        version = self._best(name, self._solution.states(name))
        candidate = self._candidates[name][version]
        conflicts = False
        for other, wanted in candidate.requires.items():
            if (name, other, wanted) in self._expanded:
                continue
            self._expanded.add((name, other, wanted))
            alike = frozenset(
                one.version for one in self._candidates[name].values() if one.requires.get(other) == wanted
            )
            incompatibility = self._required(name, alike, other, wanted)
            self._learn(incompatibility)
            conflicts |= all(
                skill == name or self._solution.states(skill) <= states
                for skill, states in incompatibility.terms.items()
            )
        if not conflicts:
            self._solution.add(name, frozenset((version,)), None)
        return name

    def _best(self, name: str, states: States) -> str:
        """The locked version where it fits, then releases from the newest down, then prereleases."""
        versions = [state for state in states if state is not None]
        locked = self._locked.get(name)
        return locked if locked in versions else newest_first(versions)[0]

    def _required(self, name: str, versions: States, other: str, wanted: str) -> Incompatibility:
        fitting = VersionRange.parse(wanted)
        allowed = frozenset(one for one in self._candidates[other] if fitting.matches(one))
        if not allowed and not fitting.clauses:
            # Where there are prereleases only, whoever asks for nothing in particular gets one.
            allowed = frozenset(self._candidates[other])
        terms = {name: versions, other: self._solution.domains[other] - allowed}
        return Incompatibility(terms, Required(name, versions, other, wanted))

    def _learn(self, incompatibility: Incompatibility) -> None:
        for name in incompatibility.terms:
            self._by_skill.setdefault(name, []).append(incompatibility)

    def _propagate(self, changed: set[str]) -> None:
        """Derive what follows (unit propagation); a conflict is resolved and taken further."""
        while changed:
            name = changed.pop()
            for incompatibility in reversed(self._by_skill.get(name, [])):
                relation = self._open_term(incompatibility)
                if relation is None:
                    continue
                if relation == CONFLICT:
                    relation, learned = self._resolve_conflict(incompatibility)
                    self._derive(relation, learned)
                    changed = {relation}
                    break
                self._derive(relation, incompatibility)
                changed.add(relation)

    def _derive(self, name: str, incompatibility: Incompatibility) -> None:
        states = self._solution.domains[name] - incompatibility.terms[name]
        self._solution.add(name, states, incompatibility)

    def _open_term(self, incompatibility: Incompatibility) -> str | None:
        """The one skill that is not settled, `CONFLICT` when all terms hold, None when nothing follows."""
        unsettled: str | None = None
        for name, states in incompatibility.terms.items():
            current = self._solution.states(name)
            if current <= states:
                continue
            if current.isdisjoint(states) or unsettled is not None:
                return None
            unsettled = name
        return CONFLICT if unsettled is None else unsettled

    def _resolve_conflict(self, incompatibility: Incompatibility) -> tuple[str, Incompatibility]:
        """Find the decision that led here, go back before it; what was learned, and for which skill.

        Raises:
            DependenciesUnsolvable: no decision did.
        """
        while not self._is_failure(incompatibility):
            name, place, level = self._latest(incompatibility)
            satisfier = self._solution.assignments[place]
            if satisfier.cause is None or level < satisfier.level:
                self._solution.back_to(level)
                self._learn(incompatibility)
                return name, incompatibility
            incompatibility = self._merged(incompatibility, satisfier, satisfier.cause)
        message, hint = explain(incompatibility, self._wishes, self._universe)
        raise DependenciesUnsolvable(message, hint=hint)

    def _is_failure(self, incompatibility: Incompatibility) -> bool:
        return not incompatibility.terms or (
            set(incompatibility.terms) == {ROOT} and WISHED in incompatibility.terms[ROOT]
        )

    def _latest(self, incompatibility: Incompatibility) -> tuple[str, int, int]:
        """The skill whose term was satisfied last, where, and the level at which the others already were."""
        satisfier_of = self._solution.satisfier
        places = {name: satisfier_of(name, states) for name, states in incompatibility.terms.items()}
        name = max(places, key=lambda each: places[each])
        place = places[name]
        others = [places[each] for each in places if each != name]
        term, satisfier = incompatibility.terms[name], self._solution.assignments[place]
        if not satisfier.states <= term:
            # What the satisfier alone does not give was there before it.
            rest = term | (self._solution.domains[name] - satisfier.states)
            others.append(satisfier_of(name, rest, before=place))
        levels = [self._solution.assignments[each].level for each in others if each >= 0]
        return name, place, max(levels, default=0)

    def _merged(
        self, incompatibility: Incompatibility, satisfier: Assignment, cause: Incompatibility
    ) -> Incompatibility:
        """The rule of resolution: what follows from an incompatibility and from why its last term holds."""
        name = satisfier.skill
        terms: dict[str, States] = {}
        for each, states in (*incompatibility.terms.items(), *cause.terms.items()):
            if each != name:
                terms[each] = terms.get(each, self._solution.domains[each]) & states
        term, domain = incompatibility.terms[name], self._solution.domains[name]
        if not satisfier.states <= term:
            terms[name] = domain - (satisfier.states - term)
        # A term that always holds says nothing.
        plain = {each: states for each, states in terms.items() if states != self._solution.domains[each]}
        return Incompatibility(plain, Derived(incompatibility, cause))
