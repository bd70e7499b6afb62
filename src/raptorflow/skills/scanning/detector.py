"""What a detector is: reads a subject and says what it sees."""

from collections.abc import Callable, Iterable

from raptorflow.skills.scanning.model import Threat, Use
from raptorflow.skills.scanning.subject import Source, Subject

Seen = Threat | Use | Source
"""A sign of harm, a use of power, or a text in another language that stood inside of a source
(a command in a string, a decoded payload) and is to be read by every detector too."""

Detector = Callable[[Subject], Iterable[Seen]]
