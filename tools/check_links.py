"""Checks that relative links in the documents lead to a file, and their anchors to a heading.

python tools/check_links.py
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^//", re.IGNORECASE)


def documents() -> list[Path]:
    """Every Markdown file that git knows or would add, but for sample skills."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return [Path(line) for line in listed.stdout.splitlines() if Path(line).exists()]


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    text = FENCE.sub("", document.read_text())
    found: set[str] = set()
    for heading in HEADING.findall(text):
        words = re.sub(r"[^\w\- ]", "", str(heading).lower())
        found.add(words.strip().replace(" ", "-"))
    return found


def broken(document: Path) -> Iterator[str]:
    """The links of a document that lead nowhere, one sentence each."""
    text = CODE.sub("", FENCE.sub("", document.read_text()))
    for match in LINK.finditer(text):
        target = unquote(match.group(1) or match.group(2))
        if ELSEWHERE.match(target):
            continue
        path, _, anchor = target.partition("#")
        file = document if not path else document.parent / path
        if not file.exists():
            yield f"{document}: {target}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            yield f"{document}: {target}: no such heading"


def main() -> int:
    """Print every broken link; 1 when there is one."""
    files = documents()
    found = [sentence for document in files for sentence in broken(document)]
    for sentence in found:
        print(sentence)
    print(f"{len(files)} documents, {len(found)} broken links")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
