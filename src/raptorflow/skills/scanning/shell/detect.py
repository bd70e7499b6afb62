"""Shell: scripts, the blocks of documents, and commands that stand inside of other code."""

from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.quoting import Surroundings
from raptorflow.skills.scanning.shell.decoding import decode_and_run
from raptorflow.skills.scanning.shell.fetching import fetch_and_run
from raptorflow.skills.scanning.shell.harm import harm
from raptorflow.skills.scanning.shell.signs import Place
from raptorflow.skills.scanning.shell.theft import theft
from raptorflow.skills.scanning.shell.uses import uses
from raptorflow.skills.scanning.shell.words import pipelines
from raptorflow.skills.scanning.subject import Subject


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs of harm and uses of power in a skill's shell."""
    around = Surroundings(subject)
    for source in subject.written_in("shell"):
        found = pipelines(source)
        place = Place(source, around)
        yield from fetch_and_run(found, place)
        yield from decode_and_run(found, place)
        yield from theft(found, place)
        yield from harm(found, place)
        if not source.fenced:
            yield from uses(found, source)
