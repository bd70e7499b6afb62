"""What the shell's rules share: a sign at a pipeline, and how much it weighs where it stands."""

from dataclasses import dataclass

from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.python.context import excerpt, threat_at
from raptorflow.skills.scanning.quoting import Surroundings
from raptorflow.skills.scanning.shell.words import Pipeline
from raptorflow.skills.scanning.subject import Source

_MILDER: dict[Severity, Severity] = {"critical": "high", "high": "medium", "medium": "low", "low": "low"}


@dataclass(frozen=True)
class Place:
    """A shell text and what is around it."""

    source: Source
    around: Surroundings

    def sign(self, pipeline: Pipeline, code: str, severity: Severity, message: str, remedy: str) -> Threat:
        """A sign of harm with its evidence; what a lesson only tells of is a note."""
        told = self.source.fenced and self.around.tells(self.source, pipeline.line)
        weight: Severity = "low" if told else severity
        return threat_at(
            self.source, pipeline.line, code, weight, f"{message} (`{excerpt(pipeline.raw)}`)", remedy
        )


def milder(severity: Severity) -> Severity:
    """One step down."""
    return _MILDER[severity]
