"""Runs in the pure tier as the manager wants them: written down like any other, or left to a sandbox."""

import asyncio
import dataclasses

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.drivers.monty.runner import CameBy
from raptorflow.sandbox.drivers.monty.tier import PureTier, Unsuited
from raptorflow.sandbox.metrics import observe, observe_left_pure
from raptorflow.sandbox.probing import Boundary
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.journal import Journal, Place
from raptorflow.sandbox.running.live import new_sandbox_id
from raptorflow.sandbox.spec import SandboxSpec


class PureRun:
    """A single use: make it, `await result()` once.

    Args:
        tier: where it is tried.
        journal: where it is written down.
        spec: what to run.
        watch: runs since the request.
        instead_of: what would stand between the code and this machine in a sandbox.
    """

    def __init__(
        self,
        tier: PureTier,
        journal: Journal,
        spec: SandboxSpec,
        watch: Stopwatch,
        instead_of: Boundary,
    ) -> None:
        self._tier = tier
        self._journal = journal
        self._spec = spec
        self._watch = watch
        self._instead_of: Boundary = instead_of
        self._place = Place(tier.name, new_sandbox_id())
        self._lived: Stopwatch | None = None

    async def result(self) -> SandboxResult | None:
        """What came of it; None when it is to be done in a sandbox, of which nobody outside has seen any.

        Raises:
            AuditUnavailable: what happens could not be written down.
        """
        before = self._watch.elapsed_ms()
        try:
            result = await self._tried()
            if self._lived and isinstance(result, SandboxResult):
                await self._journal.ran(self._spec, self._place, result)
        finally:
            if self._lived:
                await self._journal.destroyed(self._spec, self._place, self._lived.elapsed_ms())
        if isinstance(result, Unsuited):
            return self._left(result.reason)
        if self._lived is None:
            return self._left(result.message or result.status)
        weakened = (await self._tier.probe()).weakened
        result = dataclasses.replace(result, start_ms=before + result.start_ms, weakened=weakened)
        if self._tier.is_final(self._spec, result):
            return result
        observe(self._spec, result)
        return self._left(f"it ended there with {result.status}")

    async def _tried(self) -> SandboxResult | Unsuited:
        try:
            return await self._tier.run(self._spec, self._began, self._instead_of)
        except asyncio.CancelledError:
            if self._lived:
                await self._journal.cancelled(self._spec, self._place)
            raise

    async def _began(self, came_by: CameBy, took_ms: float) -> None:
        await self._journal.created(self._spec, self._place, came_by, took_ms)
        self._lived = Stopwatch()

    def _left(self, reason: str) -> None:
        observe_left_pure(self._spec, reason, begun=self._lived is not None)
