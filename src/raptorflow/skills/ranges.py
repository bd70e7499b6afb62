"""Ranges of semantic versions (https://semver.org): `^1.2`, `~1.2.3`, `>=1.0,<2.0`, `1.*`, `*`, `latest`.

A version that leaves parts out means all versions that begin so, as in Cargo and npm: `1.2` is `1.2.*`,
`>1.2` starts at 1.3.0, and `<=1.2` ends before it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from semver import Version

from raptorflow.skills.errors import VersionRangeInvalid

_CLAUSE = re.compile(
    r"(\^|~|>=|<=|>|<|=|)\s*v?(\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)((?:\.[*xX]){0,2})"
)
ANY = {"*", "x", "X", "latest", ""}
MAX_RANGE = 200
PARTS = 3

Clause = tuple[str, Version]


@dataclass(frozen=True)
class VersionRange:
    """Clauses of an operator and a version that all must hold."""

    text: str
    clauses: tuple[Clause, ...]

    @classmethod
    def parse(cls, text: str) -> "VersionRange":
        """Read a range.

        Raises:
            VersionRangeInvalid: it is none.
        """
        if text.strip() in ANY:
            return cls(text, ())
        if len(text) > MAX_RANGE:
            raise VersionRangeInvalid(f"A version range has {MAX_RANGE} characters at most.")
        return cls(text, tuple(clause for part in text.split(",") for clause in _clauses(part.strip(), text)))

    def matches(self, version: str) -> bool:
        """Whether a version is in the range; a prerelease only when a bound is one of the same version.

        So `^1.3.0-rc.1` takes `1.3.0-rc.2`, and neither `1.9.0-beta` nor `2.0.0-alpha`.

        Raises:
            ValueError: the version is not a semantic version.
        """
        candidate = Version.parse(version)
        if candidate.prerelease and not any(_asks_for(bound, candidate) for _, bound in self.clauses):
            return False
        return all(_holds(operator, candidate, bound) for operator, bound in self.clauses)


def best_match(versions: Iterable[str], wanted: VersionRange) -> str | None:
    """The highest version in the range; when only prereleases exist, the highest of them for `latest`.

    Among versions that differ in build metadata alone, which have no order, the first given is taken.
    """
    known = list(versions)
    fitting = [version for version in known if wanted.matches(version)]
    if not fitting and not wanted.clauses:
        fitting = known
    return max(fitting, key=Version.parse, default=None)


def newest_first(versions: Iterable[str]) -> list[str]:
    """Releases from the highest down, then prereleases: the order in which `best_match` prefers them."""
    ordered = sorted(versions, key=Version.parse, reverse=True)
    return sorted(ordered, key=lambda version: Version.parse(version).prerelease is not None)


def _clauses(part: str, text: str) -> list[Clause]:
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise VersionRangeInvalid(f"{text!r} is not a version range.")
    operator, number, wildcards = found.groups()
    given = len(re.split(r"[-+]", number, maxsplit=1)[0].split("."))
    if wildcards and (given == PARTS or given + len(wildcards) // 2 > PARTS or re.search(r"[-+]", number)):
        raise VersionRangeInvalid(f"{text!r} is not a version range.")
    try:
        low = Version.parse(number, optional_minor_and_patch=True)
    except ValueError as error:
        raise VersionRangeInvalid(f"{text!r} is not a version range: {error}.") from error
    return _bounds(operator, low, given)


def _bounds(operator: str, low: Version, given: int) -> list[Clause]:
    if operator == "^":
        return [(">=", low), ("<", _next_breaking(low, given))]
    after = low.bump_major() if given == 1 else low.bump_minor()
    if operator == "~" or (operator in {"", "="} and given < PARTS):
        return [(">=", low), ("<", after)]
    if operator == ">" and given < PARTS:
        return [(">=", after)]
    if operator == "<=" and given < PARTS:
        return [("<", after)]
    return [(operator or "=", low)]


def _next_breaking(low: Version, given: int) -> Version:
    """The first version that may break: before 1.0 the first non-zero part decides."""
    if low.major or given == 1:
        return low.bump_major()
    if low.minor or given < PARTS:
        return low.bump_minor()
    return low.bump_patch()


def _asks_for(bound: Version, candidate: Version) -> bool:
    return bound.prerelease is not None and bound.to_tuple()[:PARTS] == candidate.to_tuple()[:PARTS]


def _holds(operator: str, candidate: Version, bound: Version) -> bool:
    order = candidate.compare(bound)
    if operator == "=":
        return order == 0 and (bound.build is None or candidate.build == bound.build)
    return {">=": order >= 0, ">": order > 0, "<=": order <= 0, "<": order < 0}[operator]
