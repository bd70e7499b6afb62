"""A stage for attacks, one for each kind of sandbox that this machine is asked to prove."""

from collections.abc import AsyncGenerator

import pytest
from tests.support.docker_engine import OwnEngine
from tests.support.microvm_parts import built_image

from raptorflow.sandbox.attacks.opening import open_stage
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.settings import SandboxSettings

# Those whose sandboxes take long to make are for the long suites.
DRIVERS = (
    "local",
    pytest.param("docker", marks=pytest.mark.verify),
    pytest.param("microvm", marks=(pytest.mark.verify, pytest.mark.emulated)),
)
# Emulated, on a machine that does other things too.
START_SECONDS = 120


@pytest.fixture(scope="session", params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """The kind of sandbox that is attacked."""
    return str(request.param)


@pytest.fixture(scope="session")
def settings(
    driver: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SandboxSettings:
    """What the driver needs to be found."""
    if driver == "docker":
        engine: OwnEngine = request.getfixturevalue("docker_engine")
        return SandboxSettings(driver=driver, docker=DockerSettings(socket=engine.socket))
    if driver == "microvm":
        folder = tmp_path_factory.mktemp("microvm")
        (folder / "image").symlink_to(built_image())
        own = MicroVmSettings(folder=folder, monitor="qemu", boot_seconds=START_SECONDS)
        return SandboxSettings(driver=driver, microvm=own, start_seconds=START_SECONDS)
    return SandboxSettings(driver=driver, allow_supervised=True)


@pytest.fixture(scope="session")
async def stage(settings: SandboxSettings) -> AsyncGenerator[Stage]:
    async with open_stage(settings, settings.driver) as opened:
        yield opened
