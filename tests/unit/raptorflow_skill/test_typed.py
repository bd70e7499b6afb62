"""Actions whose input and output are dataclasses."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from raptorflow_skill.errors import SkillError
from raptorflow_skill.typed import on_json, read, written


@dataclass
class Column:
    name: str
    unit: str | None = None


@dataclass
class Given:
    table: Path
    columns: list[Column]
    order: Literal["up", "down"] = "up"
    factor: float = 1.0
    limits: dict[str, int] = field(default_factory=dict[str, int])
    strict: bool = False


@dataclass
class Told:
    answer: str
    file: Path
    rows: tuple[Column, ...] = ()


def test_an_input_becomes_its_dataclass() -> None:
    given = {"table": "in/a.csv", "columns": [{"name": "x", "unit": None}], "factor": 2, "limits": {"a": 1}}
    assert read(Given, given) == Given(Path("in/a.csv"), [Column("x")], "up", 2.0, {"a": 1})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": 3}, "input.table is 3, and has to be a path"),
        ({"columns": [{"name": "x"}, {"unit": "m"}]}, "input.columns[1].name is missing"),
        ({"columns": "x"}, "input.columns is 'x', and has to be a list"),
        ({"order": "sideways"}, "has to be one of 'up', 'down'"),
        ({"factor": True}, "input.factor is True, and has to be a number"),
        ({"limits": {"a": "b"}}, "input.limits.a is 'b', and has to be a whole number"),
        ({"strict": 1}, "has to be true or false"),
        ({"colour": "red"}, "input.colour is not known"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SkillError) as refused:
        read(Given, {"table": "a.csv", "columns": [], **change})
    assert words in refused.value.message
    assert refused.value.code == "input-invalid"


def test_an_output_becomes_json() -> None:
    told = Told("done", Path("out/a.csv"), (Column("x", "m"),))
    rows = [{"name": "x", "unit": "m"}]
    assert written(told) == {"answer": "done", "file": "out/a.csv", "rows": rows}
    with pytest.raises(TypeError, match="returns an object"):
        written([told])


def test_a_function_without_a_type_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="does not state the type"):
        on_json(lambda given: written(given))


def test_a_typed_action_runs_as_any_other() -> None:
    code = """
from dataclasses import dataclass
from raptorflow_skill import action, typed

@dataclass
class Given:
    text: str

@dataclass
class Told:
    words: int

def main(given: Given) -> Told:
    return Told(len(given.text.split()))

action.run(typed.on_json(main))
"""

    def run(given: bytes) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=False)

    assert json.loads(run(b'{"text": "one two"}').stdout) == {"words": 2}
    refused = run(b'{"text": 2}')
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "input-invalid"
