"""What the rules know of a skill besides its calls."""

import re
from dataclasses import dataclass
from functools import cached_property

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.program import Call, Program
from raptorflow.skills.scanning.python.value import HOLE
from raptorflow.skills.scanning.subject import Source, Subject
from raptorflow.skills.text import printable

SHOWN = 90
LEAST_NAME = 5
_TOLD = re.compile(
    r"\b(?:cron(?:tab)?s?|launchd|launch ?agents?|systemd|autostart|at (?:login|boot|startup)|shell profile|"
    r"background service)\b"
)


@dataclass(frozen=True)
class Context:
    """A skill and the walk through its Python."""

    subject: Subject
    program: Program

    @cached_property
    def documentation(self) -> str:
        """What the skill tells its reader, lower-cased."""
        pages = [source.text for source in self.subject.written_in("markdown") if not source.fenced]
        return f"{self.subject.description}\n{''.join(pages)}".lower()

    def documents(self, host: str) -> bool:
        """Whether the skill's own pages name a host."""
        return bool(host) and host.removeprefix("www.") in self.documentation

    def tells_of(self, path: str) -> bool:
        """Whether the skill's own pages name a file that it writes, or what such files are for."""
        name = path.rpartition("/")[2].lower().strip(HOLE)
        named = len(name) > LEAST_NAME and name in self.documentation
        return named or bool(_TOLD.search(self.documentation))

    @cached_property
    def calls_by_source(self) -> dict[Source, list[Call]]:
        """The calls that each source makes."""
        found: dict[Source, list[Call]] = {}
        for call in self.program.calls:
            found.setdefault(call.source, []).append(call)
        return found


def threat(call: Call, code: str, severity: Severity, message: str, remedy: str) -> Threat:
    """A sign of harm at a call."""
    return threat_at(call.source, call.line, code, severity, message, remedy)


def threat_at(source: Source, line: int, code: str, severity: Severity, message: str, remedy: str) -> Threat:
    """A sign of harm at a line of a source."""
    return Threat(
        code=f"scan/{code}",
        severity=severity,
        file=printable(source.path),
        line=line,
        message=message,
        remedy=remedy,
    )


def excerpt(text: str) -> str:
    """A text as evidence: on one line, printable and short."""
    flat = re.sub(r"\s+", " ", text[: SHOWN * 4].replace(HOLE, "…")).strip()
    return printable(flat if len(flat) <= SHOWN else f"{flat[:SHOWN]}…")
