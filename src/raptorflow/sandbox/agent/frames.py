"""The protocol between host and guest agent, the same over every kind of channel.

A frame is an 8-byte header and a payload of at most 64 KiB:

    kind     1 byte     what it is, see `Kind`
    stream   3 bytes    whose it is: a program, a file, or a connection; 0 is the agent itself
    length   4 bytes    of the payload

All numbers are big-endian. Payloads are raw bytes, or fields: each a 4-byte length and that many bytes.
There is no text format to be clever with, and the guest's agent starts without a parser's import.

The host believes nothing of what it reads: a frame that is malformed, too large, out of order, for an unknown
stream, or beyond a budget ends the sandbox.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1
HEADER = struct.Struct("!II")
FIELD = struct.Struct("!I")
MAX_PAYLOAD = 64 * 1024
STREAMS = 0xFFFFFF


class Kind(IntEnum):
    """What a frame is; the letters say who sends it (host, guest, both) and the fields of its payload."""

    HELLO = 1  # h: version, nonce
    READY = 2  # g: version, nonce
    EXEC = 3  # h: see `ExecFields`
    STARTED = 4  # g: pid inside
    STDIN = 5  # h: bytes; an empty one ends it
    STDOUT = 6  # g: bytes
    STDERR = 7  # g: bytes
    EXITED = 8  # g: exit code or -signal
    KILL = 9  # h: ends every process but the agent
    PUT = 10  # h: path, mode, size; DATA follows
    GET = 11  # h: path
    LIST = 12  # h: path, most entries, most levels
    ENTRY = 13  # g: kind, size, path
    DATA = 14  # b: bytes of a file or a connection; an empty one ends that direction
    DONE = 15  # g: the file has been written, read or listed
    FAILED = 16  # g: errno, words
    OPEN = 17  # g: "http" or "services": a program inside asks for a way out
    CLOSE = 18  # b: both directions of a connection are over
    CREDIT = 19  # b: this many more bytes may be sent on the stream
    PING = 20  # h: bytes
    PONG = 21  # g: the same bytes
    REKEY = 22  # h: nonce, seed, seconds since the epoch, host name: this is a copy, become another


class FrameInvalid(Exception):
    """What came is no frame of this protocol."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    kind: Kind
    stream: int = 0
    payload: bytes = b""

    def packed(self) -> bytes:
        """As it is sent."""
        return HEADER.pack(self.kind << 24 | self.stream, len(self.payload)) + self.payload


class Reader:
    """Cuts bytes into frames."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes.

        Raises:
            FrameInvalid: the kind is unknown or the length too large; nothing after that can be read.
        """
        self._kept += chunk
        at = 0
        while len(self._kept) - at >= HEADER.size:
            word, length = HEADER.unpack_from(self._kept, at)
            if length > MAX_PAYLOAD:
                raise FrameInvalid(f"a frame of {length} bytes")
            end = at + HEADER.size + length
            if len(self._kept) < end:
                break
            yield Frame(_kind(word >> 24), word & STREAMS, bytes(self._kept[at + HEADER.size : end]))
            at = end
        del self._kept[:at]


def packed(fields: Sequence[bytes]) -> bytes:
    """Fields as a payload."""
    return b"".join(FIELD.pack(len(field)) + field for field in fields)


def unpacked(payload: bytes, count: int | None = None) -> list[bytes]:
    """A payload's fields.

    Args:
        payload: of a frame.
        count: how many there must be; None takes any number.

    Raises:
        FrameInvalid: a length leads past the end, or the number is another.
    """
    fields: list[bytes] = []
    at = 0
    while at < len(payload):
        if at + FIELD.size > len(payload):
            raise FrameInvalid("half a length")
        (length,) = FIELD.unpack_from(payload, at)
        at += FIELD.size
        if at + length > len(payload):
            raise FrameInvalid("a field past the end")
        fields.append(payload[at : at + length])
        at += length
    if count is not None and len(fields) != count:
        raise FrameInvalid(f"{len(fields)} fields instead of {count}")
    return fields


def _kind(value: int) -> Kind:
    try:
        return Kind(value)
    except ValueError as error:
        raise FrameInvalid(f"a frame of kind {value}") from error
