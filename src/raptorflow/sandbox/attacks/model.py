"""What an attack is, and what comes of trying it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from raptorflow.sandbox.attacks.stage import Stage

Outcome = Literal[
    "refused",
    "absent",
    "contained",
    "removed",
    "told",
    "allowed",
    "killed:timeout",
    "killed:oom",
    "killed:pids",
    "killed:disk_full",
    "killed:output_limit",
    "through",
    "broken",
]
OUTCOMES: dict[Outcome, str] = {
    "refused": "the attempt got an error",
    "absent": "what it looks for does not exist inside",
    "contained": "it takes place inside, and nothing outside is changed or told",
    "removed": "all of it was gone when the run was over",
    "told": "the end was reported as what it was",
    "allowed": "what the policy allows works",
    "killed:timeout": "the run was ended, status `timeout`",
    "killed:oom": "the run was ended, status `oom`",
    "killed:pids": "the run was ended, status `pids`",
    "killed:disk_full": "the run was ended, status `disk_full`",
    "killed:output_limit": "the run was ended, status `output_limit`",
    "through": "the attack succeeded",
    "broken": "the attempt itself failed, which proves nothing",
}


@dataclass(frozen=True)
class Trial:
    """One attempt, and its positive control: the same attempt where it must succeed.

    Attributes:
        outcomes: what was seen; several when the attack has several ways.
        evidence: one line.
        control: whether the control succeeded; a probe that succeeds nowhere proves nothing.
        control_evidence: one line.
    """

    outcomes: frozenset[Outcome]
    evidence: str
    control: bool
    control_evidence: str


class NotLive(Exception):
    """The attack needs something that this installation does not have; it was not tried."""


Probe = Callable[[Stage], Awaitable[Trial]]


@dataclass(frozen=True)
class Attack:
    """One way to break out, to take too much, or to learn what must not be learnt.

    Attributes:
        attack_id: a letter (resources, files, privileges, network, secrets, lifecycle) and a number.
        title: its name.
        tries: what it tries.
        held_by: the mechanism that stops it.
        probe: tries it, and its control.
        expected: what may come of it.
        in_guest: what may come of it in a virtual machine instead, whose guest has a kernel of its own.
        not_for: driver -> why the attack means nothing there.
    """

    attack_id: str
    title: str
    tries: str
    held_by: str
    probe: Probe
    expected: frozenset[Outcome] = frozenset({"refused", "absent"})
    in_guest: frozenset[Outcome] | None = None
    not_for: Mapping[str, str] = field(default_factory=dict[str, str])

    def expects(self, stage: Stage) -> frozenset[Outcome]:
        """What may come of it in this kind of sandbox."""
        in_guest = stage.boundary == "virtual-machine" and self.in_guest is not None
        return self.in_guest if in_guest and self.in_guest is not None else self.expected


def outcomes(*seen: Outcome) -> frozenset[Outcome]:
    """A set of outcomes."""
    return frozenset(seen)
