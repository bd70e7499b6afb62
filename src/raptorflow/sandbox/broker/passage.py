"""What a connection of a sandbox is used for: one destination or one call, with its record."""

from collections.abc import Callable

from raptorflow.base.clock import Stopwatch, utc_now
from raptorflow.base.ids import new_id
from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.decisions import Decision, Kind, Stage
from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.broker.errors import EgressDenied
from raptorflow.sandbox.broker.guest import Guest
from raptorflow.sandbox.broker.metrics import OVERHEAD
from raptorflow.sandbox.broker.ports import Stream

Check = Callable[[Rules], str]
SHOWN = 256


class Passage:
    """Asks the rules, dials, and writes down what came of it.

    Args:
        guest: whose it is.
        kind: of what.
        host: as it was asked for, until it is known what is meant.
        port: the same.
    """

    def __init__(self, guest: Guest, kind: Kind, host: str, port: int = 0) -> None:
        self._guest = guest
        self._kind: Kind = kind
        self._host = host[:SHOWN]
        self._port = port
        self._id = str(new_id())
        self._watch = Stopwatch()
        self._address: str | None = None
        self._rule: str | None = None
        self._check: Check | None = None
        self._allowed: set[str | None] = set()
        self._over = False
        self.destination: Destination | None = None
        self.bytes_up = 0
        self.bytes_down = 0
        self.handles_left = 0

    def aim(self, destination: Destination) -> None:
        """Ask whether a destination may be reached.

        Raises:
            HostDenied: the operator denies it.
            HostNotAllowed: nothing allows it.
        """
        self.destination = destination
        self._host, self._port = destination.host, destination.port
        self.ask(lambda rules: rules.check(destination))

    def ask(self, check: Check) -> None:
        """Ask the rules, now and whenever they change.

        Raises:
            EgressDenied: they do not allow it.
        """
        self._check = check
        self._rule = check(self._guest.rules)

    async def dial(self) -> Stream:
        """Connect to where it was aimed; that it is allowed is written down before anything is sent there.

        Raises:
            EgressDenied: the name is not known, leads where nobody may, or nothing answers.
            BrokerFailure: it could not be written down.
        """
        if not self.destination:
            raise RuntimeError("a passage is aimed before it is dialled")
        before_ms = self._watch.elapsed_ms()
        who = self._guest.who
        dialled = await self._guest.means.dialer.dial(
            self.destination, who.tenant or who.sandbox_id, self._to
        )
        OVERHEAD.observe(max(0.0, before_ms) / 1000)
        return dialled.stream

    @property
    def address(self) -> str | None:
        """Where it leads; None until that is known."""
        return self._address

    def reuse(self, address: str | None) -> None:
        """Go through a connection that is open already, to the same destination.

        Raises:
            BrokerFailure: it could not be written down.
        """
        self._address = address
        self.allow()

    def _to(self, address: Address) -> None:
        self.reuse(str(address))

    def follow(self, former: "Passage") -> None:
        """Take over what was counted since another one ended."""
        self.bytes_up, self.bytes_down = former.bytes_up, former.bytes_down

    def allow(self) -> None:
        """Write down that it is allowed; once for each address, before anything passes.

        Raises:
            BrokerFailure: it could not be written down.
        """
        if self._address not in self._allowed:
            self._write("decided", allowed=True, reason="allowed")
            self._allowed.add(self._address)

    def refuse(self, denial: EgressDenied) -> None:
        """Write down that what was sent through it is refused, which is why it ends."""
        self.note(self._kind, self._rule, denial)

    def note(self, kind: Kind, rule: str | None, denial: EgressDenied | None = None) -> None:
        """Write down a decision about something within it, such as a secret."""
        self._guest.ledger.write(
            self._record("decided", denial is None, denial.code if denial else "allowed", kind, rule)
        )

    def permitted(self, rules: Rules) -> bool:
        """Whether other rules would allow it as well."""
        try:
            return self._check is None or bool(self._check(rules))
        except EgressDenied:
            return False

    def finish(self, failure: EgressDenied | None) -> None:
        """Write down how it ended; again does nothing."""
        if self._over:
            return
        self._over = True
        if self._allowed:
            self._write("ended", allowed=True, reason=failure.code if failure else "done")
            self.bytes_up = self.bytes_down = 0
        elif failure:
            self._address = self._address or failure.details.get("address")
            self._write("decided", allowed=False, reason=failure.code)

    def _write(self, stage: Stage, *, allowed: bool, reason: str) -> None:
        self._guest.ledger.write(self._record(stage, allowed, reason, self._kind, self._rule))

    def _record(self, stage: Stage, allowed: bool, reason: str, kind: Kind, rule: str | None) -> Decision:
        return Decision(
            id=self._id,
            time=utc_now(),
            stage=stage,
            who=self._guest.who,
            kind=kind,
            host=self._host,
            port=self._port,
            address=self._address,
            rule=rule,
            allowed=allowed,
            reason=reason,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            ms=self._watch.elapsed_ms(),
            handles_left=self.handles_left,
        )
