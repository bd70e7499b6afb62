"""The broker's branch of the settings."""

from pathlib import Path

from pydantic import BaseModel, Field, IPvAnyNetwork, field_validator

from raptorflow.sandbox.broker.destinations.denylist import HostPattern
from raptorflow.sandbox.broker.errors import EgressDenied

KIB, MIB = 1024, 1024 * 1024


class BrokerLimits(BaseModel):
    """How much one sandbox may use of the network."""

    connections: int = Field(default=64, ge=1)
    """Open at the same time."""
    connections_per_second: float = Field(default=20, gt=0)
    burst: int = Field(default=60, ge=1)
    """Connections that may come at once before the rate holds."""
    bytes_up: int = Field(default=256 * MIB, ge=0)
    bytes_down: int = Field(default=1024 * MIB, ge=0)
    idle_seconds: float = Field(default=120, gt=0)
    """How long nothing may move."""
    connection_seconds: float = Field(default=3600, gt=0)
    handshake_seconds: float = Field(default=10, gt=0)
    """For a request's head, and again for a TLS handshake."""
    resolve_seconds: float = Field(default=5, gt=0)
    dial_seconds: float = Field(default=10, gt=0)
    head_bytes: int = Field(default=16 * KIB, ge=1 * KIB)
    """A request's or an answer's line and headers."""
    service_bytes: int = Field(default=MIB, ge=KIB)
    """A service call's line."""
    service_seconds: float = Field(default=60, gt=0)


class BrokerSettings(BaseModel):
    """What holds for every sandbox, whatever its skill declares."""

    denied_hosts: tuple[str, ...] = ()
    """`host`, `host:port`, `*.host` (one more label) or `**.host` (any number); wins over everything."""
    denied_ranges: tuple[IPvAnyNetwork, ...] = ()
    """Further addresses that nobody reaches, such as the control plane's; wins over `allowed_ranges`."""
    allowed_ranges: tuple[IPvAnyNetwork, ...] = ()
    """Private ranges that skills may reach when they declare a host there; metadata addresses never, and this
    machine's own only where one is named alone (`/32`, `/128`) or the range is within 127.0.0.0/8."""
    tls_only_ports: frozenset[int] = frozenset({80, 443})
    """Where one address serves many hosts, so that a tunnel passes only TLS that names the right one."""
    authorities: Path | None = None
    """Certificates (PEM) that are trusted besides the usual ones, when a secret is sent."""
    authority_hours: float = Field(default=24, gt=0, le=24 * 30)
    """How long the certificates of one sandbox hold."""
    limits: BrokerLimits = BrokerLimits()

    @field_validator("denied_hosts")
    @classmethod
    def _readable(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                HostPattern.parse(pattern)
            except EgressDenied as error:
                raise ValueError(f"{pattern!r} denies nothing: {error.message}") from error
        return patterns
