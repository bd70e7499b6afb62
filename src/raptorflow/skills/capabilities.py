"""`Capabilities`: what a skill may do. One type for scanner, consent, sandbox, broker and gateway.

Everything is nothing by default. The three operations that matter are pure set algebra: what runs is an
intersection, an upgrade that asks for more shows a difference, and a grant must be a superset.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from raptorflow.base.json import canonical

MIB = 1024 * 1024
# The name of a secret, as of an environment variable.
SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# How each limit reads in a sentence, and the unit it is counted in there.
LIMIT_WORDS = {
    "timeout_seconds": ("{} s", 1),
    "memory_bytes": ("{} MiB of memory", MIB),
    "cpus": ("{} processor cores", 1),
    "pids": ("{} processes", 1),
    "disk_bytes": ("{} MiB of files", MIB),
    "output_bytes": ("{} MiB of output", MIB),
}


class Limits(BaseModel):
    """How much an action may use: seconds, bytes, cores and counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_seconds: float = Field(default=60.0, gt=0, le=3600)
    memory_bytes: int = Field(default=512 * MIB, ge=16 * MIB, le=64 * 1024 * MIB)
    cpus: float = Field(default=1.0, gt=0, le=64)
    pids: int = Field(default=64, ge=1, le=4096)
    disk_bytes: int = Field(default=256 * MIB, ge=MIB, le=64 * 1024 * MIB)
    output_bytes: int = Field(default=8 * MIB, ge=1024, le=1024 * MIB)

    def smallest(self, other: "Limits") -> "Limits":
        """Each limit's smaller value."""
        return Limits(
            **{name: min(getattr(self, name), getattr(other, name)) for name in Limits.model_fields}
        )

    def within(self, other: "Limits") -> bool:
        """Whether no limit is above the other's."""
        return all(getattr(self, name) <= getattr(other, name) for name in Limits.model_fields)


class Capabilities(BaseModel):
    """What a skill may reach and use.

    Attributes:
        network: `host:port` destinations.
        secrets: names of secrets, each with the one `host:port` that the broker injects it for.
        services: names of services, each with the operations that may be called.
        limits: how much an action may use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: frozenset[str] = frozenset()
    secrets: Mapping[str, str] = Field(default_factory=dict[str, str])
    services: Mapping[str, frozenset[str]] = Field(default_factory=dict[str, frozenset[str]])
    limits: Limits = Limits()

    @classmethod
    def none(cls) -> Self:
        """No reach at all, and the default limits."""
        return cls()

    @field_serializer("network")
    def _sorted_network(self, value: frozenset[str]) -> list[str]:
        return sorted(value)

    @field_serializer("secrets")
    def _sorted_secrets(self, value: Mapping[str, str]) -> dict[str, str]:
        return dict(sorted(value.items()))

    @field_serializer("services")
    def _sorted_services(self, value: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
        return {name: sorted(operations) for name, operations in sorted(value.items()) if operations}

    def is_subset(self, of: "Capabilities") -> bool:
        """Whether `of` allows everything that this allows."""
        return (
            self.network <= of.network
            and all(of.secrets.get(name) == host for name, host in self.secrets.items())
            and all(operations <= of.services.get(name, frozenset()) for name, operations in self._called())
            and self.limits.within(of.limits)
        )

    def intersection(self, other: "Capabilities") -> "Capabilities":
        """What both allow; limits are the smaller ones."""
        services = {
            name: operations & other.services.get(name, frozenset()) for name, operations in self._called()
        }
        return Capabilities(
            network=self.network & other.network,
            secrets={name: host for name, host in self.secrets.items() if other.secrets.get(name) == host},
            services={name: operations for name, operations in services.items() if operations},
            limits=self.limits.smallest(other.limits),
        )

    def difference(self, other: "Capabilities") -> "Capabilities":
        """What this allows and `other` does not; the limits stay this one's."""
        services = {
            name: operations - other.services.get(name, frozenset()) for name, operations in self._called()
        }
        return Capabilities(
            network=self.network - other.network,
            secrets={name: host for name, host in self.secrets.items() if other.secrets.get(name) != host},
            services={name: operations for name, operations in services.items() if operations},
            limits=self.limits,
        )

    def reaches_outside(self) -> bool:
        """Whether an action with these capabilities can have an effect outside its sandbox."""
        return bool(self.network or self.secrets or any(operations for _, operations in self._called()))

    def digest(self) -> str:
        """`sha256:` and the hex digest of the canonical JSON form."""
        return f"sha256:{hashlib.sha256(canonical(self.model_dump(mode='json'))).hexdigest()}"

    def plain_words(self) -> list[str]:
        """One sentence a permission, for a person who decides, and one for the limits."""
        limits = self.limits
        bounds = (
            f"May run for {limits.timeout_seconds:g} s with {limits.memory_bytes // MIB} MiB of memory "
            f"and {limits.disk_bytes // MIB} MiB of files."
        )
        return [*(self.reach_words() or ["No network, no services, no secrets."]), bounds]

    def reach_words(self) -> list[str]:
        """One sentence for each thing outside the sandbox that may be reached."""
        words = [
            f"May connect to {host} on port {port}."
            for host, port in map(_host_and_port, sorted(self.network))
        ]
        words += [
            f"May use the secret {name} when it talks to {host}."
            for name, host in sorted(self.secrets.items())
        ]
        words += [
            f"May call {name}: {', '.join(sorted(operations))}."
            for name, operations in sorted(self._called())
        ]
        return words

    def words_beyond(self, other: "Capabilities") -> list[str]:
        """One sentence for each thing that this allows and `other` does not, higher limits included.

        Empty exactly when this is a subset of `other`: what an upgrade must ask consent for.
        """
        higher = [
            f"May use {words.format(_counted(self.limits, name, unit))} "
            f"instead of {words.format(_counted(other.limits, name, unit))}."
            for name, (words, unit) in LIMIT_WORDS.items()
            if getattr(self.limits, name) > getattr(other.limits, name)
        ]
        return self.difference(other).reach_words() + higher

    def _called(self) -> list[tuple[str, frozenset[str]]]:
        return [(name, operations) for name, operations in self.services.items() if operations]


def _host_and_port(destination: str) -> tuple[str, str]:
    host, _, port = destination.rpartition(":")
    return host, port


def _counted(limits: Limits, name: str, unit: int) -> str:
    return f"{getattr(limits, name) / unit:.10g}"
