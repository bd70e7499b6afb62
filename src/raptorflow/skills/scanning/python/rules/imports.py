"""What happens when a module is only imported or a package only installed, and what it depends on."""

import re
from collections.abc import Iterator

from raptorflow.skills.pep723 import opening_line, script_metadata
from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.hosts import host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity, Use
from raptorflow.skills.scanning.python.context import Context, excerpt, threat, threat_at
from raptorflow.skills.scanning.python.network import NETWORK_CALLS, url_of
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.rules.commands import command_line, command_of, starts_program
from raptorflow.skills.scanning.subject import Source

_RUNS_BY_ITSELF = re.compile(r"(?:^|/)(?:__init__|conftest|sitecustomize|usercustomize|setup)\.py$|\.pth$")
_INSTALLS = re.compile(
    r"\bpip3?\s+install\b|\buv\s+(?:pip\s+install|add)\b|\bnpm\s+i(?:nstall)?\b|\bapt(?:-get)?\s+install\b"
)
_HARMLESS = re.compile(r"^(?:git|which|uname|python3?|node|sw_vers|ffmpeg|ffprobe|pip3?|uv|npm)\b")
_DIRECT = re.compile(
    r"^\s*[A-Za-z0-9._-]+(?:\[[^\]]{0,80}\])?\s*@\s*(\S{1,400})|^\s*-e\s+(\S{1,400})|^\s*(git\+\S{1,400}|https?://\S{1,400})"
)
REMEDY = "Move it into a function that the skill calls when it is asked to."


def imports(context: Context) -> Iterator[Seen]:
    """Side effects of importing, and dependencies that no index vouches for."""
    for call in context.program.calls:
        if call.at_import and not call.source.fenced and _RUNS_BY_ITSELF.search(call.source.path):
            yield from _by_itself(call)
    for source in context.subject.sources:
        if source.fenced:
            continue
        if source.language == "python":
            yield from _script(source)
        elif re.search(r"(?:^|/)requirements[\w.-]*\.(?:txt|in)$", source.path):
            lines = source.text.split("\n")
            yield from (
                part for number, line in enumerate(lines, 1) for part in _dependency(source, line, number)
            )


def _by_itself(call: Call) -> Iterator[Seen]:
    line = command_line(command_of(call)) if starts_program(call) else ""
    reaches = call.name in NETWORK_CALLS or (call.name in {"exec", "eval"} and not call.argument(0).known)
    if reaches or (starts_program(call) and not _HARMLESS.match(line) and not _INSTALLS.search(line)):
        yield threat(
            call, "import-side-effect", "high",
            f"`{call.name}` runs as soon as {excerpt(call.source.path)} is imported or installed, before "
            f"anything is asked of it: "
            f"{excerpt(line or url_of(call).text)}", REMEDY,
        )  # fmt: skip


def _script(source: Source) -> Iterator[Seen]:
    try:
        metadata = script_metadata(source.text)
    except ValueError as error:
        if "names a URL" in str(error):
            line = opening_line(source.text) or 1
            yield _direct(source, line, str(error), "medium")
        return
    for dependency in metadata.dependencies if metadata else ():
        name = re.split(r"[\s\[<>=!~;@]", dependency, maxsplit=1)[0]
        yield Use("package", name.lower(), source.path, opening_line(source.text) or 1)


def _dependency(source: Source, line: str, number: int) -> Iterator[Seen]:
    if found := _DIRECT.match(line[:1000]):
        url = next(filter(None, found.groups()))
        kind = kind_of_host(host_of(url))
        if url.startswith(("git+", "http")):
            yield _direct(
                source, number, url, "high" if kind in {"address", "tunnel", "paste", "catcher"} else "low"
            )


def _direct(source: Source, line: int, what: str, severity: Severity) -> Seen:
    return threat_at(
        source, line, "direct-dependency", severity,
        f"A dependency comes from an address and not from an index: {excerpt(what)}. What it holds can "
        f"change any day.",
        "Name a release on the package index, with its version.",
    )  # fmt: skip
