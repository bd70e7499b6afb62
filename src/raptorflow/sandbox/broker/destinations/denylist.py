"""Hosts that an operator denies to all."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from raptorflow.sandbox.broker.destinations.destination import Destination, canonical_host

PATTERN = re.compile(r"(\*\*\.|\*\.)?(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")


@dataclass(frozen=True)
class HostPattern:
    """`host`, `*.host` or `**.host`, on one port or on all.

    Attributes:
        written: as the operator wrote it.
        labels: how many labels stand before the host: `""` none, `"*."` one, `"**."` one or more.
        host: canonical.
        port: None means every port.
    """

    written: str
    labels: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "HostPattern":
        """As it stands in the settings.

        Raises:
            DestinationInvalid: there is no host in it.
            AddressNotation: the host is an address in disguise.
        """
        found = PATTERN.fullmatch(text)
        labels, host, port = found.groups() if found else ("", "", None)
        if port is None:
            return cls(text, labels or "", canonical_host(host), None)
        there = Destination.parse(f"{host}:{port}")
        return cls(text, labels or "", there.host, there.port)

    def covers(self, destination: Destination) -> bool:
        """Whether it is meant."""
        if self.port not in {None, destination.port}:
            return False
        if not self.labels:
            return destination.host == self.host
        before = destination.host.removesuffix(f".{self.host}")
        return before != destination.host and (self.labels == "**." or "." not in before)


class DenyList:
    """All patterns of an operator."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = tuple(HostPattern.parse(pattern) for pattern in patterns)

    def denies(self, destination: Destination) -> str | None:
        """The pattern that denies it, or None."""
        return next((one.written for one in self._patterns if one.covers(destination)), None)
