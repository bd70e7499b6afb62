"""The web process's side of the live stream: one reader for all, fanning out to whoever watches.

A watched run has a feed: the envelopes that Valkey has of it, from the first. A watcher gets, through its
`RunView`, what PostgreSQL has after its number, then the feed, then what comes. The view sorts out overlaps.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from redis.exceptions import RedisError

from raptorflow.base.ids import new_id
from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.core.valkey import Valkey
from raptorflow.orchestrator.events import RunRef
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.channels import stream_of, wake_of
from raptorflow.orchestrator.streams.envelope import Envelope, unpack
from raptorflow.orchestrator.streams.view import RunView

log = logger(__name__)

WAKE_SECONDS = 60
FIRST = "0"


class Sink(Protocol):
    """Where a watcher's frames go."""

    def put(self, frames: Sequence[str], *, replayed: bool = False) -> None:
        """Take frames without waiting; a sink that is full of live ones closes itself."""
        ...

    def run_ended(self, run_id: UUID) -> None:
        """The run's last event was put."""
        ...


class EventSource(Protocol):
    """Reads numbered events from PostgreSQL."""

    async def events_after(self, ref: RunRef, after: int) -> list[Envelope]:
        """A run's events with a greater number, in order."""
        ...

    async def newest_numbers(self, run_ids: Sequence[UUID]) -> dict[UUID, int]:
        """The newest number of each run."""
        ...


@dataclass(eq=False)
class Watch:
    """One watcher of one run."""

    view: RunView
    sink: Sink
    catching_up: bool = False


@dataclass
class _Feed:
    """A watched run: what Valkey gave of it so far, and who watches."""

    ref: RunRef
    last_id: str = FIRST
    envelopes: list[Envelope] = field(default_factory=list[Envelope])
    watches: list[Watch] = field(default_factory=list[Watch])


class EventHub:
    """Reads the streams of watched runs and hands their events to the watchers.

    Args:
        valkey: where live events come from.
        source: where lost ones are found again.
        settings: buffer sizes and the pace of the comparison with PostgreSQL.
    """

    def __init__(self, valkey: Valkey, source: EventSource, settings: OrchestratorSettings) -> None:
        self._valkey = valkey
        self._source = source
        self._settings = settings
        self._feeds: dict[UUID, _Feed] = {}
        self._wake = wake_of(str(new_id()))
        self._wake_id = FIRST
        self._tasks: list[asyncio.Task[None]] = []
        self._catch_ups: set[asyncio.Task[None]] = set()
        self._waiting = False
        self._any = asyncio.Event()

    def watch(self, ref: RunRef, after: int, sink: Sink) -> Watch:
        """Send a run's events after a number to a sink, from now on and until `unwatch`."""
        self._start()
        watch = Watch(RunView(ref, last=after), sink)
        feed = self._feeds.get(ref.run_id)
        if feed is None:
            feed = self._feeds[ref.run_id] = _Feed(ref)
            self._interrupt()
        feed.watches.append(watch)
        return watch

    async def catch_up(self, watch: Watch) -> None:
        """Read what a watcher misses from PostgreSQL, then go on with what Valkey gave."""
        if watch.catching_up:
            return
        watch.catching_up = True
        try:
            view = watch.view
            view.behind = False
            for envelope in await self._source.events_after(view.ref, view.last):
                self._hand(watch, envelope, replayed=True)
        finally:
            watch.catching_up = False
        feed = self._feeds.get(watch.view.ref.run_id)
        for envelope in tuple(feed.envelopes) if feed else ():
            self._hand(watch, envelope, replayed=True)

    def unwatch(self, watch: Watch) -> None:
        """Send nothing more to a watcher."""
        run_id = watch.view.ref.run_id
        feed = self._feeds.get(run_id)
        if feed and watch in feed.watches:
            feed.watches.remove(watch)
            if not feed.watches:
                del self._feeds[run_id]

    async def close(self) -> None:
        """Stop reading."""
        await end_tasks([*self._tasks, *self._catch_ups])
        self._tasks = []

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._compare())]

    def _interrupt(self) -> None:
        self._any.set()
        if self._waiting:
            self._waiting = False
            self._spawn(self._send_wake())

    async def _send_wake(self) -> None:
        try:
            await self._valkey.xadd(self._wake, {"wake": 1}, maxlen=1)
            await self._valkey.expire(self._wake, WAKE_SECONDS)
        except (RedisError, OSError) as error:
            log.warning("reader not woken", error=str(error))

    async def _read(self) -> None:
        while True:
            if not self._feeds:
                self._any.clear()
                await self._any.wait()
            try:
                await self._read_once()
            except Exception as error:
                log.warning("live stream not read", error=str(error))
                await asyncio.sleep(self._settings.stream_poll_seconds)

    async def _read_once(self) -> None:
        streams = {stream_of(run_id): feed.last_id for run_id, feed in self._feeds.items()}
        by_key = {stream_of(run_id): feed for run_id, feed in self._feeds.items()}
        streams[self._wake] = self._wake_id
        self._waiting = True
        try:
            block = int(self._settings.stream_poll_seconds * 1000)
            answer = await self._valkey.xread(streams, block=block)
        finally:
            self._waiting = False
        for key, entries in answer:
            if key == self._wake:
                self._wake_id = entries[-1][0]
                continue
            feed = by_key[key]
            feed.last_id = entries[-1][0]
            for _, fields in entries:
                self._take(feed, unpack(fields))

    def _take(self, feed: _Feed, envelopes: Sequence[Envelope]) -> None:
        feed.envelopes += envelopes
        del feed.envelopes[: -self._settings.live_stream_entries]
        for watch in tuple(feed.watches):
            for envelope in envelopes:
                self._hand(watch, envelope)

    def _hand(self, watch: Watch, envelope: Envelope, *, replayed: bool = False) -> None:
        if watch.view.ended:
            return
        frames = watch.view.frames(envelope)
        if frames:
            watch.sink.put(frames, replayed=replayed)
        if watch.view.ended:
            self.unwatch(watch)
            watch.sink.run_ended(watch.view.ref.run_id)
        elif watch.view.behind and not watch.catching_up:
            self._spawn(self._catch_up_later(watch))

    async def _compare(self) -> None:
        """Find what Valkey lost: now and then compare the numbers sent with PostgreSQL's."""
        while True:
            await asyncio.sleep(self._settings.stream_poll_seconds)
            if not self._feeds:
                continue
            try:
                await self._compare_once()
            except Exception as error:
                log.warning("streams not compared", error=str(error))

    async def _compare_once(self) -> None:
        newest = await self._source.newest_numbers(list(self._feeds))
        for run_id, number in newest.items():
            feed = self._feeds.get(run_id)
            for watch in tuple(feed.watches) if feed else ():
                if watch.view.last < number:
                    await self.catch_up(watch)

    async def _catch_up_later(self, watch: Watch) -> None:
        try:
            await self.catch_up(watch)
        except Exception as error:
            # The next comparison finds it still behind.
            log.warning("stream not caught up", error=str(error))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._catch_ups.add(task)
        task.add_done_callback(self._catch_ups.discard)
