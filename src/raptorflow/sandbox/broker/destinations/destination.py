"""Where a connection leads: read once, into one form, from which everything is decided and dialled.

Names are lower case and in their ASCII form (IDNA, RFC 5891, with the mapping of UTS 46), without the final
dot. What a resolver could take for an address (the WHATWG URL standard's "ends in a number") is one only in
its plain form; every other notation is refused, so that there is nothing to misunderstand.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna

from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.errors import AddressNotation, DestinationInvalid

MAX_HOST, MAX_PORT = 253, 65_535
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
FORBIDDEN = re.compile(r"[\x00-\x20\x7f%@/\\?#]")
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Destination:
    """A host and a port.

    Attributes:
        host: a name, or an address without brackets; canonical.
        port: 1 to 65535.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int | None = None) -> "Destination":
        """From `host:port`, as it stands in manifests, in CONNECT, in URLs and in Host headers.

        Raises:
            DestinationInvalid: it is none.
            AddressNotation: the host is an address in another form than its plain one.
        """
        found = AUTHORITY.fullmatch(text)
        port = int(found[2]) if found and found[2] else default_port
        if not found or not port or port > MAX_PORT:
            raise _invalid(text)
        return cls(canonical_host(found[1]), port)

    @property
    def address(self) -> Address | None:
        """The address when the host is one and no name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    def authority(self, default_port: int | None = None) -> str:
        """`host:port`; without the port when it is the default one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == default_port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return self.authority()


def canonical_host(text: str) -> str:
    """The one form of a host.

    Raises:
        DestinationInvalid: it is none.
        AddressNotation: it is an address in another form than its plain one.
    """
    if not text or len(text) > MAX_HOST + 1 or FORBIDDEN.search(text):
        raise _invalid(text)
    return _bracketed(text) if text.startswith("[") else _name(text)


def _bracketed(text: str) -> str:
    try:
        address = IPv6Address(text[1:-1])
    except ValueError as error:
        raise _invalid(text) from error
    if address.ipv4_mapped:
        raise _disguised(text)
    return str(address)


def _name(text: str) -> str:
    name = (text if text.isascii() else _ascii(text)).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > MAX_HOST or not all(LABEL.fullmatch(label) for label in labels):
        raise _invalid(text)
    if NUMBER.fullmatch(labels[-1]):
        return _plain_address(name)
    return name


def _ascii(text: str) -> str:
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise _invalid(text) from error


def _plain_address(name: str) -> str:
    try:
        return str(IPv4Address(name))
    except ValueError as error:
        raise _disguised(name) from error


def _invalid(text: str) -> DestinationInvalid:
    return DestinationInvalid(f"{text[:SHOWN]!r} is no host and port.")


def _disguised(text: str) -> AddressNotation:
    return AddressNotation(f"{text[:SHOWN]!r} is an address in disguise.")
