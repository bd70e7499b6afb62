"""The web process's news to workers and windows. Without Valkey they find out by looking."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from redis.exceptions import RedisError

from raptorflow.core.telemetry import logger
from raptorflow.core.valkey import Valkey
from raptorflow.orchestrator.events import NewEvent, RunRef
from raptorflow.orchestrator.streams.board import SessionBoard
from raptorflow.orchestrator.streams.channels import ACCEPTED, CANCEL, QUEUE
from raptorflow.orchestrator.streams.envelope import numbered
from raptorflow.orchestrator.streams.publisher import Publisher

log = logger(__name__)


@dataclass(frozen=True)
class EndedRun:
    """A run that the web process ended, and the number of its last event."""

    ref: RunRef
    seq: int


class RunNews:
    """Tells what the web process did to runs, after the commit that did it.

    Args:
        valkey: the way to other processes.
        board: the windows of this one.
        publisher: sends events.
    """

    def __init__(self, valkey: Valkey, board: SessionBoard, publisher: Publisher) -> None:
        self._valkey = valkey
        self._board = board
        self._publisher = publisher

    async def accepted(self, ref: RunRef) -> None:
        """Wake a worker, and tell the session's other windows."""
        self._board.accepted(ref)
        pipeline = self._valkey.pipeline(transaction=False)
        pipeline.rpush(QUEUE, str(ref.run_id))
        pipeline.publish(ACCEPTED, f"{ref.session_id} {ref.run_id} {ref.org_id}")
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            log.warning("run not announced", run_id=str(ref.run_id), error=str(error))

    def ended(self, run: EndedRun, event: NewEvent) -> None:
        """Send the last event of a run that no worker ends."""
        self._publisher.send(run.ref.run_id, [numbered(run.ref, run.seq, event.type, event.payload)])

    async def to_cancel(self, run_ids: Sequence[UUID]) -> None:
        """Tell the workers of some runs to end them; otherwise their heartbeat finds out."""
        if not run_ids:
            return
        pipeline = self._valkey.pipeline(transaction=False)
        for run_id in run_ids:
            pipeline.publish(CANCEL, str(run_id))
        try:
            await pipeline.execute()
        except (RedisError, OSError) as error:
            log.warning("cancellation waits for the worker's heartbeat", error=str(error))
