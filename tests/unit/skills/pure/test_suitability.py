import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.drivers.monty.helper import adapted
from raptorflow.skills.pure.suitability import Obstacle, can_run

FINE = '''"""Adds up what each campaign spent."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from raptorflow_skill import action, progress
from raptorflow_skill.errors import SkillError


@dataclass
class Row:
    name: str
    spent: int


def main(given: dict[str, Any]) -> dict[str, Any]:
    total = defaultdict(int)
    for number, row in enumerate(given["rows"]):
        if row["spent"] < 0:
            raise SkillError("spent-negative", f"Row {number} is negative.", "Leave it out.")
        total[row["name"]] += row["spent"]
        progress.report(number / len(given["rows"]))
    try:
        mean = math.fsum(total.values()) / len(total)
    except ZeroDivisionError:
        mean = 0.0
    return {"total": dict(total), "mean": mean, "most": Counter(total).most_common(1)}


if __name__ == "__main__":
    action.run(main)
'''


def reasons(source: str) -> list[str]:
    return [obstacle.reason for obstacle in can_run(source)]


def test_an_ordinary_action_can_run() -> None:
    assert can_run(FINE) == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import socket", "the module 'socket' is not there"),
        ("import os.path", "the module 'os.path' is not there"),
        ("from subprocess import run", "the module 'subprocess' is not there"),
        ("from .table import rows", "a module of its own is not there"),
        ("from table import rows", "the module 'table' is not there"),
        ("from json import load", "`json.load` is not there"),
        ("from collections.abc import MutableMapping", "`collections.abc.MutableMapping` is not there"),
        ("from collections import *", "`collections.*` is not there"),
        ("import json\njson.load(x)", "`json.load` is not there"),
        ("import sys\nsys.stdin.read()", "`sys.stdin` is not there"),
        ("import sys\nsys.exit(1)", "`sys.exit` is not there"),
        ("from raptorflow_skill import services", "`services` of raptorflow_skill is not there"),
        ("from raptorflow_skill.files import out_path", "`out_path` of raptorflow_skill.files is not there"),
        (
            "import raptorflow_skill.action",
            "`import raptorflow_skill.action`: write `from raptorflow_skill import ...`",
        ),
        ("class A(Exception): pass", "the class A inherits"),
        ("class A(metaclass=type): pass", "the class A inherits"),
        ("class A:\n  @property\n  def b(self): pass", "the method A.b is decorated"),
        ("def f():\n  yield 1", "a generator (`yield`) is not supported"),
        ("def f():\n  yield from g()", "a generator (`yield from`) is not supported"),
        ("del x", "`del` is not supported"),
        ("try:\n  pass\nexcept* ValueError:\n  pass", "`except*` is not supported"),
        ("open('a')", "`open` is not there"),
        ("f = open", "`open` is not there"),
        ("input()", "`input` is not there"),
        ("__import__('os')", "`__import__` is not there"),
        ("super().__init__()", "`super` is not there"),
        ("'{}'.format(1)", "`str.format` is not there"),
        ("def (", "it is not Python that can be read"),
        ("a\0b", "it is not Python that can be read"),
    ],
)
def test_what_stands_against_it_is_said(source: str, reason: str) -> None:
    assert reason in reasons(source)


def test_a_form_feed_is_an_obstacle() -> None:
    assert can_run("x = 1\n\fy = 2\n") == [Obstacle(2, "a form feed")]


def test_every_obstacle_has_its_line() -> None:
    source = "import json\nimport socket\n\ndef f():\n    yield open('a')\n"
    assert [obstacle.line for obstacle in can_run(source)] == [2, 5, 5]


def test_a_name_of_the_script_s_own_is_not_a_builtin() -> None:
    assert can_run("def open(x): return x\nopen(1)") == []
    assert can_run("def f(input): return input") == []
    assert can_run("class json: pass\njson.load = 1") == []


@pytest.mark.parametrize(
    "use",
    [
        "try:\n  f()\nexcept SkillError:\n  pass",
        "x = SkillError",
        "isinstance(x, SkillError)",
        "raise SkillError",
    ],
)
def test_the_helper_s_error_can_only_be_raised(use: str) -> None:
    assert reasons(f"from raptorflow_skill.errors import SkillError\n{use}") == [
        "`SkillError` is used otherwise than to raise it"
    ]


def test_the_helper_s_error_under_another_name_is_known() -> None:
    assert can_run("from raptorflow_skill.errors import SkillError as No\nraise No('a', 'b')") == []
    assert can_run("from raptorflow_skill.errors import SkillError as No\nx = No")
    assert can_run("from raptorflow_skill import errors\nraise errors.SkillError('a', 'b')") == []
    assert can_run("from raptorflow_skill import errors\nx = errors.SkillError")


def test_what_would_catch_the_helper_s_error_by_mistake_is_said() -> None:
    caught = "try:\n  f()\nexcept (KeyError, RuntimeError):\n  pass"
    assert can_run(caught) == []
    assert reasons(f"from raptorflow_skill.errors import SkillError\n{caught}") == [
        "`except RuntimeError` would catch a `SkillError`"
    ]


@given(st.text())
def test_reading_a_script_never_fails(source: str) -> None:
    can_run(source)


def test_adapting_keeps_every_line_where_it_is() -> None:
    text, answers = adapted(FINE)
    assert answers
    assert "raptorflow_skill" not in text
    assert len(text.splitlines()) == len(FINE.splitlines())
    changed = [
        number
        for number, (one, two) in enumerate(zip(FINE.splitlines(), text.splitlines(), strict=True), 1)
        if one != two
    ]
    assert changed == [11, 12]


@pytest.mark.parametrize(
    "source",
    [
        "from raptorflow_skill import (\n    action,\n    errors as e,\n)\nx = 1\n",
        "from collections.abc import (\n    Callable,\n    Mapping as M,\n)\nx: M[str, Callable] = {}\n",
        "é = 'ä'; from raptorflow_skill import action; y = é\n",
        "def f():\n    from raptorflow_skill.action import run as go\n    return go\n",
        "try:\n    from raptorflow_skill import action\nexcept ImportError:\n    action = None\n",
        "if True:\n\tfrom raptorflow_skill import action\n",
    ],
)
def test_what_was_adapted_is_still_python_on_the_same_lines(source: str) -> None:
    text, _ = adapted(source)
    assert len(text.splitlines()) == len(source.splitlines())
    compiled = subprocess.run([sys.executable, "-c", f"compile({text!r}, 'x', 'exec')"], check=False)
    assert compiled.returncode == 0


def test_a_script_without_the_helper_is_left_alone() -> None:
    assert adapted("print(1)\n") == ("print(1)\n", False)
