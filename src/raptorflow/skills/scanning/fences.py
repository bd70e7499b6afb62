"""The fenced blocks of a Markdown text: https://spec.commonmark.org/0.31.2/#fenced-code-blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPENING = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t>]*(`{3,}|~{3,})[ \t]*\{?\.?([\w+#.-]{0,40})")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        info: the language it says it is in, lower-cased; empty when it says nothing.
        text: what stands between the fences.
        first_line: the line its text begins on, counted from 1.
    """

    info: str
    text: str
    first_line: int


def fenced_blocks(text: str) -> Iterator[Block]:
    """Each block; one that is never closed reaches to the end, as in CommonMark."""
    fence, info, first, lines = "", "", 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not fence:
            if ("```" in line or "~~~" in line) and (opening := _OPENING.match(line)):
                fence, info, first, lines = opening[1], opening[2].lower(), number + 1, []
        elif _closes(line, fence):
            yield Block(info, "\n".join(lines), first)
            fence = ""
        else:
            lines.append(line)
    if fence:
        yield Block(info, "\n".join(lines), first)


def _closes(line: str, fence: str) -> bool:
    bare = line.strip(" \t>")
    return len(bare) >= len(fence) and bare == fence[0] * len(bare)
