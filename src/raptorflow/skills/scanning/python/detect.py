"""Python, read as a tree: what the code does, and where what it reads goes."""

from collections.abc import Callable, Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.python.context import Context, threat_at
from raptorflow.skills.scanning.python.interpreter import walk
from raptorflow.skills.scanning.python.parsing import parse
from raptorflow.skills.scanning.python.rules.commands import commands
from raptorflow.skills.scanning.python.rules.control import control
from raptorflow.skills.scanning.python.rules.execution import execution
from raptorflow.skills.scanning.python.rules.exfiltration import exfiltration
from raptorflow.skills.scanning.python.rules.files import files
from raptorflow.skills.scanning.python.rules.imports import imports
from raptorflow.skills.scanning.python.rules.power import uses
from raptorflow.skills.scanning.subject import Subject

RULES: tuple[Callable[[Context], Iterator[Seen]], ...] = (
    commands,
    control,
    execution,
    exfiltration,
    files,
    imports,
    uses,
)


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs of harm, uses of power and texts in other languages in a skill's Python."""
    sources = subject.written_in("python")
    parsed = [(source, parse(source)) for source in sources]
    program = walk(one for _, one in parsed if one)
    context = Context(subject, program)
    for rule in RULES:
        yield from rule(context)
    unread = [
        (source, 1) for source, one in parsed if one is None and not source.fenced and source.text.strip()
    ]
    for source, line in (*unread, *program.unread):
        yield threat_at(
            source, line, "unread-code", "medium",
            "This is no Python that can be read, or it is nested too deep; what it does is not known.",
            "Mend it, or write it in plain steps.",
        )  # fmt: skip
