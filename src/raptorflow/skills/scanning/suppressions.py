"""Findings that someone has looked at and allows, with a reason.

The author allows one in the skill itself, on its line or the line above:
`# raptorflow: allow scan/<code> because <reason>`, in Markdown inside of `<!-- … -->`. Since an author must
not silence their own malware, that never allows a critical finding, and a skill with an allowed high one is
still reviewed. Whoever scans allows anything in a baseline file that lies outside of the skill.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from raptorflow.base.errors import InvalidInput
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.scanning.model import Threat
from raptorflow.skills.scanning.subject import Source
from raptorflow.skills.text import printable
from raptorflow.skills.toml import read_toml

MAX_BASELINE = 1024 * 1024
MAX_REASON = 200
_INLINE = re.compile(
    r"(?:#|//|<!--|--)[ \t]*raptorflow:[ \t]*allow[ \t]+(scan/[a-z-]{1,60})(?:[ \t]+because[ "
    r"\t]+([^\n]{1,400}))?"
)


class BaselineInvalid(InvalidInput):
    """A baseline file cannot be read."""

    code = "baseline-invalid"
    default_hint = 'Write [[allow]] tables with code = "scan/…", file = "…" and reason = "…".'


@dataclass(frozen=True)
class Allowed:
    """One allowance: `skill` and `file` are any when empty; `line` is any when None."""

    code: str
    file: str
    reason: str
    line: int | None = None
    skill: str = ""


def inline(sources: Iterable[Source]) -> tuple[list[Allowed], list[Threat]]:
    """What the skill itself allows, and the allowances that give no reason."""
    allowed: list[Allowed] = []
    faulty: list[Threat] = []
    for source in sources:
        if source.fenced or "raptorflow:" not in source.text:
            continue
        for number, line in enumerate(source.text.split("\n"), 1):
            for code, reason in _INLINE.findall(line[:2000]):
                told = reason.replace("-->", "").strip()
                if told:
                    allowed += [
                        Allowed(code, source.path, told[:MAX_REASON], place) for place in (number, number + 1)
                    ]
                else:
                    faulty.append(_without_reason(source.path, number, code))
    return allowed, faulty


def read_baseline(path: Path) -> list[Allowed]:
    """The allowances of a baseline file.

    Raises:
        BaselineInvalid: it cannot be read, or an entry has no code or no reason.
    """
    try:
        document = read_toml(path, MAX_BASELINE)
    except (OSError, ValueError) as error:
        raise BaselineInvalid(f"{path} cannot be read: {printable(str(error))[:200]}.") from error
    return [_entry(path, place, entry) for place, entry in enumerate(as_list(document.get("allow")) or (), 1)]


def _entry(path: Path, place: int, entry: object) -> Allowed:
    values = as_mapping(entry) or {}
    texts = {key: values.get(key, "") for key in ("code", "file", "reason", "skill")}
    if (
        not all(isinstance(text, str) for text in texts.values())
        or not texts["code"]
        or not texts["reason"].strip()
    ):
        raise BaselineInvalid(f"Entry {place} of {path} has no code or no reason.")
    line = cast("Any", values.get("line"))
    return Allowed(texts["code"], texts["file"], texts["reason"][:MAX_REASON], line, texts["skill"])


@dataclass(frozen=True)
class Sorted:
    """Findings after the allowances.

    Attributes:
        counted: what makes the verdict.
        allowed: what is shown with its reason and counts no more.
        at_least_review: whether the author allowed something that a person should see.
    """

    counted: list[Threat]
    allowed: list[Threat]
    at_least_review: bool


def allow(
    threats: Sequence[Threat], own: Sequence[Allowed], baseline: Sequence[Allowed], skill: str
) -> Sorted:
    """Take out what is allowed; see the rule at the top."""
    counted: list[Threat] = []
    allowed: list[Threat] = []
    high = False
    for threat in threats:
        by_reader = next((one for one in baseline if _fits(one, threat, skill)), None)
        by_author = next((one for one in own if _fits(one, threat, skill)), None)
        if by_reader:
            allowed.append(_shown(threat, by_reader, "your baseline"))
        elif by_author and threat.severity != "critical":
            high = high or threat.severity == "high"
            allowed.append(_shown(threat, by_author, "the author"))
        else:
            counted.append(threat)
    return Sorted(counted, allowed, high)


def _fits(allowance: Allowed, threat: Threat, skill: str) -> bool:
    return (
        allowance.code == threat.code
        and allowance.file in {"", threat.file}
        and allowance.line in {None, threat.line}
        and allowance.skill in {"", skill}
    )


def _shown(threat: Threat, allowance: Allowed, by: str) -> Threat:
    told = f"{threat.message} Allowed by {by} ({threat.severity}): {printable(allowance.reason)}"
    return threat.model_copy(update={"severity": "low", "message": told})


def _without_reason(path: str, line: int, code: str) -> Threat:
    return Threat(
        code="scan/allowed-without-reason",
        severity="low",
        file=printable(path),
        line=line,
        message=f"{code} is allowed here without a reason, so it still counts.",
        remedy=f"Write `raptorflow: allow {code} because …`.",
    )
