"""A stage for attacks; one for each kind of sandbox that this machine is asked to prove."""

from collections.abc import AsyncGenerator

import pytest

from raptorflow.sandbox.attacks.opening import open_stage
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.settings import SandboxSettings


@pytest.fixture(scope="session")
def driver() -> str:
    """The kind of sandbox; other rooms' tests of their drivers override it."""
    return "local"


@pytest.fixture(scope="session")
async def stage(driver: str) -> AsyncGenerator[Stage]:
    async with open_stage(SandboxSettings(allow_supervised=True), driver) as opened:
        yield opened
