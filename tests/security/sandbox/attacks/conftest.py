"""A stage for attacks, one for each kind of sandbox that this machine is asked to prove."""

from collections.abc import AsyncGenerator

import pytest
from tests.support.docker_engine import OwnEngine

from raptorflow.sandbox.attacks.opening import open_stage
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.settings import SandboxSettings

# Those whose sandboxes take long to make are for the long suites.
DRIVERS = ("local", pytest.param("docker", marks=pytest.mark.verify))


@pytest.fixture(scope="session", params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """The kind of sandbox that is attacked."""
    return str(request.param)


@pytest.fixture(scope="session")
def settings(driver: str, request: pytest.FixtureRequest) -> SandboxSettings:
    """What the driver needs to be found."""
    if driver == "docker":
        engine: OwnEngine = request.getfixturevalue("docker_engine")
        return SandboxSettings(driver=driver, docker=DockerSettings(socket=engine.socket))
    return SandboxSettings(driver=driver, allow_supervised=True)


@pytest.fixture(scope="session")
async def stage(settings: SandboxSettings) -> AsyncGenerator[Stage]:
    async with open_stage(settings, settings.driver) as opened:
        yield opened
