"""Reports as SARIF 2.1.0, for code hosts and editors.

The format is that of https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from raptorflow.base.json import JsonObject
from raptorflow.skills.scanning.model import Report, Severity, Threat

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}


def as_sarif(reports: Iterable[tuple[str, Report]]) -> JsonObject:
    """One document over the reports, each given with its folder's path."""
    found = [(folder, threat) for folder, report in reports for threat in report.findings]
    codes = sorted({threat.code for _, threat in found})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "raptorflow-scan", "rules": [{"id": code} for code in codes]}},
                "results": [_result(folder, threat) for folder, threat in found],
            }
        ],
    }


def _result(folder: str, threat: Threat) -> JsonObject:
    place: JsonObject = {"artifactLocation": {"uri": quote(f"{folder}/{threat.file}".removeprefix("./"))}}
    if threat.line is not None:
        place["region"] = {"startLine": threat.line}
    return {
        "ruleId": threat.code,
        "level": _LEVELS[threat.severity],
        "message": {"text": f"{threat.message} {threat.remedy}"},
        "locations": [{"physicalLocation": place}],
    }
