"""One connection of a sandbox, from its first byte to its last."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from traceback import extract_tb

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.broker.decisions import Kind
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.broker.errors import (
    BrokerFailure,
    ConnectionLost,
    EgressDenied,
    PolicyChanged,
    TookTooLong,
    TooSlow,
)
from raptorflow.sandbox.broker.guest import Guest
from raptorflow.sandbox.broker.passage import Passage
from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.wire.streams import Counted

log = logger(__name__)


class Visit:
    """Serves one stream; however that ends, the stream is closed and what came of it is written down.

    Args:
        guest: whose stream it is.
        stream: from the sandbox.
    """

    def __init__(self, guest: Guest, stream: Stream) -> None:
        self.guest = guest
        self.below = stream
        self.stream: Stream = Counted(stream, self._up, self._down)
        self.passage = Passage(guest, "connection", "")
        self._task: asyncio.Task[None] | None = None
        self._cause: EgressDenied | None = None
        self._loop = asyncio.get_running_loop()
        self._moved = self._loop.time()

    async def run(self, serve: "Callable[[Visit], Awaitable[None]]") -> None:
        """Serve it to its end; every failure is a refusal, and none is raised."""
        self._task = asyncio.current_task()
        limits = self.guest.means.limits
        too_long = TookTooLong(f"A connection may last {limits.connection_seconds:g} s.")
        timers = [self._loop.call_later(limits.connection_seconds, self.cut, too_long)]
        timers.append(self._loop.call_later(limits.idle_seconds, self._look, timers))
        failure: EgressDenied | None = None
        try:
            await serve(self)
            # Closed without an end, what was sent last need not arrive.
            await self.stream.end()
        except asyncio.CancelledError:
            failure = self._cause or ConnectionLost("The sandbox let go of it.")
            if not self._cause:
                raise
        except Exception as error:
            failure = as_denial(error)
        finally:
            for timer in timers:
                timer.cancel()
            self.stream.close()
            self.passage.finish(failure)

    def open(self, kind: Kind, host: str, port: int = 0) -> Passage:
        """Begin with another destination; the one before is over."""
        former = self.passage
        former.finish(None)
        self.passage = Passage(self.guest, kind, host, port)
        self.passage.follow(former)
        return self.passage

    def reconsider(self, rules: Rules) -> None:
        """End it when other rules no longer allow what it does."""
        if not self.passage.permitted(rules):
            self.cut(PolicyChanged("What the skill may reach has changed."))

    def cut(self, cause: EgressDenied) -> None:
        """End it now."""
        self._cause = self._cause or cause
        if self._task:
            self._task.cancel()

    @asynccontextmanager
    async def hurry(self, seconds: float | None = None) -> AsyncGenerator[None]:
        """A step that must not take long.

        Raises:
            TooSlow: it did.
        """
        seconds = seconds or self.guest.means.limits.handshake_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise TooSlow(f"That took longer than {seconds:g} s.") from error

    @asynccontextmanager
    async def refusing(self, refuse: Callable[[EgressDenied], Awaitable[None]]) -> AsyncGenerator[None]:
        """Write a failure down and tell the sandbox, in the words of the protocol it speaks.

        Raises:
            EgressDenied: the failure, whatever it was.
        """
        try:
            yield
        except Exception as error:
            denial = as_denial(error)
            self.passage.finish(denial)
            with suppress(OSError, EgressDenied):
                await refuse(denial)
            raise denial from error

    def _look(self, timers: list[asyncio.TimerHandle]) -> None:
        """Whether anything moved lately; looked at seldom, so that moving costs next to nothing."""
        idle = self.guest.means.limits.idle_seconds
        left = self._moved + idle - self._loop.time()
        if left <= 0:
            self.cut(TooSlow(f"Nothing moved for {idle:g} s."))
        else:
            timers[-1] = self._loop.call_later(left, self._look, timers)

    def _up(self, count: int) -> None:
        self._stop_if_cut()
        self._moved = self._loop.time()
        self.passage.bytes_up += count
        self.guest.caps.up(count)

    def _down(self, count: int) -> None:
        self._stop_if_cut()
        self._moved = self._loop.time()
        self.passage.bytes_down += count
        self.guest.caps.down(count)

    def _stop_if_cut(self) -> None:
        """A task that is cancelled may still write until it next waits."""
        if self._cause:
            raise self._cause


def as_denial(error: Exception) -> EgressDenied:
    """Any failure as a refusal; what nobody foresaw is the broker's own, and says no more than that."""
    if isinstance(error, EgressDenied):
        return error
    if isinstance(error, OSError):
        return ConnectionLost("The connection broke.")
    # Not the error's own words: they could quote a secret. Nor while it is being handled: a log that cannot
    # be written says so with all errors that led there.
    place = extract_tb(error.__traceback__)[-1]
    told = {"error": type(error).__qualname__, "at": f"{place.filename}:{place.lineno}"}
    asyncio.get_running_loop().call_soon(partial(log.error, "the broker failed", **told))
    return BrokerFailure("The broker failed; nothing was passed on.")
