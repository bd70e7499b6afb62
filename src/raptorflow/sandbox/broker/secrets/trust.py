"""Whom the broker believes that it is the host a secret is bound to."""

import ssl
from functools import cached_property
from pathlib import Path

import certifi


class Trust:
    """The usual authorities, and the operator's.

    Args:
        authorities: further certificates (PEM), or None.
    """

    def __init__(self, authorities: Path | None) -> None:
        self._authorities = authorities

    @cached_property
    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later, HTTP/1.1 alone; reading all authorities takes a moment, so it is made once."""
        context = ssl.create_default_context(cafile=certifi.where())
        context.load_default_certs()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if self._authorities:
            context.load_verify_locations(self._authorities)
        return context
