"""Programs that code starts: which, with what, and the same line again for the readers of shell."""

import re
import shlex
from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.model import Use
from raptorflow.skills.scanning.python.context import Context, excerpt, threat
from raptorflow.skills.scanning.python.program import Call
from raptorflow.skills.scanning.python.value import HOLE, Value
from raptorflow.skills.scanning.subject import Source

_STARTS = re.compile(
    r"^(?:os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|startfile)|pty\.spawn|"
    r"subprocess\.(?:run|Popen|check_output|getoutput|getstatusoutput)|pexpect\.(?:spawn|run)|"
    r"asyncio\.create_subprocess_(?:shell|exec)|sh\.\w+|invoke\.run|fabric\.\w+\(\)\.run|plumbum\.\w+)$"
)
_BY_SHELL = re.compile(
    r"^(?:os\.(?:system|popen)|subprocess\.get\w+|asyncio\.create_subprocess_shell|pexpect\.run)$"
)
ARGUMENT = "ARGUMENT"
MAX_COMMAND = 20_000
DOWNLOAD_REMEDY = "Ship the code with the skill, so that what is reviewed is what runs."


def starts_program(call: Call) -> bool:
    """Whether a call starts a program."""
    return bool(_STARTS.match(call.name))


def by_shell(call: Call) -> bool:
    """Whether a shell reads the command."""
    return bool(_BY_SHELL.match(call.name)) or call.keywords.get("shell", Value()).const is True


def command_of(call: Call) -> Value:
    """What is started."""
    if "_exec" in call.name or call.name.startswith(("os.exec", "os.spawn")):
        return Value(items=call.arguments)
    return call.argument(0, "args", "cmd", "command", "argv")


def commands(context: Context) -> Iterator[Seen]:
    """A use of each program, the line for the shell's readers, and what only data flow can tell."""
    for call in filter(starts_program, context.program.calls):
        command = command_of(call)
        line = command_line(command)
        yield Use("process", _program(line), call.source.path, call.line)
        yield from _unreviewed(call, command)
        if line:
            yield Source(call.source.path, "shell", line[:MAX_COMMAND], call.line, call.source.fenced)


def command_line(command: Value) -> str:
    """A command as one would type it; a word stands for what is only known while it runs."""
    if command.items is None:
        return command.text.replace(HOLE, ARGUMENT)
    words = [item.text.replace(HOLE, ARGUMENT) if item.texts else ARGUMENT for item in command.items]
    if len(words) > 2 and words[0].rpartition("/")[2] in {"sh", "bash", "zsh"} and words[1] in {"-c", "-lc"}:
        return words[2]
    return shlex.join(words)


def _program(line: str) -> str:
    first = line.split(maxsplit=1)[0] if line.split() else ""
    return "*" if not first or first == ARGUMENT else first.rpartition("/")[2][:60]


def _unreviewed(call: Call, command: Value) -> Iterator[Seen]:
    """A command that nobody who reads the skill can see."""
    first = command if command.items is None else next(iter(command.items), Value())
    if command.items is not None and not _is_shell(command):
        return
    text = " ".join(command.every_text())
    if text.replace(HOLE, "").strip() and not _is_shell(command):
        return
    labels = command.every_label() if _is_shell(command) else first.labels
    for label in labels:
        if label.kind == "download":
            yield threat(
                call, "fetch-and-run", "critical",
                f"`{call.name}` runs what was downloaded from {excerpt(label.detail) or 'the network'}: "
                "whoever answers there runs any command on the user's machine.", DOWNLOAD_REMEDY,
            )  # fmt: skip
        elif label.kind == "decoded":
            yield threat(
                call, "encoded-payload", "critical",
                f"`{call.name}` runs a command that is hidden by {label.detail}: {excerpt(text)}",
                "Write the command in plain text.",
            )  # fmt: skip


def _is_shell(command: Value) -> bool:
    words = [item.text for item in command.items or ()][:2]
    return (
        len(words) == 2 and words[0].rpartition("/")[2] in {"sh", "bash", "zsh"} and words[1] in {"-c", "-lc"}
    )
