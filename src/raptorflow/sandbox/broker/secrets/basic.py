"""Basic credentials (RFC 7617): the one place where a header's value is read to find a handle in it."""

import base64
import binascii

BASIC = b"basic "


def basic_credentials(value: bytes) -> bytes | None:
    """`user:password`; None when it is no header of that kind."""
    if value[: len(BASIC)].lower() != BASIC:
        return None
    try:
        return base64.b64decode(value[len(BASIC) :].strip(), validate=True)
    except binascii.Error:
        return None


def basic_header(credentials: bytes) -> bytes:
    """The header's value for `user:password`."""
    return b"Basic " + base64.b64encode(credentials)
