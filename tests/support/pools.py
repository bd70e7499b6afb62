"""Runs that meet a sandbox which was kept ready."""

import asyncio

from prometheus_client import REGISTRY

from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.spec import SandboxSpec

READY_SECONDS = 60.0
LOOK_SECONDS = 0.02


def hits(pool: str) -> float:
    """How many runs met one."""
    return REGISTRY.get_sample_value("raptorflow_sandbox_pool_hits_total", {"pool": pool}) or 0.0


async def twice(manager: SandboxManager, spec: SandboxSpec) -> tuple[SandboxResult, SandboxResult]:
    """The same run in a new sandbox, and in one that was kept ready."""
    cold = await manager.run(spec)
    before = hits(cold.driver)
    async with asyncio.timeout(READY_SECONDS):
        while True:
            warm = await manager.run(spec)
            if hits(cold.driver) > before:
                return cold, warm
            await asyncio.sleep(LOOK_SECONDS)
