"""Making one program out of steps, and reading what it said."""

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from raptorflow.base.json import loads

PROGRAM, MODULES = "attack.py", ("prelude.py", "proxy.py")
HEAD = """
import array, ctypes, errno, fcntl, json, mmap, os, resource, select, signal, socket, stat, struct, subprocess
import sys, tempfile, threading, time
from pathlib import Path
from prelude import Absent, LetPast, Refused, bounded, call, libc, reach, run, say
"""
SAID = {"through", "refused", "absent", "broken"}
LINE = b'{"step":'
LONGEST_WORDS = 300
# What a step says that a guard let past to where nobody answers.
LET_PAST = "let past: "


@dataclass(frozen=True)
class Said:
    """What one step said of itself."""

    step: str
    saw: str
    words: str

    @property
    def succeeded(self) -> bool:
        """Whether it got what it wanted, and not merely past the guard; a control must."""
        return self.saw == "through" and not self.words.startswith(LET_PAST)


@cache
def modules() -> Mapping[str, str]:
    """The texts that programs stand on, by file name."""
    folder = files("raptorflow.sandbox.attacks.inside")
    return {name: folder.joinpath(name).read_text() for name in MODULES}


def program(steps: Mapping[str, str], facts: Mapping[str, object], *, apart: bool, outside: bool) -> str:
    """The text of a program that takes these steps.

    Args:
        steps: name -> the body of a function.
        facts: global names for them, with values that have a literal form.
        apart: each step gets a process of its own.
        outside: it runs without a sandbox, so it limits itself.
    """
    lines = [HEAD, *(f"{name} = {value!r}" for name, value in facts.items())]
    for number, code in enumerate(steps.values()):
        lines += [f"def step_{number}():", textwrap.indent(textwrap.dedent(code).strip(), "    ")]
    if outside:
        lines.append("bounded()")
    table = ", ".join(f"{name!r}: step_{number}" for number, name in enumerate(steps))
    lines.append(f"run({{{table}}}, apart={apart})")
    return "\n".join(lines) + "\n"


def write(folder: Path, text: str) -> None:
    """Put a program and what it stands on into a folder."""
    for name, content in modules().items():
        (folder / name).write_text(content)
    (folder / PROGRAM).write_text(text)


def said(output: bytes) -> dict[str, Said]:
    """The steps' lines; what else was printed is passed over, for it may be anything."""
    found = (_said(line) for line in output.split(b"\n") if line.startswith(LINE))
    return {each.step: each for each in found if each}


def _said(line: bytes) -> Said | None:
    try:
        row = loads(line)
        each = Said(str(row["step"]), str(row["saw"]), clean(str(row["words"])))
    except (ValueError, KeyError, TypeError):
        return None
    return each if each.saw in SAID else None


def clean(text: str) -> str:
    """One printable line."""
    return re.sub(r"[^\x20-\x7e]+", " ", text)[:LONGEST_WORDS].strip()


def together(lines: Iterable[str]) -> str:
    """Sentences as one line of evidence."""
    return "; ".join(dict.fromkeys(line for line in lines if line))
