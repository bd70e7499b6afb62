"""TLS hellos made by hand, good and bad ones."""

import struct

RECORD_BYTES = 16_000


def client_hello(
    name: str | None,
    *,
    encrypted: int | None = None,
    twice: bool = False,
    trailing: bytes = b"",
    record_bytes: int = RECORD_BYTES,
) -> bytes:
    """The records of a ClientHello.

    Args:
        name: the server name in it.
        encrypted: the number of an extension that hides another hello.
        twice: whether the name stands there twice.
        trailing: stands behind the extensions.
        record_bytes: of each record's payload at most.
    """
    extensions = b"" if name is None else _extension(0, server_name(name)) * (2 if twice else 1)
    extensions += _extension(43, b"\x02\x03\x04")
    if encrypted is not None:
        extensions += _extension(encrypted, b"\0" * 32)
    body = (
        b"\x03\x03"
        + bytes(32)
        + b"\x00"
        + _vector(b"\x13\x01")
        + b"\x01\x00"
        + _vector(extensions)
        + trailing
    )
    return records(b"\x01" + struct.pack("!I", len(body))[1:] + body, record_bytes)


def records(message: bytes, record_bytes: int = RECORD_BYTES) -> bytes:
    """A handshake message, cut into records."""
    pieces = [message[at : at + record_bytes] for at in range(0, len(message), record_bytes)]
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(piece)) + piece for piece in pieces)


def server_name(name: str) -> bytes:
    return _vector(b"\x00" + _vector(name.encode()))


def _extension(number: int, data: bytes) -> bytes:
    return struct.pack("!H", number) + _vector(data)


def _vector(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data
