"""What one sandbox may reach, ready to be asked."""

from collections.abc import Iterable, Mapping

from raptorflow.base.json import dumps
from raptorflow.sandbox.broker.destinations.denylist import DenyList
from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import (
    EgressDenied,
    HostDenied,
    HostNotAllowed,
    OperationNotAllowed,
)
from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.skills.capabilities import Capabilities

NOT_GRANTED = (
    "skill.toml asks for it already; whoever installed the skill, or an administrator, did not grant it."
)


class Rules:
    """A policy in canonical form. What cannot be read in it allows nothing.

    Args:
        policy: what is allowed; None is nothing.
        denied: what the operator denies, whatever the policy allows.
    """

    def __init__(self, policy: EgressPolicy | None, denied: DenyList) -> None:
        policy = policy or EgressPolicy()
        self._allowed = policy.allowed
        self._declared = policy.declared or policy.allowed
        self._network = _destinations(policy.allowed.network)
        self._wanted = _destinations(self._declared.network)
        self._denied = denied
        self._secrets = _bindings(policy.allowed)

    def check(self, destination: Destination) -> str:
        """The rule that allows a destination.

        Raises:
            HostDenied: the operator's list names it.
            HostNotAllowed: nothing allows it; the hint is the line of `skill.toml` that would.
        """
        if pattern := self._denied.denies(destination):
            raise HostDenied(f"{destination} is denied by {pattern!r}.")
        if rule := self._network.get(destination):
            return rule
        hint = NOT_GRANTED if destination in self._wanted else self._line(destination)
        raise HostNotAllowed(f"The skill may not connect to {destination}.", hint=hint)

    def check_operation(self, service: str, operation: str) -> str:
        """The rule that allows an operation.

        Raises:
            OperationNotAllowed: nothing does; the hint is the line of `skill.toml` that would.
        """
        if operation in self._allowed.services.get(service, ()):
            return f"{service}/{operation}"
        declared = self._declared.services.get(service, frozenset[str]())
        hint = NOT_GRANTED if operation in declared else _services_line(service, declared | {operation})
        raise OperationNotAllowed(f"The skill may not call {operation} of {service}.", hint=hint)

    def secrets(self) -> Mapping[str, Destination]:
        """Names of secrets, each with the one destination it is sent to."""
        return self._secrets

    def has_secret(self, destination: Destination) -> bool:
        """Whether a secret may be sent there."""
        return destination in self._secrets.values()

    def _line(self, destination: Destination) -> str:
        hosts = sorted({*self._declared.network, str(destination)})
        return f"To allow it, write in skill.toml:\n[permissions]\nnetwork = {_list(hosts)}"


def _destinations(written: Iterable[str]) -> dict[Destination, str]:
    found: dict[Destination, str] = {}
    for rule in written:
        try:
            found[Destination.parse(rule)] = rule
        except EgressDenied:
            continue
    return found


def _bindings(capabilities: Capabilities) -> dict[str, Destination]:
    """Secrets whose destination may be reached; to another one they could only leak."""
    reachable = _destinations(capabilities.network)
    bound = {name: _destinations([host]) for name, host in capabilities.secrets.items()}
    return {name: there for name, found in bound.items() for there in found if there in reachable}


def _services_line(service: str, operations: Iterable[str]) -> str:
    line = f"services = {{ {service} = {_list(sorted(operations))} }}"
    return f"To allow it, write in skill.toml:\n[permissions]\n{line}"


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(dumps(word) for word in words)}]"
