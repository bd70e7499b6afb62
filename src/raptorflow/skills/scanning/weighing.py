"""From what was seen to a verdict."""

from collections.abc import Sequence

from raptorflow.skills.scanning.model import Threat, Verdict

# The whole rule: how many findings of a severity, with different codes, make which verdict.
RULES: tuple[tuple[Verdict, str, int], ...] = (
    ("block", "critical", 1),
    ("block", "high", 2),
    ("review", "high", 1),
    ("review", "medium", 3),
)


def verdict_of(threats: Sequence[Threat]) -> Verdict:
    """The first rule that applies; `pass` when none does."""
    for verdict, severity, least in RULES:
        if len({threat.code for threat in threats if threat.severity == severity}) >= least:
            return verdict
    return "pass"
