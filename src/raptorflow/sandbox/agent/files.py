"""Files in and out of a sandbox, over a link. What comes out is bytes: no path of a guest's is opened."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.errors import FileRefused

EntryKind = Literal["file", "folder", "link", "pipe", "socket", "device", "other"]
KINDS: dict[bytes, EntryKind] = {
    b"f": "file", b"d": "folder", b"l": "link", b"p": "pipe", b"s": "socket", b"c": "device", b"o": "other"
}  # fmt: skip
READ_BYTES = wire.MAX_PAYLOAD
READ_ONLY = 0o444
MOST_STEP = 255  # NAME_MAX
# What a frame that waits takes besides its bytes: a guest may send them one by one.
FRAME_COST = 64
# Of a list that was not looked at yet; a whole one is bounded by its count and its depth.
MOST_LIST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """What lies in a folder: its path below that folder, and its size in bytes when it is a file."""

    path: str
    kind: EntryKind
    size: int


async def put(link: Link, path: str, content: Iterable[bytes], mode: int = READ_ONLY) -> None:
    """Make a new file inside; folders above it are made. What could not be completed is not left.

    Raises:
        FileRefused: the guest could not (it exists, no room, a link in its path).
        SandboxGone: the sandbox has ended.
    """
    answer = _Answer(link, most_bytes=0)
    with answer:
        await link.send(wire.PUT, answer.stream, wire.packed([os.fsencode(path), b"%d" % mode]))
        for part in _parts(content):
            if answer.is_over():
                break
            await link.send(wire.DATA, answer.stream, part)
        await link.send(wire.DATA, answer.stream, b"")
        async for _ in answer.frames():
            raise FileRefused("The sandbox answered with what it was not asked for.")


def _parts(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that fit into a frame; none is empty."""
    for chunk in content:
        for start in range(0, len(chunk), wire.MAX_PAYLOAD):
            yield chunk[start : start + wire.MAX_PAYLOAD]


def chunks(path: Path) -> Iterable[bytes]:
    """A host file's content."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(READ_BYTES):
            yield chunk


async def get(link: Link, path: str, most_bytes: int) -> AsyncGenerator[bytes]:
    """A file's content; a file that grows while it is read is an error, not a longer file.

    Raises:
        FileRefused: there is no such regular file, it is larger than `most_bytes`, or it changed meanwhile.
        SandboxGone: the sandbox has ended.
    """
    answer = _Answer(link, most_bytes=wire.CREDIT_BYTES + wire.MAX_PAYLOAD)
    with answer:
        await link.send(wire.GET, answer.stream, wire.packed([os.fsencode(path)]))
        size = -1
        left = 0
        async for kind, payload in answer.frames():
            if kind == wire.ENTRY and size < 0:
                size = left = _entry(payload).size
                if size > most_bytes:
                    raise FileRefused(f"{path} has {size} bytes, at most {most_bytes} are taken.")
            elif kind == wire.DATA and 0 < len(payload) <= left:
                left -= len(payload)
                yield payload
                await answer.grant(len(payload))
            else:
                raise FileRefused(f"{path} changed while it was read.")
        if left or size < 0:
            raise FileRefused(f"{path} changed while it was read.")


async def names(link: Link, path: str, *, most: int, levels: int) -> list[Entry]:
    """What lies below a folder, `most` entries of `levels` levels at most; links are not followed.

    Raises:
        FileRefused: there is no such folder.
        SandboxGone: the sandbox has ended.
    """
    answer = _Answer(link, most_bytes=MOST_LIST_BYTES)
    with answer:
        asked = [os.fsencode(path), b"%d" % most, b"%d" % levels]
        await link.send(wire.LIST, answer.stream, wire.packed(asked))
        found: list[Entry] = []
        async for kind, payload in answer.frames():
            if kind != wire.ENTRY or len(found) >= most:
                raise FileRefused("The sandbox names more entries than it was asked for.")
            answer.took(len(payload))
            entry = _entry(payload)
            if len(_steps(entry.path)) > levels:
                raise FileRefused("The sandbox names an entry below those that it was asked for.")
            found.append(entry)
        return found


class _Answer:
    """The frames that answer one request, up to DONE or FAILED. Leaving its block early gives the rest up.

    Args:
        link: to the sandbox.
        most_bytes: how much may wait to be read, with `FRAME_COST` a frame. A guest that sends more breaks
            the protocol.
    """

    def __init__(self, link: Link, most_bytes: int) -> None:
        self._link = link
        self._left = most_bytes
        self._frames: asyncio.Queue[tuple[int, bytes] | Exception | None] = asyncio.Queue()
        self._over = False
        self.stream = link.stream(self)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._link.give_up(self.stream)

    def is_over(self) -> bool:
        """Whether the guest has answered already."""
        return self._over

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """What came, as it comes."""
        while (came := await self._frames.get()) is not None:
            if isinstance(came, Exception):
                raise came
            yield came

    def took(self, count: int) -> None:
        """So many bytes of a frame were taken, and wait no more."""
        self._left += count + FRAME_COST

    async def grant(self, count: int) -> None:
        """So many bytes were taken; as many more may come."""
        self.took(count)
        if not self._over:
            await self._link.send(wire.CREDIT, self.stream, wire.packed([b"%d" % count]))

    def take(self, kind: int, payload: bytes) -> None:
        """A frame of the agent's."""
        if kind in {wire.DONE, wire.FAILED}:
            # Read before the stream is forgotten: what cannot be read ends all streams that are open.
            last = _failure(payload) if kind == wire.FAILED else None
            self._over = True
            self._link.forget(self.stream)
            self._frames.put_nowait(last)
        elif kind == wire.ENTRY:
            _entry(payload)
            self._count(len(payload))
            self._frames.put_nowait((kind, payload))
        elif kind == wire.DATA and payload:
            self._count(len(payload))
            self._frames.put_nowait((kind, payload))
        else:
            raise wire.WireError(f"a frame of kind {kind} about a file")

    def lost(self, error: Exception) -> None:
        """The sandbox has ended."""
        self._over = True
        self._frames.put_nowait(error)

    def _count(self, count: int) -> None:
        self._left -= count + FRAME_COST
        if self._left < 0:
            raise wire.WireError("more of a file than was granted")


def _failure(payload: bytes) -> FileRefused:
    number, words = wire.unpacked(payload, 2)
    return FileRefused(
        f"The sandbox could not do that with the file: {words.decode('utf-8', 'replace')[:200]}.",
        details={"errno": wire.number(number)},
    )


def _entry(payload: bytes) -> Entry:
    kind, size, path = wire.unpacked(payload, 3)
    if kind not in KINDS or wire.number(size) < 0 or not 0 < len(path) <= wire.MOST_PATH or b"\0" in path:
        raise wire.WireError("an entry that cannot be")
    return Entry(os.fsdecode(path), KINDS[kind], wire.number(size))


def _steps(path: str) -> list[str]:
    """The steps of a path below a folder."""
    steps = path.split("/")
    if set(steps) & {"", ".", ".."} or any(len(os.fsencode(step)) > MOST_STEP for step in steps):
        raise FileRefused("The sandbox names an entry that cannot be.")
    return steps
