"""What a scan sees in a skill: signals of harm, uses of power, and the report that both become."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["low", "medium", "high", "critical"]
Verdict = Literal["pass", "review", "block"]
Power = Literal["low", "medium", "high"]
UseKind = Literal["network", "secret", "process", "file-outside", "environment", "service", "package"]


class Threat(BaseModel):
    """One sign of harm.

    Attributes:
        code: stable, `scan/reverse-shell`.
        line: counted from 1; None when the whole file is meant.
        message: what was seen, with the evidence, and what it can do.
        remedy: what an honest author changes.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    file: str
    line: int | None
    message: str
    remedy: str


@dataclass(frozen=True)
class Use:
    """One thing that the skill's code does to the world, as far as it can be read off the code.

    Attributes:
        kind: what is used.
        target: the host and port, the variable's name, the program, the path, the operation; `*` when the
            code decides that only while it runs.
        file: where.
        line: counted from 1.
    """

    kind: UseKind
    target: str
    file: str
    line: int


class Report(BaseModel):
    """What a scan found: whether to trust the skill, and what it could do once it is trusted."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    power: Power
    findings: tuple[Threat, ...]
