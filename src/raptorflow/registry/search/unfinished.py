"""A query that is still being typed: its last word may go on. Pure."""

import re
from dataclasses import dataclass

_LAST_WORD = re.compile(r"[^\W_]+\Z")
SHORTEST, LONGEST = 2, 40


@dataclass(frozen=True)
class Unfinished:
    """A query, taken apart before its last word.

    Attributes:
        finished: what stands before it.
        begun: the word's beginning, lower case, letters and digits alone.
    """

    finished: str
    begun: str


def unfinished(query: str) -> Unfinished | None:
    """The query when it ends in a word that is long enough to look for what it begins; else None."""
    found = _LAST_WORD.search(query)
    if found is None or not SHORTEST <= len(found.group()) <= LONGEST:
        return None
    return Unfinished(query[: found.start()], found.group().lower())
