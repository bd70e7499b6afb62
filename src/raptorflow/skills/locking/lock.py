"""A lock: exactly which versions a project uses, and what is in each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from raptorflow.base.errors import Conflict, InvalidInput
from raptorflow.skills.listing import Listing
from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.resolving.model import Wishes


class LockInvalid(InvalidInput):
    """A lock cannot be read."""

    code = "lock-invalid"
    default_hint = "Restore it, or delete it and write it anew with `raptorflow skill lock`."


class LockOutdated(Conflict):
    """What is wished for and what is locked do not agree."""

    code = "lock-outdated"
    default_hint = "Run `raptorflow skill lock`, look at the difference, and keep it."


@dataclass(frozen=True)
class Locked:
    """A version of a skill.

    Attributes:
        digest: of its tree.
        source: where it came from: a server's address, a folder.
        requires: skills that it builds on, each with a version range.
        listing: its files by digest; None in a lock that was written before they were noted.
    """

    version: str
    digest: str
    source: str
    requires: Mapping[str, str] = field(default_factory=dict[str, str])
    listing: Listing | None = None


Lock = Mapping[str, Locked]


def needed(wishes: Wishes, lock: Lock) -> set[str]:
    """The skills that the wishes lead to, by what is locked.

    Raises:
        LockOutdated: one of them is not locked, or to a version that does not fit.
    """
    found: set[str] = set()
    waiting = list(wishes.items())
    while waiting:
        name, wanted = waiting.pop()
        locked = lock.get(name)
        if locked is None:
            raise LockOutdated(f"{name} is wished for and not locked.")
        fitting = VersionRange.parse(wanted)
        # Whoever asks for nothing in particular may have been given a prerelease.
        if fitting.clauses and not fitting.matches(locked.version):
            raise LockOutdated(f"{name} is locked to {locked.version}, which does not fit {wanted}.")
        if name not in found:
            found.add(name)
            waiting += locked.requires.items()
    return found


def check_agreement(wishes: Wishes, lock: Lock) -> None:
    """Whether a lock is what the wishes ask for, and what that requires, and nothing else.

    Raises:
        LockOutdated: it is not.
    """
    if left := sorted(lock.keys() - needed(wishes, lock)):
        raise LockOutdated(f"{left[0]} is locked and no longer needed.")
