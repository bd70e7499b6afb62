"""Telling HTTP from what is not, however it is cut."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.broker.errors import TunnelNotTls
from raptorflow.sandbox.broker.http.first_line import WHITE, FirstLine, Watched

TOKEN = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=30).map(str.encode)
SPACES = st.lists(st.sampled_from([bytes([one]) for one in WHITE if one != 0x0A]), min_size=1, max_size=3)
BEFORE = st.lists(st.sampled_from([bytes([one]) for one in WHITE]), max_size=4).map(b"".join)
TARGET = st.binary(min_size=1, max_size=20).map(lambda some: some.replace(b"\n", b"/"))
CUTS = st.lists(st.integers(1, 12), max_size=30)


class Pieces:
    """A stream of these."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces)

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, data: bytes) -> None:
        raise AssertionError("nothing is written")

    async def end(self) -> None:
        raise AssertionError("nothing is ended")

    def close(self) -> None:
        raise AssertionError("nothing is closed")


def cut(text: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [piece for piece in (*pieces, text) if piece]


async def passed(pieces: Sequence[bytes]) -> bytes:
    """What passes of it, as a tunnel reads it."""
    line, stream, first = FirstLine(), Pieces(pieces), b""
    while more := await stream.read():
        first += more
        if line.see(more):
            break
    watched, through = Watched(line, stream), first
    while more := await watched.read():
        through += more
    return through


@given(BEFORE, TOKEN, SPACES, TARGET, SPACES, st.sampled_from([b"HTTP/1.1", b"http/1.0"]), CUTS)
def test_a_request_never_passes(
    before: bytes,
    method: bytes,
    spaces: list[bytes],
    target: bytes,
    more: list[bytes],
    version: bytes,
    cuts: list[int],
) -> None:
    line = before + method + b"".join(spaces) + target + b"".join(more) + version
    with pytest.raises(TunnelNotTls):
        asyncio.run(passed(cut(line + b"\nHost: evil.example\n\n", cuts)))


@given(st.binary(max_size=200).filter(lambda some: b"http/" not in some.lower()), CUTS)
def test_what_names_no_version_passes_whole(some: bytes, cuts: list[int]) -> None:
    assert asyncio.run(passed(cut(some, cuts))) == some


def test_only_the_first_line_is_looked_at() -> None:
    mail = b"EHLO x\r\nDATA\r\nGET / HTTP/1.1\r\n"
    assert asyncio.run(passed([mail])) == mail
    assert asyncio.run(passed([b"\0\n", b" HTTP/1.1\n"])) == b"\0\n HTTP/1.1\n"
