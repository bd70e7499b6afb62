"""What stands inside a sandbox in place of a secret: a random name for it, worth nothing anywhere else."""

import re
import secrets
from collections.abc import Mapping
from itertools import chain

import h11

from raptorflow.sandbox.broker.secrets.basic import basic_credentials

PREFIX = "rfsec_"
HANDLE = re.compile(rb"rfsec_[0-9a-f]{40}")
HANDLE_BYTES = 46


class Handles:
    """The handles of one sandbox.

    Args:
        names: of its secrets.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._by_name = {name: f"{PREFIX}{secrets.token_hex(20)}" for name in sorted(names)}
        self._names = {handle.encode(): name for name, handle in self._by_name.items()}

    def environment(self) -> Mapping[str, str]:
        """The variables that hold them."""
        return self._by_name

    def name(self, handle: bytes) -> str | None:
        """Which secret it stands for; None when it is not one of this sandbox's."""
        return self._names.get(handle)


def handles_in_header(value: bytes) -> list[bytes]:
    """The handles in a header's value, those in Basic credentials included."""
    return HANDLE.findall(value) + HANDLE.findall(basic_credentials(value) or b"")


class HandleCounter:
    """Counts handles in bytes that come in pieces."""

    def __init__(self) -> None:
        self.count = 0
        self._kept = b""

    def see(self, piece: bytes) -> None:
        """Look at the next piece."""
        whole = self._kept + piece
        self.count += len(HANDLE.findall(whole))
        # One byte less than a handle: none that was counted is seen again.
        self._kept = whole[-(HANDLE_BYTES - 1) :]


def handles_in_head(request: h11.Request) -> list[bytes]:
    """Every handle in a request's line and headers."""
    in_headers = (handles_in_header(value) for _, value in request.headers)
    return [*HANDLE.findall(request.target), *chain.from_iterable(in_headers)]
