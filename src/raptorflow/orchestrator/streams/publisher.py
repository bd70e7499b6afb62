"""The worker's side of the live stream: events out to Valkey, many in one round trip.

Nothing here may fail a run. Valkey carries copies: what it loses, clients read from PostgreSQL.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from redis.exceptions import RedisError

from raptorflow.core.telemetry import logger
from raptorflow.core.valkey import Valkey
from raptorflow.orchestrator.metrics import EVENTS_LOST
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.channels import QUEUE, stream_of
from raptorflow.orchestrator.streams.envelope import Envelope, pack

log = logger(__name__)

MOST_WAITING = 20_000


class Publisher:
    """Sends envelopes in the order they come, one pipeline at a time.

    Args:
        valkey: where to.
        settings: how long streams are kept.
    """

    def __init__(self, valkey: Valkey, settings: OrchestratorSettings) -> None:
        self._valkey = valkey
        self._settings = settings
        self._waiting: list[tuple[UUID, Envelope]] = []
        self._wake: list[str] = []
        self._sender: asyncio.Task[None] | None = None

    def send(self, run_id: UUID, envelopes: Sequence[Envelope]) -> None:
        """Queue a run's envelopes; live ones are dropped when too many wait."""
        if len(self._waiting) > MOST_WAITING:
            EVENTS_LOST.inc(len(envelopes))
            return
        self._waiting.extend((run_id, envelope) for envelope in envelopes)
        self._start()

    def wake_worker(self, run_id: UUID) -> None:
        """Announce that a run waits for a worker."""
        self._wake.append(str(run_id))
        self._start()

    async def drain(self) -> None:
        """Wait until everything queued has been sent, or given up."""
        if self._sender:
            await asyncio.wait([self._sender])

    def _start(self) -> None:
        if self._sender is None:
            self._sender = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting or self._wake:
                batch, self._waiting = self._waiting, []
                wake, self._wake = self._wake, []
                await self._send(batch, wake)
        finally:
            self._sender = None

    async def _send(self, batch: Sequence[tuple[UUID, Envelope]], wake: Sequence[str]) -> None:
        by_run: dict[UUID, list[Envelope]] = defaultdict(list)
        for run_id, envelope in batch:
            by_run[run_id].append(envelope)
        pipeline = self._valkey.pipeline(transaction=False)
        for run_id, envelopes in by_run.items():
            key = stream_of(run_id)
            pipeline.xadd(key, pack(envelopes), maxlen=self._settings.live_stream_entries, approximate=True)
            pipeline.expire(key, self._settings.live_stream_seconds)
        if wake:
            pipeline.rpush(QUEUE, *wake)
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            EVENTS_LOST.inc(len(batch))
            log.warning("live events lost", count=len(batch), error=str(error))
