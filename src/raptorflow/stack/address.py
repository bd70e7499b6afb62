"""Where the server listens, and whether it may."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from raptorflow.base.errors import Conflict

IPV4 = 4


class AddressUnusable(Conflict):
    """The server cannot listen where it was told to."""

    code = "address-unusable"
    default_hint = "Does RaptorFlow run already? Otherwise choose another port: `--port` or RAPTORFLOW_PORT."


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = 8000

    @property
    def local_host(self) -> str:
        """The host as programs on this machine reach it."""
        with suppress(ValueError):
            given = ip_address(self.host)
            if given.is_unspecified:
                return "127.0.0.1" if given.version == IPV4 else "::1"
        return self.host

    @property
    def url(self) -> str:
        """The server's URL on this machine."""
        host = self.local_host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def check_address(address: Address) -> None:
    """Try to listen there.

    Raises:
        AddressUnusable: another program listens there, or it is no address of this machine.
    """
    try:
        family = socket.getaddrinfo(address.host, address.port)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise AddressUnusable(
            f"The server cannot listen on {address.host}:{address.port}: {reason or error}."
        ) from error
