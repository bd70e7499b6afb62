"""The host's end of a channel: one `Link` a sandbox. It believes nothing of what it reads.

A frame that is malformed, out of order, of the wrong side, or for a stream that nobody opened ends the
sandbox. A flood of frames is read no faster than `FRAMES_A_TICK`, so other sandboxes do not wait for it.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.ways import Way
from raptorflow.sandbox.driver import Channel
from raptorflow.sandbox.errors import SandboxGone

log = logger(__name__)

NONCE_BYTES, SEED_BYTES = 16, 64
FRAMES_A_TICK = 256
GUEST_STREAMS = 0x800000
MOST_WAYS = 256
# The last that comes on a stream.
LAST = frozenset({wire.EXITED, wire.DONE, wire.FAILED, wire.PONG})

Opened = Callable[[str, Way], Coroutine[Any, Any, None]]


class Taker(Protocol):
    """Who has opened a stream and takes its frames."""

    def take(self, kind: int, payload: bytes) -> None:
        """The next frame.

        Raises:
            WireError: it is not what may come now.
        """
        ...

    def lost(self, error: Exception) -> None:
        """The sandbox has ended; nothing comes any more."""
        ...


class Link:
    """Frames to and from one guest agent.

    Args:
        channel: to the agent.

    Attributes:
        opened: called with "http" or "services" and a way whenever a program inside asks for a way out; None
            refuses every one, and is what a sandbox is born with.
        landlock: the version of Landlock that programs inside are held by; 0 for none.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.opened: Opened | None = None
        self._reader = wire.Reader()
        self._takers: dict[int, Taker] = {}
        self._given_up: set[int] = set()
        self._ways: dict[int, tuple[Way, asyncio.Task[None]]] = {}
        self._next = 0
        self._greeted = False
        self._reading: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._writing: set[asyncio.Task[None]] = set()
        self._error: SandboxGone | None = None
        self.landlock = 0

    async def open(self) -> None:
        """Meet the agent.

        Raises:
            SandboxGone: it ended, or it is not the agent that was started.
        """
        born = self._takers[0] = _Once(wire.BORN)
        self._reading = asyncio.create_task(self._read())
        try:
            await self._meet(born)
        except wire.WireError as error:
            raise self._fail(f"its agent broke the protocol: {error}") from error

    async def ping(self) -> None:
        """Wait for a sign of life.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        await self._ask(wire.PING, wire.PONG)

    async def rekey(self) -> None:
        """Make a copy of a frozen guest another one: with randomness of its own, and the clock of now.

        Raises:
            SandboxGone: the sandbox has ended, or could not become another.
        """
        seed, now = secrets.token_bytes(SEED_BYTES), b"%d" % (time.time_ns() // 1000)
        await self._ask(wire.REKEY, wire.DONE, wire.packed([seed, now]))

    def stream(self, taker: Taker) -> int:
        """A stream of its own for a taker.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        self._check()
        self._next += 1
        if self._next >= GUEST_STREAMS:
            raise self._fail("it has used up its streams")
        self._takers[self._next] = taker
        return self._next

    def forget(self, stream: int) -> None:
        """The guest has ended a stream: nothing more may come on it."""
        self._takers.pop(stream, None)

    def give_up(self, stream: int) -> None:
        """End a stream from here; what is still under way for it is let pass."""
        if self._takers.pop(stream, None) and not self._error:
            self._given_up.add(stream)
            self._start_writing(wire.frame(wire.CLOSE, stream))

    async def send(self, kind: int, stream: int = 0, payload: bytes = b"") -> None:
        """Send one frame; waits while the guest does not read.

        Whoever is cancelled while waiting leaves a whole frame behind, never a part of one.

        Raises:
            SandboxGone: the sandbox has ended.
        """
        self._check()
        await asyncio.shield(self._start_writing(wire.frame(kind, stream, payload)))

    async def close(self) -> None:
        """Let go of the channel, and of all that was open on it."""
        self._fail("it was closed")
        tasks = {*self._writing, *(task for _, task in self._ways.values())}
        if self._reading:
            tasks.add(self._reading)
        await end_tasks([task for task in tasks if task is not asyncio.current_task()])

    async def _ask(self, kind: int, answered: int, payload: bytes = b"") -> None:
        """Send one frame, and wait for the one that answers it."""
        answer = _Once(answered)
        stream = self.stream(answer)
        try:
            await self.send(kind, stream, payload)
            await answer.value()
        except asyncio.CancelledError:
            self.give_up(stream)
            raise
        self.forget(stream)

    async def _meet(self, born: "_Once") -> None:
        nonce = secrets.token_hex(NONCE_BYTES).encode()
        if wire.unpacked(await born.value(), 1) != [wire.VERSION]:
            raise self._fail("its agent speaks another version of the protocol")
        ready = self._takers[0] = _Once(wire.READY)
        await self.send(wire.HELLO, 0, wire.packed([nonce]))
        answered, version = wire.unpacked(await ready.value(), 2)
        if not secrets.compare_digest(answered, nonce):
            raise self._fail("its agent is not the one that was greeted")
        self.landlock = max(0, wire.number(version))
        self._takers[0] = _Refusal()
        self._greeted = True

    def _start_writing(self, frame: bytes) -> asyncio.Task[None]:
        task = asyncio.create_task(self._write(frame))
        self._writing.add(task)
        task.add_done_callback(self._written)
        return task

    async def _write(self, frame: bytes) -> None:
        async with self._turn:
            self._check()
            try:
                await self._channel.write(frame)
            except OSError as error:
                raise self._fail("its channel is closed") from error

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            # Nobody may be waiting for it any more; the reason is told to whoever asks next.
            task.exception()

    async def _read(self) -> None:
        try:
            while chunk := await self._channel.read():
                await self._take(chunk)
            self._fail("it has ended")
        except wire.WireError as error:
            self._fail(f"its agent broke the protocol: {error}")
        except OSError:
            self._fail("its channel is closed")
        except Exception:
            # Whatever it is, nobody may wait for ever for what is not read any more.
            self._fail("what it sent could not be taken")
            log.exception("a frame could not be taken")

    async def _take(self, chunk: bytes) -> None:
        for count, frame in enumerate(self._reader.feed(chunk), 1):
            self._check()
            self._dispatch(frame)
            if count % FRAMES_A_TICK == 0:
                await asyncio.sleep(0)
        # A guest that always has more to say would otherwise never let anybody else have a turn.
        await asyncio.sleep(0)

    def _dispatch(self, frame: wire.Frame) -> None:
        kind, stream, payload = frame
        if stream >= GUEST_STREAMS:
            self._way(kind, stream, payload)
        elif taker := self._takers.get(stream):
            taker.take(kind, payload)
        elif stream not in self._given_up:
            raise wire.WireError(f"a frame for stream {stream}, which is not open")
        elif kind in LAST:
            self._given_up.discard(stream)

    def _way(self, kind: int, stream: int, payload: bytes) -> None:
        """A frame of a connection that a program inside has made."""
        if not self._greeted:
            raise wire.WireError("a connection before the greeting")
        if kind == wire.OPEN:
            self._open_way(stream, payload)
        elif stream in self._ways:
            self._ways[stream][0].take(kind, payload)
        elif kind not in {wire.DATA, wire.CREDIT, wire.CLOSE}:
            raise wire.WireError(f"a frame of kind {kind} for a connection")

    def _open_way(self, stream: int, payload: bytes) -> None:
        if stream in self._ways or payload not in {b"http", b"services"}:
            raise wire.WireError("a connection that cannot be opened")
        if len(self._ways) >= 2 * MOST_WAYS:
            raise wire.WireError("more connections than an agent lets be made")
        way = Way(stream, self.send)
        opened = self.opened if len(self._ways) < MOST_WAYS else None
        task = asyncio.create_task(self._serve(opened, payload.decode(), way))
        self._ways[stream] = (way, task)
        task.add_done_callback(lambda _: self._ways.pop(stream, None))

    async def _serve(self, opened: Opened | None, kind: str, way: Way) -> None:
        try:
            if opened:
                await opened(kind, way)
        except (ConnectionError, SandboxGone):
            # The program inside has gone away; that is no fault of anybody's.
            return
        except Exception:
            log.exception("a way out of a sandbox failed", kind=kind)
        finally:
            await way.finish()

    def _check(self) -> None:
        if self._error:
            raise self._error

    def _fail(self, why: str) -> SandboxGone:
        """End everything that waits, and the channel with it; the first reason counts."""
        if self._error is None:
            self._error = SandboxGone(f"The sandbox is gone: {why}.")
            for taker in list(self._takers.values()):
                taker.lost(self._error)
            for way, _ in list(self._ways.values()):
                way.lost()
            self._channel.close()
        return self._error


class _Once:
    """Waits for one frame of one kind."""

    def __init__(self, kind: int) -> None:
        self._kind = kind
        self._value: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def value(self) -> bytes:
        """Its payload."""
        return await self._value

    def take(self, kind: int, payload: bytes) -> None:
        if kind != self._kind or self._value.done():
            raise wire.WireError(f"a frame of kind {kind} instead of {self._kind}")
        self._value.set_result(payload)

    def lost(self, error: Exception) -> None:
        if not self._value.done():
            self._value.set_exception(error)
            # Whether anybody waits for it or not: the reason is told to whoever asks.
            self._value.exception()


class _Refusal:
    """After the greeting the agent itself has nothing more to say."""

    def take(self, kind: int, payload: bytes) -> None:
        raise wire.WireError(f"a frame of kind {kind} for nobody")

    def lost(self, error: Exception) -> None:
        pass
