"""The prose of a skill: what it says to an agent and to people, without the code in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from raptorflow.skills.scanning.fences import fenced_blocks
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.context import excerpt, threat_at
from raptorflow.skills.scanning.quoting import Surroundings, negated
from raptorflow.skills.scanning.subject import Source, Subject

MAX_LINE = 4000
# A heading, an item of a list, a row of a table, a quotation, a field or a tag begins something of its own.
_BEGINS = re.compile(r"\s*(?:#|[-*+]\s|\d{1,9}[.)]\s|\||>|<|[\w-]+:\s|---)")


@dataclass(frozen=True)
class Line:
    """A line of prose, with those that it goes on from.

    Attributes:
        number: counted from 1, in the file.
        text: at most 4,000 characters.
        starts: where each further line that was put behind begins in the text, and its number.
    """

    number: int
    text: str
    starts: tuple[tuple[int, int], ...] = ()

    def part(self, at: int) -> "Line":
        """What begins at a place of the text, with the line of the file that it stands on."""
        number = next((line for place, line in reversed(self.starts) if place <= at), self.number)
        return Line(number, self.text[at:])


@dataclass(frozen=True)
class Page:
    """A file of prose and what is around it."""

    source: Source
    around: Surroundings

    @cached_property
    def low(self) -> str:
        """The text in lower case."""
        return self.source.text.lower()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Lines outside of fenced blocks, those that say nothing left out."""
        hidden: set[int] = set()
        if self.source.language == "markdown":
            for block in fenced_blocks(self.source.text):
                hidden.update(range(block.first_line, block.first_line + block.text.count("\n") + 1))
        numbered = enumerate(self.source.text.split("\n"), self.source.first_line)
        return tuple(Line(n, text[:MAX_LINE]) for n, text in numbered if n not in hidden and text.strip())

    @cached_property
    def paragraphs(self) -> tuple[Line, ...]:
        """The same, with lines that only go on put behind those that they go on from."""
        joined: list[Line] = []
        end = 0
        for line in self.lines:
            goes_on = line.number == end + 1 and joined and not _BEGINS.match(line.text)
            if goes_on and len(joined[-1].text) + len(line.text) < MAX_LINE:
                last = joined[-1]
                starts = (*last.starts, (len(last.text) + 1, line.number))
                joined[-1] = Line(last.number, f"{last.text} {line.text.strip()}", starts)
            else:
                joined.append(line)
            end = line.number
        return tuple(joined)

    @property
    def is_instructions(self) -> bool:
        """Whether the agent reads it as instructions: `SKILL.md` and other Markdown, not code."""
        return self.source.language == "markdown"

    def is_told(self, line: Line, at: int) -> bool:
        """Whether what begins at a place of a line is quoted, denied, or told of as something bad."""
        if negated(line.text, at):
            return True
        before = line.text[:at]
        quoted = any(before.count(mark) % 2 for mark in '"`“') and at > 0
        if quoted and self.around.tells(self.source, line.number, least=1):
            return True
        return self.around.tells(self.source, line.number) and (
            self.around.about_security or line.text.lstrip().startswith(("|", "-", "*", ">", "#"))
        )

    def sign(self, line: Line, code: str, severity: Severity, message: str, remedy: str) -> Threat:
        """A sign of harm with its evidence."""
        evidence = f"{message} (“{excerpt(line.text.strip())}”)"
        return threat_at(self.source, line.number, code, severity, evidence, remedy)


def pages(subject: Subject) -> Iterator[Page]:
    """Every text of a skill: an agent may come to read what tools, data and pictures say, too."""
    around = Surroundings(subject)
    for source in subject.sources:
        # Commands that were dug up stood in a page that was read already.
        is_prose = source.language in {"markdown", "text"}
        if source.text.strip() and (is_prose or not subject.whole):
            yield Page(source, around)
