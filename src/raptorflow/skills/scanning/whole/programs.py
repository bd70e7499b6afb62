"""Programs: the files of a skill's code that use each other, in whatever language."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from raptorflow.skills.scanning.languages import is_code
from raptorflow.skills.scanning.places import is_test
from raptorflow.skills.scanning.subject import Source, Subject

MAX_FILES = 400
_BUILT = re.compile(r"(?:^|/)(?:dist|vendor|third_party|node_modules)/|\.min\.js$", re.IGNORECASE)
_USES = re.compile(
    r"\b(?:import|from|require|source|include|use|load)\b[^\n]{0,200}|^[ \t]*\.\s[^\n]{1,200}", re.MULTILINE
)
_WORD = re.compile(r"[\w-]{2,}")
_JOINED = re.compile(r"['\"`]\s*[,/+]\s*['\"`]")


@dataclass(frozen=True)
class Program:
    """Files that belong together."""

    sources: tuple[Source, ...]

    @cached_property
    def text(self) -> str:
        """All of them."""
        return "\n".join(source.text for source in self.sources)

    @cached_property
    def joined(self) -> str:
        """All of them, with the parts of paths put together that stand beside each other."""
        return _JOINED.sub("/", self.text)


def programs(subject: Subject) -> list[Program]:
    """A skill's programs; tests and what was built are left out."""
    sources = [
        source for source in subject.sources if not source.fenced and is_code(source.path, source.language)
    ]
    kept = [one for one in sources if not is_test(one.path) and not _BUILT.search(one.path)][:MAX_FILES]
    return [Program(tuple(group)) for group in _groups(kept)]


def _groups(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """What names each other, directly or by way of others."""
    by_stem: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        by_stem.setdefault(source.path.rpartition("/")[2].partition(".")[0], []).append(place)
    neighbours: list[set[int]] = [set() for _ in sources]
    for place, source in enumerate(sources):
        for use in _USES.findall(source.text):
            for other in (other for word in _WORD.findall(use) for other in by_stem.get(word, ())):
                neighbours[place].add(other)
                neighbours[other].add(place)
    seen: set[int] = set()
    for start in range(len(sources)):
        group, waiting = list[int](), [start]
        while waiting:
            place = waiting.pop()
            if place not in seen:
                seen.add(place)
                group.append(place)
                waiting += neighbours[place]
        if group:
            yield [sources[place] for place in sorted(group)]
