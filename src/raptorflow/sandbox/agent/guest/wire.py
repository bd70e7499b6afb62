"""The protocol between host and guest agent, the same over every kind of channel; both sides use this file.

A frame is an 8-byte header and a payload of at most 64 KiB:

    kind     1 byte     what it is
    stream   3 bytes    whose it is: a program, a file, or a connection; 0 is the agent itself
    length   4 bytes    of the payload

All numbers are big-endian. Payloads are raw bytes, or fields: each a 4-byte length and that many bytes.
There is no text format to be clever with, and nothing here needs an import that is slow to start.
"""

import struct
from _collections_abc import Iterator, Sequence

VERSION = b"1"
HEADER = struct.Struct("!II")
FIELD = struct.Struct("!I")
MAX_PAYLOAD = 64 * 1024
# PATH_MAX; no entry of a list has a longer one.
MOST_PATH = 4096
MAX_STREAM = 0xFFFFFF
# What a side may send on a stream before the other has granted more.
CREDIT_BYTES = 256 * 1024

# Who sends it (h: host, g: guest), and the payload's fields.
BORN = 1  # g: version
HELLO = 2  # h: nonce
READY = 3  # g: nonce
EXEC = 4  # h: folder, descriptors, bytes of a file, outputs (2 or 3), arguments' number, they, variables
STARTED = 5  # g: nothing
STDIN = 6  # h: bytes; none ends it
STDOUT = 7  # g: bytes
STDERR = 8  # g: bytes
SIDE = 9  # g: bytes that a program wrote to descriptor 3
EXITED = 10  # g: exit code, or minus the signal
KILL = 11  # h: every process but the agent
PUT = 12  # h: path, mode; DATA follows
GET = 13  # h: path
LIST = 14  # h: path, most entries, most levels
ENTRY = 15  # g: kind (f file, d folder, l link, p pipe, s socket, c device, o other), size, path
DATA = 16  # both: bytes of a file or a connection; none ends this direction
DONE = 17  # g: written, sent or listed
FAILED = 18  # g: error number, words
OPEN = 19  # g: "http" or "services": a program asks for a way out
CLOSE = 20  # both: the stream is over, in both directions
CREDIT = 21  # both: this many more bytes may be sent on the stream
PING = 22  # h: bytes
PONG = 23  # g: the same bytes
REKEY = 24  # h: seed, microseconds since the epoch: you are a copy, become another
KINDS = frozenset(range(BORN, REKEY + 1))

Frame = tuple[int, int, bytes]


class WireError(Exception):
    """What came is not of this protocol."""


def frame(kind: int, stream: int = 0, payload: bytes = b"") -> bytes:
    """A frame as it is sent."""
    return HEADER.pack(kind << 24 | stream, len(payload)) + payload


def frames(kind: int, stream: int, content: bytes) -> Iterator[bytes]:
    """Content of any size as frames."""
    for start in range(0, len(content), MAX_PAYLOAD):
        yield frame(kind, stream, content[start : start + MAX_PAYLOAD])


class Reader:
    """Cuts bytes into frames."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete: kind, stream, payload.

        Raises:
            WireError: the kind is unknown or the length too large; nothing after that can be read.
        """
        self._kept += chunk
        at = 0
        while len(self._kept) - at >= HEADER.size:
            word, length = HEADER.unpack_from(self._kept, at)
            if length > MAX_PAYLOAD or word >> 24 not in KINDS:
                raise WireError(f"a frame of kind {word >> 24} with {length} bytes")
            end = at + HEADER.size + length
            if len(self._kept) < end:
                break
            with memoryview(self._kept) as kept:
                payload = bytes(kept[at + HEADER.size : end])
            yield word >> 24, word & MAX_STREAM, payload
            at = end
        del self._kept[:at]


def packed(fields: Sequence[bytes]) -> bytes:
    """Fields as a payload."""
    return b"".join(FIELD.pack(len(field)) + field for field in fields)


def unpacked(payload: bytes, count: int = -1) -> list[bytes]:
    """A payload's fields.

    Args:
        payload: of a frame.
        count: how many there must be; -1 takes any number.

    Raises:
        WireError: a length leads past the end, or the number is another.
    """
    fields: list[bytes] = []
    at = 0
    while at < len(payload):
        start = at + FIELD.size
        if start > len(payload):
            raise WireError("half a length")
        at = start + FIELD.unpack_from(payload, start - FIELD.size)[0]
        if at > len(payload):
            raise WireError("a field past the end")
        fields.append(payload[start:at])
    if count >= 0 and len(fields) != count:
        raise WireError(f"{len(fields)} fields instead of {count}")
    return fields


def number(field: bytes) -> int:
    """A field that holds a decimal number.

    Raises:
        WireError: it does not.
    """
    digits = field[1:] if field[:1] == b"-" else field
    if not digits.isdigit() or len(digits) > 18:
        raise WireError("no number")
    return int(field)


def granted(payload: bytes) -> int:
    """What a CREDIT frame grants.

    Raises:
        WireError: nothing, or less.
    """
    count = number(*unpacked(payload, 1))
    if count <= 0:
        raise WireError("a grant of nothing")
    return count
