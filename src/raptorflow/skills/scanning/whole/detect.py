"""A skill as a whole: what its programs hold together, in whatever language they are written."""

from collections.abc import Iterator

from raptorflow.skills.scanning.detector import Seen
from raptorflow.skills.scanning.quoting import Surroundings
from raptorflow.skills.scanning.subject import Subject
from raptorflow.skills.scanning.whole.foreign import foreign
from raptorflow.skills.scanning.whole.gathering import gathering
from raptorflow.skills.scanning.whole.programs import programs
from raptorflow.skills.scanning.whole.signs import signs

RULES = (gathering, foreign, signs)
LOOKED_FOR = {"scan/keys-and-sending", "scan/foreign-token", "scan/bare-address"}


def detect(subject: Subject) -> Iterator[Seen]:
    """Signs of harm that only show when the parts are seen together."""
    if not subject.files:
        return
    around = Surroundings(subject)
    for program in programs(subject):
        for rule in RULES:
            for threat in rule(program):
                # Whose subject is security names what it looks for.
                is_told = around.about_security and threat.code in LOOKED_FOR
                yield threat.model_copy(update={"severity": "medium"}) if is_told else threat
