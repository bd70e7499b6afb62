"""The audit log of this process: records are taken at once, written in order, and never dropped."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from prometheus_client import Counter

from raptorflow.base.clock import utc_now
from raptorflow.base.json import JsonObject
from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.sandbox.audit.chain import Head, Seal
from raptorflow.sandbox.audit.errors import AuditUnavailable
from raptorflow.sandbox.audit.folding import Folding
from raptorflow.sandbox.audit.records import Entry, Subject
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.audit.writer import ChainWriter, fields_of

log = logger(__name__)

RECORDS = Counter("raptorflow_sandbox_audit_records_total", "Records written", ["kind"])
FAILURES = Counter("raptorflow_sandbox_audit_failures_total", "Writes that the disk did not take")

MOST_AT_ONCE = 512


class AuditLog:
    """Takes records, and writes them in batches: one wait for the disk serves all that came meanwhile.

    Args:
        folder: where; made when missing.
        settings: sizes and the key.
        clock: aware UTC.
    """

    def __init__(
        self, folder: Path, settings: AuditSettings, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._folding = Folding(settings.egress_in_full)
        self._queue: asyncio.Queue[JsonObject] = asyncio.Queue(settings.queue)
        self._chain: ChainWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = None
        self._unwritten = 0
        self._closed = False

    async def start(self) -> None:
        """Take a chain and begin to write.

        Raises:
            AuditUnavailable: the folder cannot be used.
        """
        seal = Seal(self._settings.key_bytes())
        try:
            self._chain = await asyncio.to_thread(
                ChainWriter, self._folder, seal, self._settings.max_file_bytes, self._clock
            )
        except OSError as error:
            raise AuditUnavailable(f"The audit log cannot be written: {error}.") from error
        self._task = asyncio.create_task(self._write(self._chain))

    def check(self) -> None:
        """Verify that what happens is being written; asked before a sandbox is made.

        Raises:
            AuditUnavailable: it is not.
        """
        if self._task is None or self._task.done():
            raise AuditUnavailable("The audit log is not open.")
        if self._trouble:
            raise AuditUnavailable(f"The audit log cannot be written: {self._trouble}.")

    async def add(self, subject: Subject, entry: Entry) -> None:
        """Write something down. Waits while too much waits to be written; `flush` waits for the disk.

        Raises:
            AuditUnavailable: the disk takes nothing, and no more can be kept in memory; or the log is
                closed.
        """
        if self._closed:
            raise AuditUnavailable("The audit log is closed.")
        if self._queue.full():
            self.check()
        for record in self._folding.fold(subject, entry):
            await self._put(fields_of(self._clock(), subject, record))
            self._unwritten += 1

    async def flush(self) -> None:
        """Wait until all that was added is on the disk."""
        await self._queue.join()

    @property
    def head(self) -> Head | None:
        """The newest record that is on the disk; None before `start`. Noted elsewhere, it anchors the log."""
        return self._chain.head if self._chain else None

    async def close(self) -> None:
        """Write what is left, and let the chain go. Nothing more is taken."""
        self._closed = True
        if self._task is None or self._chain is None:
            return
        try:
            async with asyncio.timeout(self._settings.close_seconds):
                await self._queue.join()
        except TimeoutError:
            log.error("audit records were not written", records=self._unwritten, reason=self._trouble)
        await end_tasks([self._task])
        await asyncio.to_thread(self._chain.close)
        self._task = None

    async def _put(self, record: JsonObject) -> None:
        """Wait for room, as long as some may come."""
        putting = asyncio.ensure_future(self._queue.put(record))
        try:
            while not putting.done():
                await asyncio.wait({putting}, timeout=self._settings.retry_seconds)
                if not putting.done():
                    self.check()
        finally:
            putting.cancel()

    async def _write(self, chain: ChainWriter) -> None:
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and len(batch) < MOST_AT_ONCE:
                batch.append(self._queue.get_nowait())
            await self._keep(chain, batch)
            self._unwritten -= len(batch)
            for record in batch:
                RECORDS.labels(record["kind"]).inc()
                self._queue.task_done()

    async def _keep(self, chain: ChainWriter, batch: list[JsonObject]) -> None:
        """Until the disk takes it: what happened is not forgotten because a disk was full."""
        while True:
            try:
                await asyncio.to_thread(chain.append, batch)
            except OSError as error:
                FAILURES.inc()
                if not self._trouble:
                    log.error("audit log cannot be written", folder=str(self._folder), reason=str(error))
                self._trouble = str(error)
                await asyncio.sleep(self._settings.retry_seconds)
            else:
                if self._trouble:
                    log.info("audit log is written again", folder=str(self._folder))
                self._trouble = None
                return
