"""Links of a `SKILL.md` to files of its skill."""

import re
from collections.abc import Collection
from urllib.parse import unquote

from raptorflow.skills.findings import Findings
from raptorflow.skills.frontmatter import FILE, Document

_LINK = re.compile(r"\]\(\s{0,8}<?([^()\s<>]{1,300})>?")
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_CODE = re.compile(r"`[^`]*`")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#|/")


def check_links(document: Document, files: Collection[str], findings: Findings) -> None:
    """Warn of each relative link in the body to a file that the skill does not have."""
    folders = {path[:place] for path in files for place, each in enumerate(path) if each == "/"}
    is_code = False
    for number, line in enumerate(document.body.split("\n"), document.body_line):
        is_code ^= bool(_FENCE.match(line))
        if is_code:
            continue
        for target in _LINK.findall(_CODE.sub("", line)):
            path = unquote(target.partition("#")[0].partition("?")[0]).removeprefix("./").rstrip("/")
            if not _ELSEWHERE.match(target) and path not in files and path not in folders:
                message = f"The link to {target[:80]} leads nowhere."
                findings.warning("link-missing", FILE, message, "Add the file, or mend the link.", number)
