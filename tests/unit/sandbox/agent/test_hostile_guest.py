"""Whatever a guest sends, the host has a typed error, its memory, and time for others."""

import asyncio
import gc
import socket
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

import pytest
from tests.support.told_guest import BORN, Guest

from raptorflow.sandbox.agent.files import get, names, put
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.link import GUEST_STREAMS, MOST_WAYS, Link, Taker
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.agent.ways import Way
from raptorflow.sandbox.errors import FileRefused, SandboxGone

pytestmark = pytest.mark.timeout(30)

MIB = 1024 * 1024
WAY = GUEST_STREAMS


@pytest.fixture
async def stranger() -> AsyncGenerator[Guest]:
    """One that has said nothing yet."""
    guest = Guest()
    yield guest
    await guest.close()


@pytest.fixture
async def guest(stranger: Guest) -> Guest:
    """One that has been greeted."""
    await stranger.meet()
    return stranger


@pytest.fixture(scope="module", autouse=True)
def quick_collection() -> Generator[None]:
    """What other tests hold need not be looked at after each of these."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
async def nothing_is_lost() -> AsyncGenerator[None]:
    """No error ends unseen in a task, and no task is left."""
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    lost: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: lost.append(context))
    yield
    gc.collect()
    loop.set_exception_handler(None)
    assert lost == []
    assert [task for task in asyncio.all_tasks() - before if "raptorflow/sandbox" in repr(task)] == []


@pytest.fixture
def grown() -> Generator[Callable[[], int]]:
    """How many bytes Python holds more than at the start, at most."""
    tracemalloc.start()
    began = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[1] - began
    tracemalloc.stop()


def ignored(_kind: int, _payload: bytes) -> None:
    """Take output and forget it."""


def number(value: int) -> bytes:
    return wire.packed([b"%d" % value])


def entry(size: int, path: bytes = b"file", kind: bytes = b"f") -> bytes:
    return wire.packed([kind, b"%d" % size, path])


@pytest.mark.parametrize(
    "first",
    [
        wire.frame(wire.BORN, 0, wire.packed([b"2"])),
        wire.frame(wire.BORN, 0, wire.packed([wire.VERSION, b"more"])),
        wire.frame(wire.BORN, 0, b"\xff\xff\xff\xffx"),
        wire.frame(wire.BORN, 1, wire.packed([wire.VERSION])),
        wire.frame(wire.READY, 0, wire.packed([b"0" * 32, b"7"])),
        BORN + BORN,
        BORN + wire.frame(wire.READY, 0, wire.packed([b"0" * 32, b"7"])),
        wire.frame(wire.OPEN, WAY, b"http"),
        wire.frame(wire.DATA, WAY, b"x"),
        wire.frame(wire.EXITED, 1, number(0)),
        wire.frame(0),
        wire.frame(25),
        wire.frame(255),
        wire.HEADER.pack(wire.BORN << 24, wire.MAX_PAYLOAD + 1),
        wire.HEADER.pack(wire.BORN << 24, 0xFFFFFFFF),
        b"GET / HTTP/1.1\r\nHost: sandbox.example\r\n\r\n",
    ],
)
async def test_who_does_not_greet_as_an_agent_must_is_none(stranger: Guest, first: bytes) -> None:
    await stranger.say(first)
    with pytest.raises(SandboxGone):
        await stranger.link.open()
    assert await stranger.hears_the_end()


@pytest.mark.parametrize("answer", [[b"0" * 32, b"7"], [b"7"], [], [b"x", b"y", b"z"], [b"", b""]])
async def test_a_wrong_answer_to_the_greeting_ends_it(stranger: Guest, answer: list[bytes]) -> None:
    opening = asyncio.create_task(stranger.link.open())
    await stranger.say(BORN)
    await stranger.hear()
    await stranger.say(wire.frame(wire.READY, 0, wire.packed(answer)))
    with pytest.raises(SandboxGone):
        await opening


async def test_a_right_nonce_with_a_version_that_is_no_number_ends_it(stranger: Guest) -> None:
    opening = asyncio.create_task(stranger.link.open())
    await stranger.say(BORN)
    _, _, payload = await stranger.hear()
    await stranger.say(wire.frame(wire.READY, 0, wire.packed([*wire.unpacked(payload), b"x"])))
    with pytest.raises(SandboxGone):
        await opening


async def test_a_guest_that_leaves_ends_what_waits_for_it(guest: Guest) -> None:
    waiting = [
        asyncio.create_task(guest.link.ping()),
        asyncio.create_task(names(guest.link, "/", most=1, levels=1)),
        asyncio.create_task(put(guest.link, "/x", [bytes(MIB)] * 40)),
    ]
    await guest.hear()
    guest.socket.shutdown(socket.SHUT_RDWR)
    for task in waiting:
        with pytest.raises(SandboxGone):
            await task


KINDS = sorted(wire.KINDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_on_a_stream_that_nobody_opened(guest: Guest, kind: int) -> None:
    for stream in (0, 9, GUEST_STREAMS - 1):
        other = Guest()
        await other.meet()
        await other.say(wire.frame(kind, stream, number(1)))
        with pytest.raises(SandboxGone):
            await gone(other.link)
        await other.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_about_a_program(guest: Guest, kind: int) -> None:
    running = await start(guest.link, Program(["x"]), ignored)
    await guest.say(wire.frame(wire.STARTED, 1), wire.frame(kind, 1, number(0)))
    if kind in {wire.STDOUT, wire.STDERR}:
        await guest.say(wire.frame(wire.EXITED, 1, number(0)))
    if kind in {wire.STDOUT, wire.STDERR, wire.EXITED}:
        assert await running.wait() == 0
        return
    with pytest.raises(SandboxGone):
        await running.wait()


@pytest.mark.parametrize(
    "frames",
    [
        [wire.frame(wire.EXITED, 1, number(0))],
        [wire.frame(wire.STDOUT, 1, b"early")],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.STARTED, 1)],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.STDOUT, 1)],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.SIDE, 1, b"x")],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.CREDIT, 1, number(1))],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.CREDIT, 1, number(0))],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.CREDIT, 1, number(-1))],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.EXITED, 1, number(256))],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.EXITED, 1, number(-65))],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.EXITED, 1, wire.packed([b"1", b"2"]))],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.EXITED, 1, b"\0\0\0")],
        [wire.frame(wire.STARTED, 1), wire.frame(wire.EXITED, 1, wire.packed([b"9" * 19]))],
    ],
)
async def test_a_program_that_cannot_be_ends_the_sandbox(guest: Guest, frames: list[bytes]) -> None:
    running = await start(guest.link, Program(["x"]), ignored)
    await guest.say(*frames)
    with pytest.raises(SandboxGone):
        await running.wait()
    if not running.started.done() or running.started.exception():
        with pytest.raises(SandboxGone):
            await running.started


@pytest.mark.parametrize("kind", [wire.EXITED, wire.STDOUT, wire.CREDIT, wire.STARTED])
async def test_a_program_that_has_ended_says_no_more(guest: Guest, kind: int) -> None:
    running = await start(guest.link, Program(["x"]), ignored)
    await guest.say(wire.frame(wire.STARTED, 1), wire.frame(wire.EXITED, 1, number(3)))
    assert await running.wait() == 3
    await guest.say(wire.frame(kind, 1, number(0)))
    with pytest.raises(SandboxGone):
        await gone(guest.link)


async def gone(link: Link) -> None:
    """Wait until it is."""
    while True:
        await link.ping()


async def read(link: Link, most: int) -> bytes:
    return b"".join([chunk async for chunk in get(link, "/x", most)])


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ([wire.frame(wire.ENTRY, 1, entry(11))], FileRefused),
        ([wire.frame(wire.ENTRY, 1, entry(-1))], SandboxGone),
        ([wire.frame(wire.ENTRY, 1, entry(1, kind=b"x"))], SandboxGone),
        ([wire.frame(wire.ENTRY, 1, b"x")], SandboxGone),
        ([wire.frame(wire.ENTRY, 1, entry(1, b"x" * 5000))], SandboxGone),
        ([wire.frame(wire.DATA, 1, b"x")], FileRefused),
        ([wire.frame(wire.DONE, 1)], FileRefused),
        ([wire.frame(wire.ENTRY, 1, entry(2)), wire.frame(wire.ENTRY, 1, entry(2))], FileRefused),
        ([wire.frame(wire.ENTRY, 1, entry(2)), wire.frame(wire.DATA, 1, b"xyz")], FileRefused),
        (
            [wire.frame(wire.ENTRY, 1, entry(2)), wire.frame(wire.DATA, 1, b"x"), wire.frame(wire.DONE, 1)],
            FileRefused,
        ),
        ([wire.frame(wire.ENTRY, 1, entry(2)), wire.frame(wire.DATA, 1)], SandboxGone),
        ([wire.frame(wire.FAILED, 1, wire.packed([b"2", b"\xff" * 999]))], FileRefused),
        ([wire.frame(wire.FAILED, 1, wire.packed([b"x", b"y"]))], SandboxGone),
        ([wire.frame(wire.FAILED, 1)], SandboxGone),
        ([wire.frame(wire.OPEN, 1, b"http")], SandboxGone),
    ],
)
async def test_a_file_that_cannot_be_is_refused(
    guest: Guest, frames: list[bytes], error: type[Exception]
) -> None:
    reading = asyncio.create_task(read(guest.link, 10))
    await guest.hear()
    await guest.say(*frames)
    with pytest.raises(error):
        await reading


@pytest.mark.parametrize(
    ("paths", "error"),
    [
        ([b"a", b"b", b"c"], FileRefused),
        ([b"../a"], FileRefused),
        ([b"/etc/passwd"], FileRefused),
        ([b"a/b/c"], FileRefused),
        ([b"a//b"], FileRefused),
        ([b"."], FileRefused),
        ([b"x" * 256], FileRefused),
        ([b""], SandboxGone),
        ([b"a\0b"], SandboxGone),
    ],
)
async def test_entries_that_cannot_be_are_refused(
    guest: Guest, paths: list[bytes], error: type[Exception]
) -> None:
    listing = asyncio.create_task(names(guest.link, "/x", most=2, levels=2))
    await guest.hear()
    await guest.say(*(wire.frame(wire.ENTRY, 1, entry(0, path)) for path in paths), wire.frame(wire.DONE, 1))
    with pytest.raises(error):
        await listing


async def test_what_was_given_up_may_still_be_under_way(guest: Guest) -> None:
    with pytest.raises(FileRefused):
        await asyncio.gather(read(guest.link, 1), guest.say(wire.frame(wire.ENTRY, 1, entry(2))))
    await guest.say(wire.frame(wire.DATA, 1, b"xy"), wire.frame(wire.DONE, 1))
    pinging = asyncio.create_task(guest.link.ping())
    kinds = [(await guest.hear())[0] for _ in range(3)]
    assert kinds == [wire.GET, wire.CLOSE, wire.PING]
    await guest.say(wire.frame(wire.PONG, 2))
    await pinging
    await guest.say(wire.frame(wire.DONE, 1))
    with pytest.raises(SandboxGone):
        await gone(guest.link)


async def test_an_answer_is_not_kept_beyond_what_was_granted(guest: Guest, grown: Callable[[], int]) -> None:
    chunks = get(guest.link, "/x", 2**40)
    reading = asyncio.ensure_future(anext(chunks))
    await guest.say(wire.frame(wire.ENTRY, 1, entry(2**40)), wire.frame(wire.DATA, 1, b"x"))
    await reading
    await flood(guest, wire.frame(wire.DATA, 1, bytes(wire.MAX_PAYLOAD)), 16 * MIB)
    with pytest.raises(SandboxGone):
        [chunk async for chunk in chunks]
    assert grown() < 4 * MIB


async def test_a_list_is_not_kept_beyond_its_bound(guest: Guest, grown: Callable[[], int]) -> None:
    listing = asyncio.create_task(names(guest.link, "/x", most=10_000, levels=8))
    await guest.hear()
    await flood(guest, wire.frame(wire.ENTRY, 1, entry(0, b"/".join([b"x" * 255] * 8))), 32 * MIB)
    with pytest.raises((SandboxGone, FileRefused)):
        await listing
    assert grown() < 24 * MIB


async def test_a_list_of_the_longest_names_is_whole(guest: Guest) -> None:
    listing = asyncio.create_task(names(guest.link, "/x", most=6000, levels=8))
    await guest.hear()
    folders = [b"x" * 255] * 7
    for number in range(6000):
        await guest.say(wire.frame(wire.ENTRY, 1, entry(0, b"/".join([*folders, b"%0255d" % number]))))
    await guest.say(wire.frame(wire.DONE, 1))
    assert len(await listing) == 6000


async def test_what_waits_of_a_list_has_a_bound(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    takers: list[Taker] = []
    stream = guest.link.stream

    def seen(taker: Taker) -> int:
        takers.append(taker)
        return stream(taker)

    monkeypatch.setattr(guest.link, "stream", seen)
    listing = asyncio.create_task(names(guest.link, "/x", most=10**6, levels=9))
    await guest.hear()

    def untaken() -> None:
        for _ in range(10**6):
            takers[0].take(wire.ENTRY, entry(0, b"x" * 255))

    with pytest.raises(wire.WireError, match="granted"):
        untaken()
    listing.cancel()


async def flood(guest: Guest, frame: bytes, count: int) -> None:
    """Send the frame over and over, so many bytes, or until the host has enough."""
    many = frame * max(1, 262144 // len(frame))
    try:
        for _ in range(count // len(many)):
            await guest.say(many)
    except OSError:
        return


async def test_a_flood_of_connections_ends_the_sandbox(guest: Guest, grown: Callable[[], int]) -> None:
    # Nobody reads the refusals.
    for stream in range(WAY, WAY + 200_000):
        try:
            await guest.say(wire.frame(wire.OPEN, stream, b"http"))
        except OSError:
            break
    with pytest.raises(SandboxGone):
        await gone(guest.link)
    assert grown() < 16 * MIB


async def test_connections_are_refused_before_a_run_and_served_within_bounds(guest: Guest) -> None:
    await guest.say(wire.frame(wire.OPEN, WAY, b"http"))
    assert await guest.hear() == (wire.CLOSE, WAY, b"")
    serving = asyncio.Event()

    async def opened(kind: str, way: Way) -> None:
        await serving.wait()

    guest.link.opened = opened
    for stream in range(WAY + 1, WAY + 1 + MOST_WAYS):
        await guest.say(wire.frame(wire.OPEN, stream, b"services"))
    await guest.say(wire.frame(wire.OPEN, WAY + 999, b"services"))
    assert await guest.hear() == (wire.CLOSE, WAY + 999, b"")
    serving.set()
    assert {(await guest.hear())[0] for _ in range(MOST_WAYS)} == {wire.CLOSE}


@pytest.mark.parametrize(
    "frames",
    [
        [wire.frame(wire.OPEN, WAY, b"ftp")],
        [wire.frame(wire.OPEN, WAY, b"http")] * 2,
        [wire.frame(wire.STDOUT, WAY, b"http")],
        [wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.STDOUT, WAY, b"x")],
        [wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.CREDIT, WAY, number(1))],
        [wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.CREDIT, WAY, number(-1))],
        [wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.DATA, WAY), wire.frame(wire.DATA, WAY)],
        [wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.DATA, WAY), wire.frame(wire.DATA, WAY, b"x")],
        [wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.CLOSE, WAY), wire.frame(wire.DATA, WAY, b"x")],
        [wire.frame(wire.OPEN, WAY, b"http"), *[wire.frame(wire.DATA, WAY, bytes(65536))] * 5],
    ],
)
async def test_a_connection_that_cannot_be_ends_the_sandbox(guest: Guest, frames: list[bytes]) -> None:
    async def opened(kind: str, way: Way) -> None:
        await asyncio.Event().wait()

    guest.link.opened = opened
    await guest.say(*frames)
    with pytest.raises(SandboxGone):
        await gone(guest.link)


async def test_what_fails_on_the_hosts_side_of_a_connection_closes_it(guest: Guest) -> None:
    async def opened(kind: str, way: Way) -> None:
        raise {"http": ValueError, "services": ConnectionResetError}[kind]

    guest.link.opened = opened
    await guest.say(wire.frame(wire.OPEN, WAY, b"http"), wire.frame(wire.OPEN, WAY + 1, b"services"))
    assert {await guest.hear(), await guest.hear()} == {(wire.CLOSE, WAY, b""), (wire.CLOSE, WAY + 1, b"")}


async def test_bytes_that_come_one_by_one_weigh_no_more(guest: Guest, grown: Callable[[], int]) -> None:
    ways: list[Way] = []

    async def opened(kind: str, way: Way) -> None:
        ways.append(way)
        await asyncio.Event().wait()

    guest.link.opened = opened
    await guest.say(wire.frame(wire.OPEN, WAY, b"http"))
    await flood(guest, wire.frame(wire.DATA, WAY, b"x"), 262144)
    pinging = asyncio.create_task(guest.link.ping())
    await guest.hear()
    await guest.say(wire.frame(wire.PONG, 1))
    await pinging
    assert len(await ways[0].read()) > 20_000
    assert grown() < MIB


async def test_a_flood_of_tiny_frames_leaves_others_their_turn(guest: Guest) -> None:
    running = await start(guest.link, Program(["x"]), ignored)
    flooding = asyncio.create_task(flood(guest, wire.frame(wire.STDERR, 1, b"x"), 64 * MIB))
    await guest.say(wire.frame(wire.STARTED, 1))
    await running.started
    other = Guest()
    await other.meet()
    for stream in range(1, 20):
        pinging = asyncio.create_task(other.link.ping())
        await other.hear()
        await other.say(wire.frame(wire.PONG, stream))
        await pinging
    await other.close()
    assert not flooding.done()
    await guest.link.close()
    await flooding


async def test_a_cancelled_send_leaves_a_whole_frame(guest: Guest) -> None:
    payload = bytes(wire.MAX_PAYLOAD)
    sending = [asyncio.create_task(guest.link.send(wire.DATA, 1, payload)) for _ in range(20)]
    await asyncio.wait(sending, timeout=0.1)
    for task in sending:
        task.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    assert any(task.cancelled() for task in sending)
    pinging = asyncio.create_task(guest.link.ping())
    assert [await guest.hear() for _ in range(20)] == [(wire.DATA, 1, payload)] * 20
    assert (await guest.hear())[0] == wire.PING
    await guest.say(wire.frame(wire.PONG, 1))
    await pinging


USES: list[Callable[[Link], Awaitable[object]]] = [
    lambda link: link.ping(),
    lambda link: link.send(wire.KILL),
    lambda link: start(link, Program(["x"]), ignored),
    lambda link: put(link, "/x", [b"x"]),
    lambda link: read(link, 1),
    lambda link: names(link, "/", most=1, levels=1),
]


@pytest.mark.parametrize("use", USES)
async def test_whatever_is_asked_of_a_sandbox_that_is_gone_says_so(
    guest: Guest, use: Callable[[Link], Awaitable[object]]
) -> None:
    await guest.link.close()
    with pytest.raises(SandboxGone, match="it was closed"):
        await use(guest.link)
    await guest.link.close()
