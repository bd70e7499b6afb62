"""Code that code makes: `exec`, `eval`, unpickling, native memory, and names that are put together."""

import pickletools
import re
from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.python.context import Context, excerpt, threat
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.rules.commands import DOWNLOAD_REMEDY
from raptorflow.skills.scanning.python.value import HOLE
from raptorflow.skills.scanning.subject import Source

RUNS = frozenset(
    (
        "exec",
        "eval",
        "compile",
        "code.InteractiveInterpreter().runcode",
        "runpy.run_path",
        "types.FunctionType",
    )
)
_LOADS = re.compile(
    r"^(?:c?[pP]ickle|dill|cloudpickle|joblib|marshal|shelve|torch|pandas\.read_pickle)(?:\.loads?|\.open|)$"
)
_NATIVE = re.compile(
    r"(?:VirtualAlloc(?:Ex)?|CreateRemoteThread|RtlMoveMemory|WriteProcessMemory|NtCreateThreadEx)$"
)
_DANGEROUS = re.compile(
    r"^(?:os\.(?:system|popen|exec[lv]p?e?|dup2)|exec|eval|subprocess\.\w+|pty\.spawn|marshal\.loads)$"
)
_GLOBALS = re.compile(
    r"^(?:os|posix|nt|subprocess|builtins|__builtin__|sys|socket|pty|commands|runpy|importlib|shutil)[ .]"
)
_LOOKS_LIKE_CODE = re.compile(
    r"\b(?:import|exec|eval|def|lambda|subprocess|os\.system|curl|wget|bash|/bin/sh|powershell|socket)\b|https?://"
)
LEAST_HIDDEN = 16


def execution(context: Context) -> Iterator[Seen]:
    """What is run that stands nowhere as plain code."""
    for call in context.program.calls:
        if call.name in RUNS:
            yield from _run(call)
        elif _LOADS.match(call.name):
            yield from _unpickled(call, context)
        elif _NATIVE.search(call.name):
            yield threat(
                call, "native-code", "critical",
                f"`{call.name}` puts machine code into memory and runs it, as loaders of malware do.",
                "Leave it out, or use a library that is built for the purpose.",
            )  # fmt: skip
        yield from _hidden_name(call)
    yield from _decoded(context)


def _run(call: Call) -> Iterator[Seen]:
    code = call.argument(0, "source", "path_name")
    if code.text and HOLE not in code.text:
        yield Source(call.source.path, "python", code.text, call.line, call.source.fenced)
    for label in code.every_label():
        if label.kind == "download" and not code.text.replace(HOLE, "").strip():
            yield threat(
                call, "fetch-and-run", "high" if call.name == "eval" else "critical",
                f"`{call.name}` runs code that was downloaded from {excerpt(label.detail) or 'the network'}.",
                DOWNLOAD_REMEDY,
            )  # fmt: skip
        elif label.kind == "decoded":
            shown = excerpt(code.text) or "its content is not in the code"
            yield threat(
                call, "encoded-payload", "critical",
                f"`{call.name}` runs code that is hidden by {label.detail}: {shown}",
                "Write the code in plain text.",
            )  # fmt: skip


def _unpickled(call: Call, context: Context) -> Iterator[Seen]:
    data = call.argument(0)
    labels = {label.kind for label in data.every_label()}
    if "download" in labels or "decoded" in labels:
        yield threat(
            call, "unsafe-load", "critical" if "decoded" in labels else "high",
            f"`{call.name}` loads data that was "
            f"{'hidden in the code' if 'decoded' in labels else 'downloaded'}; "
            "loading it runs whatever code it names.", "Use JSON, or a format that holds data only.",
        )  # fmt: skip
    if call.source.fenced:
        return
    for path, content in context.subject.files.items():
        if path.endswith((".pkl", ".pickle", ".joblib", ".pt", ".dill")) and (
            named := dangerous_global(content)
        ):
            yield threat(
                call, "unsafe-load", "critical",
                f"`{call.name}` is used here, and {excerpt(path)} calls `{named}` when it is loaded.",
                "Use JSON, or a format that holds data only.",
            )  # fmt: skip


def dangerous_global(content: bytes) -> str | None:
    """A function that loading a pickle would call, and that no data needs."""
    texts: list[str] = []
    try:
        for place, (operation, argument, _) in enumerate(pickletools.genops(content)):
            if operation.name in {"GLOBAL", "INST"} and _GLOBALS.match(str(argument)):
                return str(argument).replace(" ", ".")
            if operation.name == "STACK_GLOBAL" and len(texts) > 1 and _GLOBALS.match(f"{texts[-2]}."):
                return f"{texts[-2]}.{texts[-1]}"
            if isinstance(argument, str):
                texts = [*texts[-1:], argument]
            if place > 50_000:
                break
    except (ValueError, IndexError, EOFError, OverflowError, AttributeError, UnicodeError):
        return None
    return None


def _hidden_name(call: Call) -> Iterator[Seen]:
    """A dangerous function whose name stands nowhere in the code: it was put together to escape readers."""
    if not _DANGEROUS.match(call.name):
        return
    last = call.name.rpartition(".")[2]
    if last not in call.source.text and call.name not in {"subprocess.run", "os.popen"}:
        yield threat(
            call, "hidden-call", "high",
            f"`{call.name}` is called under a name that the code puts together while it runs.",
            "Call the function by its name.",
        )  # fmt: skip


def _decoded(context: Context) -> Iterator[Seen]:
    """Payloads that were decoded: read again as what they look like."""
    for source, line, text in context.program.decoded:
        if len(text) < LEAST_HIDDEN or "\ufffd" in text or not _LOOKS_LIKE_CODE.search(text[:20_000]):
            continue
        yield Source(source.path, "python", text, line, source.fenced)
        yield Source(source.path, "shell", text, line, source.fenced)
