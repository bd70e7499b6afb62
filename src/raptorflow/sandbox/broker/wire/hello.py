"""Reading a TLS ClientHello: which host does it ask for?

Layout: RFC 8446 section 4.1.2 and 5.1; server names RFC 6066 section 3; Encrypted Client Hello RFC 9849, and
the draft that came before it. The reader takes nothing that it does not understand to the last byte: two
readers of one hello must not see two hosts.
"""

from dataclasses import dataclass

MAX_HELLO = 16 * 1024
"""Bytes of a hello; those of today, post-quantum keys included, have under 3 KiB."""
MAX_RECORDS = 64
"""Into which it may be cut; each costs time, and one or two is what programs send."""
MAX_RECORD = 16 * 1024
RECORD_HEAD, MESSAGE_HEAD = 5, 4
HANDSHAKE, CLIENT_HELLO, TLS_MAJOR = 22, 1, 3
SERVER_NAME, HOST_NAME = 0, 0
ENCRYPTED = frozenset({0xFE0D, 0xFFCE})
RANDOM_BYTES = 32


class HelloInvalid(Exception):
    """It is no ClientHello."""


@dataclass(frozen=True)
class ClientHello:
    """What the first message of a TLS connection says.

    Attributes:
        server_name: the host it asks for, as it stands there; None when it names none.
        encrypted: whether it carries another hello that cannot be read.
        size: bytes of its records.
    """

    server_name: str | None
    encrypted: bool
    size: int


def read_hello(data: bytes) -> ClientHello | None:
    """The hello at the beginning of a connection; None when more bytes are needed.

    Raises:
        HelloInvalid: it is none, whatever follows.
    """
    found = _message(data)
    return _hello(_Cursor(found[0]), found[1]) if found else None


def _message(data: bytes) -> tuple[bytes, int] | None:
    """The first handshake message, put together from its records, and how long these are."""
    message, at = b"", 0
    for _ in range(MAX_RECORDS):
        record = _record(data, at)
        if record is None:
            return None
        message += record
        at += RECORD_HEAD + len(record)
        if (whole := _whole_message(message)) is not None:
            return whole, at
    raise HelloInvalid("too many records")


def _record(data: bytes, at: int) -> bytes | None:
    head = data[at : at + RECORD_HEAD]
    if head[:1] not in {b"", bytes([HANDSHAKE])} or head[1:2] not in {b"", bytes([TLS_MAJOR])}:
        raise HelloInvalid("no TLS handshake record")
    if len(head) < RECORD_HEAD:
        return None
    length = int.from_bytes(head[3:])
    if not 0 < length <= MAX_RECORD:
        raise HelloInvalid(f"a record of {length} bytes")
    record = data[at + RECORD_HEAD : at + RECORD_HEAD + length]
    return record if len(record) == length else None


def _whole_message(message: bytes) -> bytes | None:
    if message[:1] not in {b"", bytes([CLIENT_HELLO])}:
        raise HelloInvalid("no ClientHello")
    if len(message) < MESSAGE_HEAD:
        return None
    length = int.from_bytes(message[1:MESSAGE_HEAD])
    if length > MAX_HELLO:
        raise HelloInvalid(f"a hello of {length} bytes")
    if len(message) > MESSAGE_HEAD + length:
        raise HelloInvalid("something stands behind the hello")
    return message[MESSAGE_HEAD:] if len(message) == MESSAGE_HEAD + length else None


def _hello(cursor: "_Cursor", size: int) -> ClientHello:
    cursor.take(2 + RANDOM_BYTES)
    cursor.vector(1)  # session
    cursor.vector(2)  # ciphers
    cursor.vector(1)  # compressions
    extensions = _extensions(_Cursor(cursor.vector(2)) if cursor.left else cursor)
    cursor.done()
    name = extensions.get(SERVER_NAME)
    encrypted = not ENCRYPTED.isdisjoint(extensions)
    return ClientHello(None if name is None else _server_name(name), encrypted, size)


def _extensions(cursor: "_Cursor") -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while cursor.left:
        kind = cursor.number(2)
        if kind in found:
            raise HelloInvalid(f"extension {kind} stands there twice")
        found[kind] = cursor.vector(2)
    return found


def _server_name(extension: bytes) -> str:
    outer = _Cursor(extension)
    names = _Cursor(outer.vector(2))
    outer.done()
    kind, name = names.number(1), names.vector(2)
    names.done()
    if kind != HOST_NAME or not name or not name.isascii():
        raise HelloInvalid("the server name is none")
    return name.decode("ascii")


class _Cursor:
    """Takes bytes from the front and never past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise HelloInvalid("a length leads past the end")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))

    def done(self) -> None:
        if self.left:
            raise HelloInvalid(f"{self.left} bytes too many")
