"""Frames of a guest that obeys, mutated at random: the host has typed errors, and nothing else."""

import asyncio
import random
import resource
import socket
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import pytest

from raptorflow.sandbox.agent.files import get, names, put
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import GUEST_STREAMS, Link
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.agent.ways import Way
from raptorflow.sandbox.channel import SocketChannel
from raptorflow.sandbox.errors import FileRefused, SandboxGone

SEED = 20_260_101
SESSION_SECONDS = 30
GROWTH_KIB = 64 * 1024
WAY = GUEST_STREAMS + 5
# A loop of their own: what other tests keep running is no task of these.
pytestmark = pytest.mark.asyncio(loop_scope="function")


def valid() -> list[bytes]:
    """What a guest that obeys sends in answer to what `asked` asks for."""
    entry = wire.packed([b"f", b"6", b"file"])
    one, zero = wire.packed([b"1"]), wire.packed([b"0"])
    return [
        wire.frame(wire.STARTED, 1),
        wire.frame(wire.STDOUT, 1, b"output"),
        wire.frame(wire.OPEN, WAY, b"http"),
        wire.frame(wire.DATA, WAY, b"GET http://files.example/ HTTP/1.1\r\n\r\n"),
        wire.frame(wire.STDERR, 1, b"errors"),
        wire.frame(wire.CREDIT, 1, one),
        wire.frame(wire.ENTRY, 2, entry),
        wire.frame(wire.DATA, 2, b"con"),
        wire.frame(wire.ENTRY, 3, entry),
        wire.frame(wire.DATA, 2, b"ent"),
        wire.frame(wire.CREDIT, WAY, one),
        wire.frame(wire.DONE, 2),
        wire.frame(wire.ENTRY, 3, wire.packed([b"d", b"0", b"folder"])),
        wire.frame(wire.DONE, 3),
        wire.frame(wire.PONG, 5),
        wire.frame(wire.DATA, WAY),
        wire.frame(wire.FAILED, 4, wire.packed([b"28", b"No space left on device"])),
        wire.frame(wire.CLOSE, WAY),
        wire.frame(wire.EXITED, 1, zero),
    ]


def mutated(chance: random.Random, frames: list[bytes]) -> list[bytes]:
    """Some are changed, doubled, lost, moved, cut or made up."""
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(frames))
        frame = bytearray(frames[at].ljust(wire.HEADER.size, b"\0"))
        match chance.randrange(8):
            case 0:
                frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
            case 1:
                frame[chance.randrange(8)] = chance.randrange(256)
            case 2:
                frames.insert(chance.randrange(len(frames)), bytes(frame))
                continue
            case 3:
                frames[at] = b""
                continue
            case 4:
                frame = frame[: chance.randrange(len(frame))]
            case 5:
                stream = chance.choice([0, 1, 2, 3, 4, 5, 6, WAY, WAY + 1, wire.MAX_STREAM])
                content = chance.randbytes(chance.choice([0, 4, 8, 60]))
                frame = bytearray(wire.frame(chance.choice(sorted(wire.KINDS)), stream, content))
            case 6:
                other = chance.randrange(len(frames))
                frames[at], frames[other] = frames[other], frames[at]
                continue
            case _:
                frame = bytearray(chance.randbytes(chance.randrange(1, 40)))
        frames[at] = bytes(frame)
    return frames


async def opened(kind: str, way: Way) -> None:
    while chunk := await way.read():
        await way.write(chunk)
    await way.end()


async def typed(work: Awaitable[object]) -> None:
    with suppress(SandboxGone, FileRefused):
        await work


async def read(link: Link) -> None:
    async for _ in get(link, "/x", 100):
        pass


def ignored(_kind: int, _payload: bytes) -> None:
    """Take output and forget it."""


async def program(link: Link) -> None:
    running = await start(link, Program(["x"]), ignored)
    await running.feed(b"i")
    await running.started
    await running.wait()


async def asked(link: Link) -> None:
    """Ask for one of everything, on streams 1 to 5."""
    work = [
        program(link),
        read(link),
        names(link, "/", most=5, levels=3),
        put(link, "/y", [b"content"]),
        link.ping(),
    ]
    await asyncio.gather(*(typed(one) for one in work))


async def session(chance: random.Random) -> int:
    """One guest, from greeting to end; how many frames it sent."""
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        there.setblocking(False)
        link = Link(SocketChannel(here))
        link.opened = opened
        opening = asyncio.create_task(link.open())
        await loop.sock_sendall(there, wire.frame(wire.BORN, 0, wire.packed([wire.VERSION])))
        hello = next(wire.Reader().feed(await loop.sock_recv(there, 4096)))[2]
        await loop.sock_sendall(there, wire.frame(wire.READY, 0, wire.packed([*wire.unpacked(hello), b"7"])))
        await opening
        working = asyncio.create_task(asked(link))
        await asyncio.sleep(0)
        frames = mutated(chance, valid())
        await split(chance, there, b"".join(frames))
        there.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(SESSION_SECONDS):
            await working
        await link.close()
    return len(frames)


async def split(chance: random.Random, to: socket.socket, content: bytes) -> None:
    """Send it in parts that end anywhere."""
    loop = asyncio.get_running_loop()
    while content:
        part = content[: chance.choice([1, 7, 8, 9, 100, 1000])]
        content = content[len(part) :]
        try:
            await loop.sock_sendall(to, part)
        except OSError:
            return
        await asyncio.sleep(0)


async def fuzz(count: int) -> None:
    chance = random.Random(SEED)
    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    await session(chance)
    tasks = asyncio.all_tasks()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent = 0
    while sent < count:
        sent += await session(chance)
    asyncio.get_running_loop().set_exception_handler(None)
    assert lost == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KIB
    assert asyncio.all_tasks() <= tasks


async def test_five_thousand_mutated_frames() -> None:
    await fuzz(5_000)


@pytest.mark.verify
@pytest.mark.timeout(1200)
async def test_a_hundred_thousand_mutated_frames() -> None:
    await fuzz(100_000)
