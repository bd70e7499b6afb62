"""The reference page lists every code that a validation can give, and no other."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from raptorflow.skills import findings
from raptorflow.skills.clients.outcomes import CLIENTS

PAGE = Path(__file__).parents[3] / "docs/reference/findings.md"
ROW = re.compile(r"^\| `skill/([a-z0-9-]+)` \| (error|warning) \| (.+) \| (.+) \|$", re.MULTILINE)
SOURCES = Path(findings.__file__).parent
# `f"{key}-missing"` stands for one code a field.
FIELDS = ("description", "compatibility", "license", "allowed-tools")
REPORTS = {"error": 0, "warning": 0, "report": 0, "checked": 3}


def given_codes() -> Iterator[str]:
    """Each code that is reported somewhere, as the source names it."""
    for file in sorted(SOURCES.rglob("*.py")):
        if "scanning" in file.relative_to(SOURCES).parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                place = REPORTS.get(name, len(node.args))
                yield from (code for part in node.args[place : place + 1] for code in spelt_out(part))


def spelt_out(part: ast.expr) -> Iterator[str]:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        yield part.value
    elif isinstance(part, ast.JoinedStr):
        ending = part.values[-1]
        assert isinstance(ending, ast.Constant)
        yield from (f"{field}{ending.value}" for field in FIELDS)


def test_the_page_lists_every_code_once_and_no_other() -> None:
    listed = Counter(code for code, *_ in ROW.findall(PAGE.read_text()))
    assert set(given_codes()) == set(listed)
    assert max(listed.values()) == 1


def test_every_row_of_the_page_is_whole() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `skill/")]
    assert len(rows) == len(ROW.findall(PAGE.read_text()))


def test_the_page_has_a_row_for_every_client() -> None:
    _, _, below = PAGE.read_text().partition("## What each client does")
    assert re.findall(r"^\| `([a-z-]+)` \|", below, re.MULTILINE) == list(CLIENTS)
