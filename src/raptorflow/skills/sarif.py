"""Findings as SARIF 2.1.0, for code hosts and editors (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""

from collections.abc import Iterable
from typing import Protocol
from urllib.parse import quote

from raptorflow.base.json import JsonObject

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    "error": "error",
    "critical": "error",
    "high": "error",
    "warning": "warning",
    "medium": "warning",
    "low": "note",
}


class Located(Protocol):
    """A finding of any check."""

    @property
    def code(self) -> str:
        """Stable: `skill/name-missing`."""
        ...

    @property
    def severity(self) -> str:
        """One of `LEVELS`."""
        ...

    @property
    def file(self) -> str:
        """Relative to the skill's folder."""
        ...

    @property
    def line(self) -> int | None:
        """Counted from 1; None for the whole file."""
        ...

    @property
    def message(self) -> str:
        """What is wrong."""
        ...

    @property
    def remedy(self) -> str:
        """How to mend it."""
        ...


def document(tool: str, version: str, found: Iterable[tuple[str, Located]]) -> JsonObject:
    """One document over findings, each with its skill's folder."""
    listed = list(found)
    rules = {finding.code: finding for _, finding in reversed(listed)}
    driver: JsonObject = {
        "name": tool,
        "version": version,
        "informationUri": "https://github.com/raptorflow/raptorflow",
        "rules": [_rule(rules[code]) for code in sorted(rules)],
    }
    results = [_result(folder, finding) for folder, finding in listed]
    run: JsonObject = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Located) -> JsonObject:
    words = finding.code.rpartition("/")[2].replace("-", " ")
    return {
        "id": finding.code,
        "shortDescription": {"text": words},
        "help": {"text": finding.remedy},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
    }


def _result(folder: str, finding: Located) -> JsonObject:
    path = folder if finding.file == "." else f"{folder}/{finding.file}"
    place: JsonObject = {"artifactLocation": {"uri": quote(path.removeprefix("./"))}}
    if finding.line is not None:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.code,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.remedy}"},
        "locations": [{"physicalLocation": place}],
    }
