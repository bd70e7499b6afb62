"""Bounds what one sandbox can make the log grow by: after the first connections, the rest is counted.

Allowed and denied ones are bounded apart, so that a flood of denials hides no connection that was made. A
count is written each time it has grown tenfold, and when the sandbox ends. Requests that carry a secret are
bounded apart as well: one connection has as many as it likes.
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
    """Of one sandbox: connections of one decision, or the requests with a secret on them."""

    decision: Literal["allowed", "denied"]
    way: str | None
    seen: int = 0
    count: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    handles_left: int = 0
    hosts: dict[str, int] = field(default_factory=dict[str, int])
    written: int = 0
    unsaid: bool = False
    open: set[str] = field(default_factory=set[str])
    """Connections that were written when they were allowed, and are not over."""

    def begin(self, entry: Egress, in_full: int) -> bool:
        """Take a connection that was decided; whether it is written by itself."""
        self.seen += 1
        if self.seen <= in_full:
            if entry.connection and entry.decision == "allowed" and self.way is None:
                self.open.add(entry.connection)
            return True
        times = entry.times or 1
        self.count += times
        host = f"{entry.host}:{entry.port}"
        if host in self.hosts or len(self.hosts) < MOST_HOSTS:
            self.hosts[host] = self.hosts.get(host, 0) + times
        self.unsaid = True
        # What passed stands in the record of its end, where there will be one.
        if entry.stage is None or entry.decision == "denied":
            self._add(entry)
        return False

    def end(self, entry: Egress, in_full: int) -> bool:
        """Take the end of a connection; whether it is written by itself, as its beginning was."""
        if entry.connection in self.open or self.seen < in_full:
            self.open.discard(entry.connection or "")
            return True
        self._add(entry)
        self.unsaid = True
        return False

    def due(self) -> bool:
        """Whether the count has grown so much that it is written."""
        return self.count >= max(FIRST_COUNT, self.written * GROWTH)

    def told(self) -> EgressCounted:
        """The count so far."""
        self.written, self.unsaid = self.count, False
        return EgressCounted(
            decision=self.decision,
            way=self.way,
            count=self.count,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            handles_left=self.handles_left or None,
            hosts=dict(self.hosts),
            other_hosts=self.count - sum(self.hosts.values()),
        )

    def _add(self, entry: Egress) -> None:
        self.bytes_up += entry.bytes_up
        self.bytes_down += entry.bytes_down
        self.handles_left += entry.handles_left or 0


Key = tuple[Literal["allowed", "denied"], str | None]


class Folding:
    """Decides what is written.

    Args:
        in_full: connections of one sandbox and one decision that are written one by one, each when
            it is decided and when it is over.
    """

    def __init__(self, in_full: int) -> None:
        self._in_full = in_full
        self._tallies: dict[str, dict[Key, _Tally]] = {}

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
        way = "secret" if entry.way == "secret" else None
        tallies = self._tallies.setdefault(sandbox, {})
        tally = tallies.setdefault((entry.decision, way), _Tally(entry.decision, way))
        if entry.stage == "ended":
            return [entry] if tally.end(entry, self._in_full) else []
        if tally.begin(entry, self._in_full):
            return [entry]
        return [tally.told()] if tally.due() else []

    def _forget_ended(self) -> None:
        """A decision may be told after its sandbox has ended; what nothing is left to say of is not kept."""
        if len(self._tallies) < MOST_SANDBOXES:
            return
        unsaid = {
            sandbox: tallies
            for sandbox, tallies in self._tallies.items()
            if any(tally.unsaid for tally in tallies.values())
        }
        self._tallies = unsaid

    def _counts(self, sandbox: str) -> list[EgressCounted]:
        tallies = self._tallies.pop(sandbox, {})
        return [tally.told() for tally in tallies.values() if tally.unsaid]
