"""Which addresses may be dialled: what an allowed name leads to is not yet allowed.

The ranges are those of the IANA special-purpose registries (RFC 6890 and its updates) that do not lead to the
public network, and those through which an IPv4 address hides in an IPv6 one.
"""

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

from raptorflow.core.addresses import METADATA, Address, may_dial
from raptorflow.sandbox.broker.errors import AddressDenied

Network = IPv4Network | IPv6Network

NEVER: tuple[Network, ...] = tuple(
    ip_network(written)
    for written in (
        *("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("168.63.129.16/32", "100.100.100.200/32"),
        *("::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
        *("fd00:ec2::/32", "fe80::/10", "ff00::/8"),
    )
)
"""Metadata, link-local, multicast, and IPv4 in IPv6: no setting allows them."""
UNLESS_ALLOWED: tuple[Network, ...] = tuple(
    ip_network(written)
    for written in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("::/96", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fec0::/10"),
    )
)
"""Private networks, this machine, tests and documentation: an operator may allow ranges of them."""


def is_own(address: Address) -> bool:
    """Whether an address is this machine's: only then can a socket be bound to it.

    Where `net.ipv4.ip_nonlocal_bind` is set, every address looks like one, and nothing is reached.
    """
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


class AddressRules:
    """Judges addresses.

    Args:
        denied: further ranges that nothing allows.
        allowed: private ranges that may be reached all the same. This machine's own addresses are not among
            them, unless one is named alone (`/32`, `/128`), or the range is one of loopback addresses, which
            can mean nothing else.
        own: whether an address is this machine's.
    """

    def __init__(
        self,
        denied: Iterable[Network] = (),
        allowed: Iterable[Network] = (),
        own: Callable[[Address], bool] = is_own,
    ) -> None:
        self._never = (*NEVER, *denied)
        self._allowed = tuple(allowed)
        self._meant = tuple(one for one in self._allowed if one.num_addresses == 1 or one.is_loopback)
        self._own = own

    def check(self, address: Address, host: str) -> None:
        """Refuse an address that is off limits.

        Raises:
            AddressDenied: says which host leads there, and into which range.
        """
        if address in METADATA:
            raise _denied(host, address, "where clouds hand out credentials")
        if within := _first(self._never, address):
            raise _denied(host, address, str(within))
        if not _first(self._allowed, address):
            self._check_public(address, host)
        if not _first(self._meant, address) and self._own(address):
            raise _denied(host, address, "which is this machine")

    def _check_public(self, address: Address, host: str) -> None:
        if within := _first(UNLESS_ALLOWED, address):
            raise _denied(host, address, str(within))
        if not may_dial(address, local=False):
            raise _denied(host, address, "which is not on the public network")


def _first(networks: Iterable[Network], address: Address) -> Network | None:
    return next((network for network in networks if address in network), None)


def _denied(host: str, address: Address, where: str) -> AddressDenied:
    return AddressDenied(
        f"{host} leads to {address} ({where}), which no skill reaches.", details={"address": str(address)}
    )
