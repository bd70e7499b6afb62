"""What the broker holds for one sandbox, and what it has for all."""

from dataclasses import dataclass, field

from raptorflow.sandbox.broker.caps import Caps
from raptorflow.sandbox.broker.destinations.dialing import Dialer
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.broker.ledger import Ledger
from raptorflow.sandbox.broker.ports import Identity, Secrets, ServiceCaller
from raptorflow.sandbox.broker.secrets.authority import Authority
from raptorflow.sandbox.broker.secrets.handles import Handles
from raptorflow.sandbox.broker.secrets.redaction import Needles
from raptorflow.sandbox.broker.secrets.trust import Trust
from raptorflow.sandbox.broker.settings import BrokerLimits


@dataclass(frozen=True)
class Means:
    """What all sandboxes share.

    Attributes:
        limits: for each of them.
        dialer: opens connections.
        trust: verifies hosts that a secret is sent to.
        tls_only: ports at which only TLS passes a tunnel.
        caller: does service calls; None until one is bound.
    """

    limits: BrokerLimits
    dialer: Dialer
    trust: Trust
    tls_only: frozenset[int]
    caller: ServiceCaller | None


@dataclass
class Guest:
    """One sandbox.

    Attributes:
        who: whose it is.
        rules: what it may reach now.
        caps: what it used.
        ledger: where decisions about it go.
        handles: what it holds in place of secrets.
        secrets: their values.
        authority: vouches for hosts towards it; None without secrets.
        needles: every spelling of a secret that was sent out for it, to be found in answers.
    """

    who: Identity
    means: Means
    rules: Rules
    caps: Caps
    ledger: Ledger
    handles: Handles
    secrets: Secrets
    authority: Authority | None
    needles: Needles = field(default_factory=Needles, repr=False)
