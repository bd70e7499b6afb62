"""The egress broker: the only way out of any sandbox, and who decides what takes it."""

from datetime import timedelta

from raptorflow.sandbox.broker.caps import Caps
from raptorflow.sandbox.broker.decisions import OnDecision
from raptorflow.sandbox.broker.destinations.addresses import AddressRules
from raptorflow.sandbox.broker.destinations.denylist import DenyList
from raptorflow.sandbox.broker.destinations.dialing import Dialer
from raptorflow.sandbox.broker.destinations.lookups import LookUps
from raptorflow.sandbox.broker.destinations.resolver import SystemResolver
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.broker.gate import Gate
from raptorflow.sandbox.broker.guest import Guest, Means
from raptorflow.sandbox.broker.ledger import Ledger
from raptorflow.sandbox.broker.ports import EgressPolicy, Identity, Resolver, Secrets, ServiceCaller
from raptorflow.sandbox.broker.secrets.authority import Authority
from raptorflow.sandbox.broker.secrets.handles import Handles
from raptorflow.sandbox.broker.secrets.trust import Trust
from raptorflow.sandbox.broker.settings import BrokerSettings


class Broker:
    """Makes a gate for each run; one broker serves all sandboxes of a manager.

    Args:
        settings: what holds for every sandbox.
        on_decision: keeps the records; must be quick, and when it raises, nothing leaves.
        caller: does service calls; without one they answer `service-not-connected`.
        resolver: looks names up; the system's by default.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        on_decision: OnDecision,
        caller: ServiceCaller | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        limits = settings.limits
        addresses = AddressRules(settings.denied_ranges, settings.allowed_ranges)
        names = LookUps(resolver or SystemResolver(), limits.resolve_seconds)
        dialer = Dialer(names, addresses, limits.dial_seconds)
        self._means = Means(limits, dialer, Trust(settings.authorities), settings.tls_only_ports, caller)
        self._denied = DenyList(settings.denied_hosts)
        self._lifetime = timedelta(hours=settings.authority_hours)
        self._on_decision = on_decision

    def admit(self, who: Identity, policy: EgressPolicy | None, secrets: Secrets) -> Gate:
        """The gate of one run in one sandbox.

        Args:
            who: whose it is, as the channel proves.
            policy: what may be reached; None is nothing.
            secrets: the values, of this run's owner alone.
        """
        rules = Rules(policy, self._denied)
        bound = rules.secrets()
        guest = Guest(
            who=who,
            means=self._means,
            rules=rules,
            caps=Caps(self._means.limits),
            ledger=Ledger(self._on_decision),
            handles=Handles(frozenset(bound)),
            secrets=secrets,
            authority=Authority({there.host for there in bound.values()}, self._lifetime) if bound else None,
        )
        return Gate(guest, self._denied)
