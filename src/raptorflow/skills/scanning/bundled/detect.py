"""Files that a reader cannot review, or that act by only being there."""

import re
from collections.abc import Iterator

from raptorflow.skills.scanning.bundled.inside import code_in_data, commands, unzipped
from raptorflow.skills.scanning.bundled.kinds import archive_of, is_locked, program_of
from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.model import Severity, Threat
from raptorflow.skills.scanning.quoting import Surroundings
from raptorflow.skills.scanning.subject import Source, Subject
from raptorflow.skills.text import printable

LONG_LINE = 3000
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{400,}")
_BUILT = re.compile(
    r"(?:^|/)(?:dist|build|vendor|third_party|node_modules|lib)/|\.min\.(?:js|css)$|"
    r"bundle",
    re.IGNORECASE,
)
_HOOKS = re.compile(
    r"(?:^|/)\.git/hooks/|(?:^|/)\.(?:claude|codex|cursor|gemini)/(?:settings(?:\.local)?\.json|hooks/|"
    r"mcp\.json)|(?:^|/)\.mcp\.json$|(?:^|/)\.vscode/tasks\.json$|(?:^|/)\.envrc$"
)
_ACTS = re.compile(
    rb"\"(?:command|hooks|runOn|allow|bypassPermissions)\"|^\s*(?:eval|source|curl)\b", re.MULTILINE
)
_INDEXES = re.compile(
    rb"(?:registry|index-url|extra-index-url)\s*=\s*https?://(?!registry\.npmjs\.org|pypi\.org)", re.I
)
_SCRIPT_IN_PICTURE = re.compile(
    rb"<script|\bon(?:load|error|click|begin)\s*=|javascript:|<foreignObject", re.IGNORECASE
)
_SENDS = re.compile(
    rb"fetch\s*\(|XMLHttpRequest|sendBeacon|WebSocket|document\.cookie|localStorage|eval\s*\(", re.I
)
READABLE = "Ship the source, so that a reader can check it."


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs in files as such."""
    for path, content in subject.files.items():
        yield from _binary(path, content)
        yield from _acting(path, content)
        if content.startswith(b"PK\x03\x04"):
            yield from unzipped(path, content)
    around = Surroundings(subject)
    for source in subject.sources:
        if source.language == "text":
            yield from commands(source)
            if not around.about_security:
                yield from code_in_data(source)
        if not source.fenced and source.language in {"python", "javascript", "shell"}:
            yield from _unreadable(source)


def _binary(path: str, content: bytes) -> Iterator[Threat]:
    if kind := program_of(path, content):
        weight: Severity = "high" if kind != "a WebAssembly program" else "medium"
        message = f"{printable(path)} is {kind}: what it does cannot be read."
        yield _threat("binary-program", weight, path, message, READABLE)
    elif kind := archive_of(path, content):
        if is_locked(content):
            message = "The archive opens with a password only, which keeps every scanner out."
            yield _threat("password-archive", "critical", path, message, READABLE)
        elif kind != "zip" and not path.endswith((".whl", ".gz", ".skill")):
            message = f"An archive ({kind}) inside of the skill is not looked into."
            yield _threat("nested-archive", "low", path, message, READABLE)
    if path.lower().endswith((".pkl", ".pickle", ".joblib", ".marshal")):
        message = "A pickle runs code when it is loaded."
        yield _threat("pickle", "medium", path, message, "Use a format that holds data only.")


def _acting(path: str, content: bytes) -> Iterator[Threat]:
    head = content[:200_000]
    if _HOOKS.search(path) and _ACTS.search(head):
        message = f"{printable(path)} makes programs run by only being there."
        yield _threat("hook", "high", path, message, "Leave it out: a skill acts when it is asked.")
    name = path.rpartition("/")[2].lower()
    if name in {
        ".npmrc",
        "pip.conf",
        ".pip",
        "pip.ini",
        "uv.toml",
        ".yarnrc",
        ".yarnrc.yml",
    } and _INDEXES.search(head):
        message = "It takes packages from another index than the public one."
        yield _threat("package-index", "high", path, message, "Name packages of the public index.")
    if name.endswith((".svg", ".html", ".htm")) and _SCRIPT_IN_PICTURE.search(head) and name.endswith(".svg"):
        weight: Severity = "critical" if _SENDS.search(head) else "medium"
        message = "A picture has a script in it."
        yield _threat("script-in-picture", weight, path, message, "Leave the script out.")


def _unreadable(source: Source) -> Iterator[Threat]:
    if _BUILT.search(source.path):
        return
    for number, line in enumerate(source.text.split("\n"), source.first_line):
        if len(line) < LONG_LINE:
            continue
        blob = _TOKEN.search(line)
        weight: Severity = "medium" if blob or line.count(";") > 40 else "low"
        message = f"A line of {len(line):,} characters is nothing that a person reads."
        yield Threat(
            code="scan/unreviewable", severity=weight, file=printable(source.path), line=number,
            message=message, remedy=READABLE,
        )  # fmt: skip
        return


def _threat(code: str, severity: Severity, path: str, message: str, remedy: str) -> Threat:
    return Threat(
        code=f"scan/{code}",
        severity=severity,
        file=printable(path),
        line=None,
        message=message,
        remedy=remedy,
    )
