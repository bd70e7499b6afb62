"""Python, read as a tree: what the code does, and where what it reads goes."""

from collections.abc import Callable, Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.intake import MAX_TEXT
from raptorflow.skills.scanning.languages import language_of
from raptorflow.skills.scanning.model import Threat
from raptorflow.skills.scanning.python.context import Context, threat_at
from raptorflow.skills.scanning.python.interpreter import walk
from raptorflow.skills.scanning.python.parsing import parse
from raptorflow.skills.scanning.python.rules.commands import commands
from raptorflow.skills.scanning.python.rules.control import control
from raptorflow.skills.scanning.python.rules.execution import execution
from raptorflow.skills.scanning.python.rules.exfiltration import exfiltration
from raptorflow.skills.scanning.python.rules.files import files
from raptorflow.skills.scanning.python.rules.imports import imports
from raptorflow.skills.scanning.python.rules.phrases import phrases
from raptorflow.skills.scanning.python.rules.power import uses
from raptorflow.skills.scanning.python.rules.stages import stages
from raptorflow.skills.scanning.quoting import Surroundings
from raptorflow.skills.scanning.subject import Source, Subject

RULES: tuple[Callable[[Context], Iterator[Seen]], ...] = (
    commands,
    control,
    execution,
    exfiltration,
    files,
    imports,
    phrases,
    stages,
    uses,
)


def _weighed(threat: Threat, around: Surroundings) -> Threat:
    """What a page only tells of is a note: a block of code beside the words that warn of it."""
    if threat.line is None or language_of(threat.file, "") != "markdown":
        return threat
    told = around.tells(Source(threat.file, "markdown", "", threat.line, fenced=True), threat.line)
    return threat.model_copy(update={"severity": "low"}) if told else threat


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs of harm, uses of power and texts in other languages in a skill's Python."""
    sources = subject.written_in("python")
    parsed = [(source, parse(source)) for source in sources]
    program = walk(one for _, one in parsed if one)
    context = Context(subject, program)
    around = Surroundings(subject)
    for rule in RULES:
        for part in rule(context):
            yield _weighed(part, around) if isinstance(part, Threat) else part
    unread = [
        (source, 1)
        for source, one in parsed
        if one is None and not source.fenced and 0 < len(source.text.strip()) < MAX_TEXT
    ]
    for source, line in (*unread, *program.unread):
        yield threat_at(
            source, line, "unread-code", "medium",
            "This is no Python that can be read, or it is nested too deep; what it does is not known.",
            "Mend it, or write it in plain steps.",
        )  # fmt: skip
