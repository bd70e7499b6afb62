"""From what was seen to a verdict."""

import re
from collections.abc import Sequence

from raptorflow.skills.scanning.model import Threat, Verdict

# The whole rule: how many findings of a severity, with different codes, make which verdict.
RULES: tuple[tuple[Verdict, str, str, int], ...] = (
    ("block", "critical", r"scan/.*", 1),
    ("block", "high", r"scan/.*", 2),
    ("review", "high", r"scan/.*", 1),
    ("review", "medium", r"scan/undeclared-.*", 1),
    ("review", "medium", r"scan/.*", 3),
)


# Each is common; together, of medium weight or more, they are how a trap is laid.
TOGETHER: tuple[frozenset[str], ...] = (
    frozenset(("scan/concealment", "scan/fetch-and-run")),
    frozenset(("scan/concealment", "scan/secret-reading")),
    frozenset(("scan/secret-request", "scan/credential-theft")),
    frozenset(("scan/fake-prerequisite", "scan/quarantine-removed")),
    frozenset(("scan/persistence", "scan/quarantine-removed")),
)


def verdict_of(threats: Sequence[Threat]) -> Verdict:
    """The first rule that applies; `pass` when none does."""
    weighty = {threat.code for threat in threats if threat.severity != "low"}
    if any(codes <= weighty for codes in TOGETHER):
        return "block"
    for verdict, severity, codes, least in RULES:
        alike = {threat.code for threat in threats if threat.severity == severity}
        if sum(bool(re.fullmatch(codes, code)) for code in alike) >= least:
            return verdict
    return "pass"
