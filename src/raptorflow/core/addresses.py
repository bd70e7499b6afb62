"""Which addresses may be dialled where somebody else names the place. Pure.

An organisation's admin types a model's address, a build's token names its issuer, and a process dials it from
inside the server's network. Without a limit that reaches databases, neighbours and the credentials that
clouds hand out (server-side request forgery).
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

NAT64 = IPv6Network("64:ff9b::/96")
METADATA: frozenset[Address] = frozenset(
    ip_address(address)
    for address in ("fd00:ec2::254", "fd00:ec2::23", "fd00:42::42", "100.100.100.200", "168.63.129.16")
)
"""Where clouds hand out credentials beside the link-local addresses, which are refused altogether."""


def may_dial(address: Address, *, local: bool) -> bool:
    """Whether an address may be dialled.

    Args:
        address: what its name led to.
        local: whether this machine and private networks are allowed; link-local addresses never are.
    """
    return all(_allowed(meant, local) for meant in _meant(address))


def _allowed(address: Address, local: bool) -> bool:
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA:
        return False
    return local or address.is_global


def _meant(address: Address) -> list[Address]:
    """The address, or the IPv4 addresses that a tunnel or a translator takes it for, too."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    inner: list[Address | None] = [address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        inner.append(IPv4Address(address.packed[-4:]))
    return [address, *(held for held in inner if held)]
