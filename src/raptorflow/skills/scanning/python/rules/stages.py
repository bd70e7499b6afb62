"""Code in stages: what is downloaded into a file and run from there, and scripts that code writes."""

import re
from collections.abc import Iterator, Sequence

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.hosts import host_of, kind_of_host
from raptorflow.skills.scanning.model import Severity
from raptorflow.skills.scanning.python.context import Context, excerpt, threat
from raptorflow.skills.scanning.python.models import PATH
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.rules.commands import DOWNLOAD_REMEDY, command_of, starts_program
from raptorflow.skills.scanning.python.value import HOLE, Label, Value
from raptorflow.skills.scanning.subject import Language, Source

_RETRIEVES = frozenset(("urllib.request.urlretrieve", "wget.download"))
_WRITES_TEXT = re.compile(
    r"(?:^open\(\)|Path\(\)|\.open\(\)|TemporaryFile\(\))\.(?:write|write_text|write_bytes)$"
)
_INTERPRETERS = re.compile(
    r"(?:^|/)(?:ba|z|da)?sh$|(?:^|/)(?:python[\d.]*|node|perl|ruby|osascript|powershell|cmd)(?:\.exe)?$"
)
_TELLING = 3


def stages(context: Context) -> Iterator[Seen]:
    """What a source prepares with one call and runs with another."""
    for source, calls in context.calls_by_source.items():
        if not source.fenced:
            yield from _downloaded_and_run(calls)
        yield from _scripts(calls)


def _downloaded_and_run(calls: Sequence[Call]) -> Iterator[Seen]:
    files = dict(_downloaded(calls))
    for call in filter(starts_program, calls) if files else ():
        command = command_of(call)
        for part in _what_runs(command):
            label = files.get(_identity(part))
            if label is not None:
                yield _weighed(call, label)
                return


def _downloaded(calls: Sequence[Call]) -> Iterator[tuple[object, Label]]:
    """Each file that is written with what was downloaded."""
    for call in calls:
        if call.name in _RETRIEVES:
            url = call.argument(0, "url").text
            yield _identity(call.argument(1, "filename", "out")), Label("download", url)
        elif _WRITES_TEXT.search(call.name):
            label = next((one for one in call.argument(0).every_label() if one.kind == "download"), None)
            if label and call.name.startswith(PATH):
                yield _identity(call.receiver), label
            elif label:
                opened = [one for one in calls if one.name == "open" and one.function == call.function]
                yield from ((_identity(one.argument(0, "file")), label) for one in opened)


def _what_runs(command: Value) -> Iterator[Value]:
    """The program, and the script that an interpreter is given."""
    items = command.items
    if items is None:
        yield command
    elif items:
        yield items[0]
        if _INTERPRETERS.search(items[0].text):
            yield from items[1:2]


def _identity(value: Value) -> object:
    """What tells one file from another: its path, or the call that made it up."""
    text = value.text.replace(HOLE, "")
    if len(text) >= _TELLING:
        return value.text
    return value.name if value.name.startswith("tempfile.") else object()


def _weighed(call: Call, label: Label) -> Seen:
    kind = kind_of_host(host_of(label.detail))
    plain = kind in {"plain", "unknown"} and not label.detail.startswith("http://")
    severity: Severity = "high" if plain else "critical"
    message = f"`{call.name}` runs a file that was downloaded from {excerpt(label.detail) or 'the network'}."
    return threat(call, "fetch-and-run", severity, message, DOWNLOAD_REMEDY)


def _scripts(calls: Sequence[Call]) -> Iterator[Seen]:
    """A script that code writes is read like one that lies there."""
    for call in calls:
        text = call.argument(0, "data").text if _WRITES_TEXT.search(call.name) else ""
        if text.startswith("#!"):
            language: Language = "python" if "python" in text.partition("\n")[0] else "shell"
            yield Source(call.source.path, language, text, call.line, call.source.fenced)
