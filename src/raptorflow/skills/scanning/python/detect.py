"""Python, read as a tree: what the code does, and where what it reads goes."""

from collections.abc import Iterable

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.subject import Subject


def detect(subject: Subject) -> Iterable[Seen]:
    """Signs of harm and uses of power in a skill's Python."""
    return ()
