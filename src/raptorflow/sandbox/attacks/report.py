"""The security report: attacks by drivers, one page of Markdown, made from results and nothing else."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raptorflow.base.clock import utc_now
from raptorflow.sandbox.attacks.catalogue.everything import ATTACKS
from raptorflow.sandbox.attacks.model import OUTCOMES
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.versions import versions

Results = Mapping[str, Any]
GROUPS = {
    "R": "Resources",
    "F": "Files",
    "P": "Privileges and the kernel",
    "N": "Network",
    "S": "Secrets and identity",
    "L": "Lifecycle and control",
}
COLUMNS = (
    *("driver", "what stands between", "date", "as", "attacks", "unexpected"),
    *("controls dead", "do not apply", "not tried"),
)
HEAD = """# Security report of the sandboxes

Every attack of the list against each driver, as it was tried on the day and machine named below. This page is
made from results: `raptorflow sandbox attack --driver DRIVER --json` for each driver, then once more with
`--merge FILE --report docs/reference/sandbox-security.md`. Do not edit it by hand.

Each attack has a positive control, tried in the same run: the same code where the guard is missing, which
must succeed. An attack whose control fails proves nothing and is counted as such. An attack that was
not tried is never counted as survived.
"""


async def circumstances(stage: Stage) -> dict[str, Any]:
    """Under which circumstances attacks were tried, JSON-ready."""
    return {
        "date": utc_now().date().isoformat(),
        "boundary": stage.boundary,
        "user": "root" if os.geteuid() == 0 else "an ordinary user",
        "supervised": list(stage.report.weakened),
        "missing": list(stage.report.missing),
        "versions": await versions(stage.settings, stage.report),
    }


def page(results: Sequence[Results]) -> str:
    """The whole page; `results` are what attacks printed as JSON, one for each driver."""
    ordered = sorted(results, key=lambda each: str(each["driver"]))
    parts = [HEAD, *_circumstances(ordered), *_groups(ordered), *_left_out(ordered), *_words()]
    return "\n".join(parts).rstrip() + "\n"


def _circumstances(results: Sequence[Results]) -> Iterator[str]:
    yield "## What was tried\n"
    yield _row(COLUMNS)
    yield "|---" * len(COLUMNS) + "|"
    for each in results:
        numbers = (
            each[key] for key in ("attacks", "unexpected", "controls_dead", "not_applicable", "not_run")
        )
        cells = (each["driver"], each["boundary"], each["date"], each["user"], *numbers)
        yield _row(cells)
    yield ""
    for each in results:
        parts = ", ".join(f"{name} `{_cell(version)}`" for name, version in each["versions"].items())
        yield f"- **{each['driver']}** stood on: {parts}."
        if weaker := [*each["supervised"], *each["missing"]]:
            yield f"  Held by supervision only, or not at all, for this user: {', '.join(weaker)}."
    yield ""


def _groups(results: Sequence[Results]) -> Iterator[str]:
    rows = {str(each["driver"]): _by_id(each) for each in results}
    for letter, title in GROUPS.items():
        yield f"## {title}\n"
        yield _row(("", "attack", "what it tries", "what stops it", *rows))
        yield "|---|" + "---|" * (3 + len(rows))
        for attack in ATTACKS:
            if attack.attack_id.startswith(letter):
                seen = (_seen(found.get(attack.attack_id)) for found in rows.values())
                yield _row((attack.attack_id, attack.title, attack.tries, attack.held_by, *seen))
        yield ""


def _left_out(results: Sequence[Results]) -> Iterator[str]:
    yield "## What does not apply, and what was not tried\n"
    lines = [
        _row((each["driver"], row["attack_id"], row["state"].replace("_", " "), row["evidence"]))
        for each in results
        for row in each["results"]
        if row["state"] in {"not_applicable", "not_run"}
    ]
    if not lines:
        yield "Nothing: every attack was tried.\n"
        return
    yield _row(("driver", "attack", "", "why"))
    yield "|---|---|---|---|"
    yield from lines
    yield ""


def _words() -> Iterator[str]:
    yield "## The outcomes\n"
    yield _row(("outcome", "what it means"))
    yield "|---|---|"
    for name, words in OUTCOMES.items():
        yield _row((f"`{name}`", words))


def _by_id(each: Results) -> dict[str, Results]:
    return {str(row["attack_id"]): row for row in each["results"]}


def _seen(row: Results | None) -> str:
    if row is None or row["state"] == "not_run":
        return "not tried"
    if row["state"] == "not_applicable":
        return "does not apply"
    words = str(row["outcome"])
    if row["state"] == "unexpected":
        words = f"**{words}**, expected {' or '.join(row['expected'])}"
    return words if row["control"] else f"{words}, control dead"


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(_cell(str(cell)) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
