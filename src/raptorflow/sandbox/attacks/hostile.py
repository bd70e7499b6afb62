"""Agents that are not ours: what they send instead, and whether the host's end of the channel minds."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from raptorflow.sandbox.agent.files import get, names
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import Link
from raptorflow.sandbox.agent.ways import Way
from raptorflow.sandbox.errors import FileRefused, SandboxGone

ANSWER_SECONDS = 2.0
STAYS_SECONDS = 0.3
PING_SECONDS = 0.01
SLOW_SECONDS = 0.5
RANDOM_FRAMES, BATCH = 100_000, 100
STREAMS = (0, 1, 2, 0x800000, 0xFFFFFF)
FLOOD = 128 * 1024 * 1024
ENDED = "ended"
Sent = AsyncIterator[bytes]
# Answers a greeting's nonce with what the agent says.
Script = Callable[["HostileChannel"], Sent]


class HostileChannel:
    """A channel whose other end is a script.

    Args:
        script: what comes.
        deaf: it never reads either: whoever writes waits.
    """

    def __init__(self, script: Script, *, deaf: bool = False) -> None:
        self._deaf = deaf
        self._written: asyncio.Queue[bytes] = asyncio.Queue()
        self._came = script(self)
        self.closed = False

    async def read(self) -> bytes:
        """The script's next bytes."""
        async for chunk in self._came:
            return chunk
        return b""

    async def write(self, data: bytes) -> None:
        """Take what the host sends, or let it wait for ever."""
        if self._deaf and data[0] not in {wire.HELLO, wire.GET, wire.LIST}:
            await asyncio.get_running_loop().create_future()
        self._written.put_nowait(data)

    def close(self) -> None:
        """The host lets go."""
        self.closed = True

    async def asked(self) -> wire.Frame:
        """The next frame of the host's."""
        return next(iter(wire.Reader().feed(await self._written.get())))


async def greeted(channel: HostileChannel) -> Sent:
    """An agent that begins like an honest one."""
    yield wire.frame(wire.BORN, 0, wire.packed([wire.VERSION]))
    _, stream, payload = await channel.asked()
    yield wire.frame(wire.READY, stream, wire.packed([*wire.unpacked(payload, 1), b"4"]))


async def _then(channel: HostileChannel, frames: Iterator[bytes]) -> Sent:
    async for chunk in greeted(channel):
        yield chunk
    for chunk in frames:
        yield chunk
        await asyncio.sleep(0)
    await asyncio.get_running_loop().create_future()


def after_greeting(frames: Callable[[], Iterator[bytes]]) -> Script:
    """A script that greets, sends these bytes, and stays."""
    return lambda channel: _then(channel, frames())


def instead(*chunks: bytes) -> Script:
    """A script that sends these bytes and stays."""

    async def script(channel: HostileChannel) -> Sent:
        for chunk in chunks:
            yield chunk
        await asyncio.get_running_loop().create_future()

    return script


async def wrong_nonce(channel: HostileChannel) -> Sent:
    """An agent that answers a greeting that was never sent."""
    yield wire.frame(wire.BORN, 0, wire.packed([wire.VERSION]))
    _, stream, _ = await channel.asked()
    yield wire.frame(wire.READY, stream, wire.packed([secrets.token_hex(16).encode(), b"4"]))
    await asyncio.get_running_loop().create_future()


FORGED: dict[str, Script] = {
    "another version": instead(wire.frame(wire.BORN, 0, wire.packed([b"99"]))),
    "another nonce": wrong_nonce,
    "ready before it was greeted": instead(wire.frame(wire.READY, 0, wire.packed([b"x", b"4"]))),
    "another protocol": instead(b"HTTP/1.1 200 OK\r\n\r\n" * 10),
    "too many fields": instead(wire.frame(wire.BORN, 0, wire.packed([wire.VERSION] * 1000))),
    "born twice": instead(wire.frame(wire.BORN, 0, wire.packed([wire.VERSION])) * 3),
    "a length beyond the end": instead(wire.HEADER.pack(wire.BORN << 24, wire.MAX_PAYLOAD + 1) + b"x" * 100),
}


