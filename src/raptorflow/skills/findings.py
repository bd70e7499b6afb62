"""Findings: what is wrong, where, and how to mend it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from raptorflow.skills.text import printable

MAX_FINDINGS = 200
# A sentence may quote what a skill says; nobody reads more of it.
MAX_SENTENCE = 500


class Finding(BaseModel):
    """One problem of a skill.

    Attributes:
        code: stable, `skill/name-missing`.
        line: counted from 1; None when the whole file is meant.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Literal["error", "warning"]
    file: str
    line: int | None
    message: str
    remedy: str

    def where(self) -> str:
        """`SKILL.md:3`, or the file alone."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Findings:
    """Collects findings while a skill is read, as many as a person may read."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def error(self, code: str, file: str, message: str, remedy: str, line: int | None = None) -> None:
        """Something that makes the skill invalid."""
        self._add("error", code, file, message, remedy, line)

    def warning(self, code: str, file: str, message: str, remedy: str, line: int | None = None) -> None:
        """Something a client may stumble over."""
        self._add("warning", code, file, message, remedy, line)

    def errors(self) -> list[Finding]:
        """The findings that make the skill invalid."""
        return [finding for finding in self.all if finding.severity == "error"]

    def _add(
        self,
        severity: Literal["error", "warning"],
        code: str,
        file: str,
        message: str,
        remedy: str,
        line: int | None,
    ) -> None:
        # An error is always kept where there is none yet, so that no flood of warnings hides it.
        if len(self.all) >= MAX_FINDINGS and (severity == "warning" or self.errors()):
            return
        self.all.append(
            Finding(
                code=f"skill/{code}",
                severity=severity,
                file=printable(file),
                line=line,
                message=_sentence(message),
                remedy=_sentence(remedy),
            )
        )


def _sentence(text: str) -> str:
    """The text as a terminal may show it, and not without end."""
    return printable(text if len(text) <= MAX_SENTENCE else f"{text[:MAX_SENTENCE]}…")
