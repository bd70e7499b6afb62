"""Why nothing fits, in sentences that a person can act on."""

from collections.abc import Iterator
from difflib import get_close_matches

from semver import Version

from raptorflow.skills.ranges import VersionRange, newest_first
from raptorflow.skills.resolving.model import Universe, Wishes
from raptorflow.skills.resolving.terms import Derived, Incompatibility, Required, States

MOST_SENTENCES = 8
SHOWN_VERSIONS = 4


def explain(failure: Incompatibility, wishes: Wishes, universe: Universe) -> tuple[str, str]:
    """The message and the hint of a failed resolution."""
    causes = list(dict.fromkeys(_causes(failure)))
    causes.sort(key=lambda cause: cause.skill != "")
    sentences = [_sentence(cause, universe) for cause in causes[:MOST_SENTENCES]]
    return f"No versions fit: {'; '.join(sentences)}.", _hint(causes, wishes, universe)


def _causes(failure: Incompatibility) -> Iterator[Required]:
    """The requirements that a conclusion rests on."""
    waiting, seen = [failure], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each.cause, Derived):
            waiting += [each.cause.other, each.cause.one]
        elif each.cause is not None:
            yield each.cause


def _sentence(cause: Required, universe: Universe) -> str:
    who = f"{cause.skill} {_spoken(cause.versions)} requires" if cause.skill else "you ask for"
    wanted = f"{cause.other} {cause.wanted or '*'}"
    there = [one.version for one in universe.get(cause.other, ())]
    if not there:
        return f"{who} {wanted}, and there is no skill {cause.other}"
    if not _fitting(there, cause.wanted):
        return f"{who} {wanted}, and there {'is' if len(there) == 1 else 'are'} only {_listed(there)}"
    return f"{who} {wanted}"


def _hint(causes: list[Required], wishes: Wishes, universe: Universe) -> str:
    """What would help: a name that was meant, versions that are there, or ranges that overlap."""
    for cause in causes:
        if cause.other not in universe or not universe[cause.other]:
            near = get_close_matches(
                cause.other, [name for name, there in universe.items() if there], 1, 0.75
            )
            meant = f"Did you mean {near[0]}? " if near else ""
            return f"{meant}Check the name, or publish {cause.other} first."
    for cause in causes:
        there = [one.version for one in universe[cause.other]]
        if not _fitting(there, cause.wanted):
            who = "ask" if not cause.skill else f"let {cause.skill} ask"
            newest = newest_first(there)[0]
            return f"{who.capitalize()} for {cause.other} {newest}, or publish a version that fits."
    asked = [name for name in wishes if any(cause.other == name and not cause.skill for cause in causes)]
    clashes = sorted(
        {cause.other for cause in causes if sum(each.other == cause.other for each in causes) > 1}
    )
    about = f" that agree on {clashes[0]}" if clashes else ""
    return f"Ask for other versions of {' or '.join(asked or sorted(wishes))}{about}."


def _fitting(there: list[str], wanted: str) -> bool:
    fitting = VersionRange.parse(wanted)
    return not fitting.clauses or any(fitting.matches(version) for version in there)


def _spoken(states: States) -> str:
    versions = sorted((state for state in states if state is not None), key=Version.parse)
    if len(versions) > SHOWN_VERSIONS:
        return f"{versions[0]} to {versions[-1]}"
    return ", ".join(versions)


def _listed(versions: list[str]) -> str:
    newest = newest_first(versions)
    more = f" and {len(newest) - SHOWN_VERSIONS} older" if len(newest) > SHOWN_VERSIONS else ""
    return ", ".join(newest[:SHOWN_VERSIONS]) + more
