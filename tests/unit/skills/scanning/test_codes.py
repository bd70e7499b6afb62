"""Every code that the scanner can give stands in the catalogue, and on the page made from it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import raptorflow.skills.scanning as package
from raptorflow.skills.scanning.codes import CODES

REPOSITORY = Path(__file__).parents[4]
PAGE = REPOSITORY / "docs/reference/scan-findings.md"
ROW = re.compile(r"^\| `scan/([a-z-]+)` \| (.+) \|$", re.MULTILINE)
# What makes a threat, with the place of the code among its arguments.
MAKERS = {
    "threat": 1,
    "threat_at": 2,
    "sign": 1,
    "_rule": 0,
    "_at": 3,
    "_threat": 0,
    "Rule": 0,
    "_sign": 1,
    "_mark": 0,
}
CODE = re.compile(r"(?:scan/)?([a-z]+(?:-[a-z]+)*)")


def given_codes() -> Iterator[tuple[str, str]]:
    """Each code that a call in the scanner names, with the file."""
    for folder in package.__path__:
        for file in sorted(Path(folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call):
                    yield from ((code, file.name) for code in codes_of(node))


def codes_of(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = MAKERS.get(name, -1)
    named = [part.value for part in call.keywords if part.arg == "code"]
    for part in [*call.args[place : place + 1], *named] if place >= 0 or name == "Threat" else []:
        if (
            isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and (found := CODE.fullmatch(part.value))
        ):
            yield found[1]


def test_every_code_that_is_given_is_in_the_catalogue() -> None:
    given = list(given_codes())
    assert len({code for code, _ in given}) > 30
    assert [(code, file) for code, file in given if code not in CODES] == []


def test_every_code_of_the_catalogue_is_given_somewhere() -> None:
    sources = "".join(
        file.read_text()
        for folder in package.__path__
        for file in Path(folder).rglob("*.py")
        if file.name != "codes.py"
    )
    assert [code for code in CODES if f'"{code}"' not in sources and f"scan/{code}" not in sources] == []


def test_the_page_lists_the_catalogue_word_for_word() -> None:
    assert dict(ROW.findall(PAGE.read_text())) == dict(CODES)
