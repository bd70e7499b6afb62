"""Records a command in a real terminal and draws what it showed as an SVG for the README.

    python tools/record.py docs/images/demo.svg raptorflow demo "which campaign should get more budget?"

The command runs under a pseudo-terminal of 100 columns; the picture is its last screen, colours and all.
"""

import io
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pexpect
from rich.console import Console
from rich.text import Text

COLUMNS = 100
LINES = 60
LIMIT_SECONDS = 300
CLEAR_LINE = "\x1b[2K"
# The animation of something that was waited for.
SPINNER = re.compile("[\u2801-\u28ff]")
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
CURSOR_UP = "\x1b[1A"


def record(command: list[str]) -> str:
    """Everything the command wrote to its terminal, escape sequences included."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    untyped: Any = pexpect
    output = untyped.run(
        shlex.join(command),
        timeout=LIMIT_SECONDS,
        env=environment,
        dimensions=(LINES, COLUMNS),
        encoding="utf-8",
    )
    return str(output)


def last_screen(output: str) -> list[str]:
    """The lines that were left standing after the live parts had redrawn themselves."""
    lines = [""]
    for part in output.replace("\r\n", "\n").split("\n"):
        for _ in range(part.count(CURSOR_UP)):
            lines = lines[:-1] or [""]
        lines[-1] = part.rsplit(CLEAR_LINE, 1)[-1].rsplit("\r", 1)[-1] or lines[-1]
        lines.append("")
    return lines


def main() -> None:
    """Record `argv[2:]` into the SVG file `argv[1]`."""
    target, command = Path(sys.argv[1]), sys.argv[2:]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold green]$[/] {shlex.join(command)}", highlight=False)
    for line in last_screen(record(command)):
        if not SPINNER.search(line):
            console.print(Text.from_ansi(line))
    target.parent.mkdir(parents=True, exist_ok=True)
    # The picture must not fetch fonts from anywhere.
    target.write_text(FONT_FACE.sub("", console.export_svg(title="RaptorFlow")))


if __name__ == "__main__":
    main()
