"""Ranges of semantic versions (https://semver.org): `^1.2`, `~1.2.3`, `>=1.0,<2.0`, `*`, `latest`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from semver import Version

from raptorflow.skills.errors import VersionRangeInvalid

_CLAUSE = re.compile(r"(\^|~|>=|<=|>|<|=|)\s*v?(\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)")
ANY = {"*", "latest", ""}


@dataclass(frozen=True)
class VersionRange:
    """Clauses of an operator and a version that all must hold."""

    text: str
    clauses: tuple[tuple[str, Version], ...]

    @classmethod
    def parse(cls, text: str) -> "VersionRange":
        """Read a range.

        Raises:
            VersionRangeInvalid: it is none.
        """
        if text.strip() in ANY:
            return cls(text, ())
        return cls(text, tuple(clause for part in text.split(",") for clause in _clauses(part.strip(), text)))

    def matches(self, version: str) -> bool:
        """Whether a version is in the range; a prerelease only when the range names one."""
        candidate = Version.parse(version)
        if candidate.prerelease and not any(bound.prerelease for _, bound in self.clauses):
            return False
        return all(_holds(operator, candidate, bound) for operator, bound in self.clauses)


def best_match(versions: Iterable[str], wanted: VersionRange) -> str | None:
    """The highest version in the range; when only prereleases exist, the highest of them for `latest`."""
    known = list(versions)
    fitting = [version for version in known if wanted.matches(version)]
    if not fitting and not wanted.clauses:
        fitting = known
    return max(fitting, key=Version.parse, default=None)


def _clauses(part: str, text: str) -> list[tuple[str, Version]]:
    found = _CLAUSE.fullmatch(part)
    if found is None:
        raise VersionRangeInvalid(f"{text!r} is not a version range.")
    operator, number = found.groups()
    given = len(re.split(r"[-+]", number, maxsplit=1)[0].split("."))
    low = Version.parse(number, optional_minor_and_patch=True)
    if operator == "^":
        return [(">=", low), ("<", _next_breaking(low, given))]
    if operator == "~":
        return [(">=", low), ("<", low.bump_major() if given == 1 else low.bump_minor())]
    if operator in {"", "="} and given < len(("major", "minor", "patch")):
        return [(">=", low), ("<", low.bump_major() if given == 1 else low.bump_minor())]
    return [(operator or "=", low)]


def _next_breaking(low: Version, given: int) -> Version:
    """The first version that may break: before 1.0 the first non-zero part decides."""
    if low.major or given == 1:
        return low.bump_major()
    if low.minor or given < len(("major", "minor", "patch")):
        return low.bump_minor()
    return low.bump_patch()


def _holds(operator: str, candidate: Version, bound: Version) -> bool:
    order = candidate.compare(bound)
    if operator == "=":
        return order == 0 and (bound.build is None or candidate.build == bound.build)
    return {">=": order >= 0, ">": order > 0, "<=": order <= 0, "<": order < 0}[operator]
