"""The queue before the sandboxes: bounded, fair between tenants, and safe to leave at any moment."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.errors import SandboxBusy
from raptorflow.sandbox.pool.fairness import FairLine
from raptorflow.sandbox.pool.metrics import QUEUE_SECONDS, REFUSED, RUNNING, WAITING
from raptorflow.sandbox.pool.settings import QueueSettings

log = logger(__name__)

FIRST_GUESS_SECONDS = 1.0
WEIGHT_OF_LAST = 0.2
LONGEST_RETRY_SECONDS = 60


@dataclass(eq=False)
class _Ticket:
    turn: asyncio.Future[None]
    has_place: bool = False


class Admission:
    """At most so many sandboxes at once.

    Args:
        max_concurrent: places.
        settings: caps and weights of tenants.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        max_concurrent: int,
        settings: QueueSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = max_concurrent
        self._settings = settings
        self._clock = clock
        cap = settings.running_cap(max_concurrent)
        self._line = FairLine[_Ticket](max_concurrent, cap, self._weight_of)
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False
        self._stay = FIRST_GUESS_SECONDS

    @property
    def running(self) -> int:
        """Places that are taken."""
        return self._line.running

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._line.waiting

    @asynccontextmanager
    async def place(self, tenant: str) -> AsyncGenerator[None]:
        """Wait for a place and hold it. Cancelling gives it back, or leaves the queue.

        Raises:
            SandboxBusy: too many wait already, or no more are taken; `details` says how many run and wait,
                and when to come back.
        """
        asked = self._clock()
        await self._enter(tenant)
        began = self._clock()
        QUEUE_SECONDS.observe(began - asked)
        try:
            yield
        finally:
            self._stay += WEIGHT_OF_LAST * (self._clock() - began - self._stay)
            self._leave(tenant)

    async def drain(self, seconds: float) -> int:
        """Take no more, send away who waits, let the others end.

        Args:
            seconds: how long they may take.

        Returns:
            How many have not ended.
        """
        self._draining = True
        for ticket in self._line.all_waiting():
            if not ticket.turn.done():
                ticket.turn.set_exception(self._closing())
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            log.warning("sandboxes did not end in time", running=self.running, seconds=seconds)
        return self.running

    def _weight_of(self, tenant: str) -> float:
        return self._settings.tenant_weights.get(tenant, 1.0)

    async def _enter(self, tenant: str) -> None:
        if self._draining:
            raise self._closing()
        ticket = _Ticket(asyncio.get_running_loop().create_future())
        self._line.join(tenant, ticket)
        self._call()
        try:
            if not ticket.turn.done():
                self._check_room(tenant)
            await ticket.turn
        except BaseException:
            self._withdraw(tenant, ticket)
            raise

    def _withdraw(self, tenant: str, ticket: _Ticket) -> None:
        """A turn may come between a cancellation and this; then the place is given back."""
        if ticket.has_place:
            self._leave(tenant)
        else:
            self._line.quit(tenant, ticket)
            self._note()

    def _leave(self, tenant: str) -> None:
        self._line.done(tenant)
        self._call()

    def _call(self) -> None:
        """Give free places to whose turn it is."""
        while not self._draining and (ticket := self._line.next()):
            ticket.has_place = True
            if not ticket.turn.done():
                ticket.turn.set_result(None)
        self._note()

    def _check_room(self, tenant: str) -> None:
        """The one who asks stands in line already, and is not counted."""
        of_tenant, waiting = self._line.waiting_of(tenant) - 1, self.waiting - 1
        if of_tenant >= self._settings.tenant_waiting:
            message = f"{of_tenant} runs of this organisation wait for a sandbox; no more may wait."
            raise self._refusal("tenant", message, waiting)
        if waiting >= self._settings.max_waiting:
            raise self._refusal("all", f"{waiting} runs wait for a sandbox; no more may wait.", waiting)

    def _refusal(self, reason: str, message: str, waiting: int) -> SandboxBusy:
        REFUSED.labels(reason).inc()
        expected = self._stay * (waiting + 1) / self._places
        details = {
            "reason": reason,
            "running": self.running,
            "waiting": waiting,
            "retry_after_seconds": min(LONGEST_RETRY_SECONDS, max(1, math.ceil(expected))),
        }
        return SandboxBusy(message, details=details)

    def _closing(self) -> SandboxBusy:
        return self._refusal("draining", "No more sandboxes are started here.", self.waiting)

    def _note(self) -> None:
        RUNNING.set(self.running)
        WAITING.set(self.waiting)
        if self.running:
            self._empty.clear()
        else:
            self._empty.set()
