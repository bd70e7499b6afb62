"""What the broker needs from others, and what it is told about whom it serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Protocol

from raptorflow.core.addresses import Address
from raptorflow.skills.capabilities import Capabilities


class Stream(Protocol):
    """One connection: bytes both ways, each of which can end alone."""

    async def read(self) -> bytes:
        """The next bytes, 64 KiB at most; nothing at the end of that direction.

        Raises:
            ConnectionError: it broke.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send; waits while the other side does not read.

        Raises:
            ConnectionError: it is gone.
        """
        ...

    async def end(self) -> None:
        """No more will be sent."""
        ...

    def close(self) -> None:
        """Both directions are over; again does nothing."""
        ...


class Secrets(Protocol):
    """The values behind the names, of one run's owner and nobody else."""

    async def value(self, name: str) -> str | None:
        """The value as it is now; None when there is none, or no longer."""
        ...


class Resolver(Protocol):
    """Where names lead."""

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """All addresses of a name, the preferred one first.

        Raises:
            OSError: the name is not known.
        """
        ...


@dataclass(frozen=True)
class Identity:
    """Whose connections these are. The channel proves it; nothing that a sandbox sends changes it.

    Attributes:
        sandbox_id: the sandbox.
        run_id: what runs in it.
        tenant: the organisation that answers for it.
        skill: the skill whose capabilities hold.
        token: what the gateway knows this run and skill by; for it alone, and never inside.
    """

    sandbox_id: str
    run_id: str
    tenant: str
    skill: str
    token: str = field(default_factory=lambda: token_urlsafe(32), repr=False)


@dataclass(frozen=True)
class EgressPolicy:
    """What a sandbox may reach.

    Attributes:
        allowed: the manifest cut by the grant and by the operator's policy; nothing by default.
        declared: what the manifest asks for, so that a denial can tell "not declared" from "not granted".
    """

    allowed: Capabilities = field(default_factory=Capabilities.none)
    declared: Capabilities | None = None


@dataclass(frozen=True)
class ServiceCall:
    """One operation of a service that a skill wants done; declared and granted, and no more than that."""

    who: Identity
    service: str
    operation: str
    arguments: Mapping[str, Any]


class ServiceCaller(Protocol):
    """Does service calls: the gateway, which holds the credentials."""

    async def call(self, call: ServiceCall) -> Mapping[str, Any]:
        """The operation's result, JSON-ready.

        Raises:
            RaptorFlowError: why not; code, message and hint reach the skill.
        """
        ...
