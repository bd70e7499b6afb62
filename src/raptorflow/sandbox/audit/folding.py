"""Bounds what one sandbox can make the log grow by: after the first connections, the rest is counted.

Allowed and denied ones are bounded apart, so that a flood of denials hides no connection that was made. A
count is written each time it has grown tenfold, and when the sandbox ends.
"""

from dataclasses import dataclass, field
from typing import Literal

from raptorflow.sandbox.audit.records import Destroyed, Egress, EgressCounted, Entry, Subject

MOST_HOSTS = 32
MOST_SANDBOXES = 4096
FIRST_COUNT = 100
GROWTH = 10


@dataclass
class _Tally:
    seen: int = 0
    count: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    hosts: dict[str, int] = field(default_factory=dict[str, int])
    written: int = 0

    def add(self, entry: Egress) -> None:
        self.count += 1
        self.bytes_up += entry.bytes_up
        self.bytes_down += entry.bytes_down
        host = f"{entry.host}:{entry.port}"
        if host in self.hosts or len(self.hosts) < MOST_HOSTS:
            self.hosts[host] = self.hosts.get(host, 0) + 1

    def told(self, decision: Literal["allowed", "denied"]) -> EgressCounted:
        self.written = self.count
        return EgressCounted(
            decision=decision,
            count=self.count,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            hosts=dict(self.hosts),
            other_hosts=self.count - sum(self.hosts.values()),
        )


class Folding:
    """Decides what is written.

    Args:
        in_full: connections of one sandbox and one decision that are written one by one.
    """

    def __init__(self, in_full: int) -> None:
        self._in_full = in_full
        self._tallies: dict[str, dict[Literal["allowed", "denied"], _Tally]] = {}

    @property
    def kept(self) -> int:
        """Sandboxes that are being counted."""
        return len(self._tallies)

    def fold(self, subject: Subject, entry: Entry) -> list[Entry]:
        """What to write for an entry: itself, nothing, or what was counted so far."""
        if isinstance(entry, Egress):
            return self._egress(subject.sandbox or "", entry)
        if isinstance(entry, Destroyed):
            return [*self._counts(subject.sandbox or ""), entry]
        return [entry]

    def _egress(self, sandbox: str, entry: Egress) -> list[Entry]:
        if sandbox not in self._tallies:
            self._forget_ended()
        tally = self._tallies.setdefault(sandbox, {}).setdefault(entry.decision, _Tally())
        tally.seen += 1
        if tally.seen <= self._in_full:
            return [entry]
        tally.add(entry)
        due = max(FIRST_COUNT, tally.written * GROWTH)
        return [tally.told(entry.decision)] if tally.count >= due else []

    def _forget_ended(self) -> None:
        """A decision may be told after its sandbox has ended; what nothing is left to say of is not kept."""
        if len(self._tallies) < MOST_SANDBOXES:
            return
        unsaid = {
            sandbox: tallies
            for sandbox, tallies in self._tallies.items()
            if any(tally.count > tally.written for tally in tallies.values())
        }
        self._tallies = unsaid

    def _counts(self, sandbox: str) -> list[EgressCounted]:
        tallies = self._tallies.pop(sandbox, {})
        return [tally.told(decision) for decision, tally in tallies.items() if tally.count > tally.written]
