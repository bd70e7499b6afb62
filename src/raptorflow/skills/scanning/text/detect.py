"""Instructions and prose: what is said, and what is said where nobody looks."""

from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.subject import Subject
from raptorflow.skills.scanning.text.commands import inline_commands
from raptorflow.skills.scanning.text.hidden import hidden
from raptorflow.skills.scanning.text.injection import injection
from raptorflow.skills.scanning.text.names import names
from raptorflow.skills.scanning.text.pages import pages
from raptorflow.skills.scanning.text.prerequisites import prerequisites
from raptorflow.skills.scanning.text.tongues import tongues


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs of harm in a skill's prose, and the commands that stand in it."""
    yield from hidden(subject)
    yield from names(subject)
    for page in pages(subject):
        yield from injection(page)
        yield from tongues(page)
        if page.is_instructions:
            yield from prerequisites(page)
            yield from inline_commands(page)