def random_frames() -> Iterator[bytes]:
    """Well-formed frames of every kind for any stream, with random payloads; the same each time."""
    for batch in range(RANDOM_FRAMES // BATCH):
        noise = hashlib.shake_256(b"%d" % batch).digest(BATCH * 66)
        frames: list[bytes] = []
        for number in range(BATCH):
            kind, choice, *payload = noise[number * 66 : number * 66 + 66]
            stream = STREAMS[choice % len(STREAMS)]
            frames.append(wire.frame(1 + kind % wire.REKEY, stream, bytes(payload[: choice % 64])))
        yield b"".join(frames)


def many_ways() -> Iterator[bytes]:
    """A connection for every number there is, and no look at the answers."""
    for first in range(0x800000, 0x800000 + 200_000, 1000):
        yield b"".join(wire.frame(wire.OPEN, first + n, b"http") for n in range(1000))


def unasked_data() -> Iterator[bytes]:
    """Data on a connection beyond what was granted."""
    yield wire.frame(wire.OPEN, 0x800001, b"http")
    chunk = wire.frame(wire.DATA, 0x800001, bytes(wire.MAX_PAYLOAD))
    for _ in range(FLOOD // wire.MAX_PAYLOAD):
        yield chunk


MALFORMED: dict[str, Script] = {
    "100,000 random frames": after_greeting(random_frames),
    "random bytes": after_greeting(lambda: iter([secrets.token_bytes(1 << 20)])),
    "a kind that there is not": after_greeting(lambda: iter([wire.HEADER.pack(200 << 24, 0)])),
    "an endless frame": after_greeting(lambda: iter([wire.HEADER.pack(wire.DATA << 24 | 1, 0xFFFFFFFF)])),
    "a stream that nobody opened": after_greeting(lambda: iter([wire.frame(wire.STDOUT, 77, b"x")])),
    "a frame that only hosts send": after_greeting(lambda: iter([wire.frame(wire.EXEC, 0, b"x")])),
    "a connection that is none": after_greeting(lambda: iter([wire.frame(wire.OPEN, 0x800001, b"ssh")])),
    "the same connection twice": after_greeting(lambda: iter([wire.frame(wire.OPEN, 0x800001, b"http") * 2])),
    "more data than was granted": after_greeting(unasked_data),
}


async def meets(script: Script, *, deaf: bool = False, seconds: float = ANSWER_SECONDS) -> str:
    """What the host says of an agent: how it ended, or that it did not."""
    channel = HostileChannel(script, deaf=deaf)
    link = Link(channel)
    link.opened = _never_done
    try:
        async with asyncio.timeout(seconds):
            await link.open()
            while True:
                await link.send(wire.PING, 0, b"x")
                await asyncio.sleep(PING_SECONDS)
    except (SandboxGone, wire.WireError) as error:
        return f"{ENDED}: {error}"
    except TimeoutError:
        return "still open"
    finally:
        await link.close()


async def _never_done(kind: str, way: Way) -> None:
    await asyncio.get_running_loop().create_future()


async def honest() -> bool:
    """Whether an honest agent is accepted, and stays so."""
    said = await meets(after_greeting(lambda: iter([])), seconds=STAYS_SECONDS)
    return said == "still open"


async def flooded(asking: Callable[[Link], Awaitable[None]], kind: int, payload: bytes) -> str:
    """An agent that answers a question without end; how it ended."""

    def frames() -> Iterator[bytes]:
        if kind == wire.DATA:
            yield wire.frame(wire.ENTRY, 1, wire.packed([b"f", b"%d" % (1 << 40), b"x"]))
        chunk = wire.frame(kind, 1, payload)
        for _ in range(FLOOD // len(chunk)):
            yield chunk

    async def script(channel: HostileChannel) -> Sent:
        async for chunk in greeted(channel):
            yield chunk
        await channel.asked()
        for chunk in frames():
            yield chunk
            await asyncio.sleep(0)
        await asyncio.get_running_loop().create_future()

    channel = HostileChannel(script)
    link = Link(channel)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await link.open()
            await asking(link)
            return "taken"
    except (SandboxGone, FileRefused, wire.WireError):
        return ENDED
    except TimeoutError:
        return "still open"
    finally:
        await link.close()


async def slow_reader(link: Link) -> None:
    """Takes a file out, but slowly: a disk may be slower than a guest."""
    async for _ in get(link, "/workspace/x", 1 << 41):
        await asyncio.sleep(SLOW_SECONDS)


async def lister(link: Link) -> None:
    """Lists a folder."""
    await names(link, "/workspace", most=100, levels=2)
