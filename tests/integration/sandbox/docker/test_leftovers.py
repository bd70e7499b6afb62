"""What a killed manager left is removed when the next one is used; what may be in use is left alone."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sandbox.docker import leaving_process
from tests.integration.sandbox.docker.test_faults import Step, faulty
from tests.support.docker_engine import OwnEngine, blueprint, box, new_id

from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.containers import container_name
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.engine import EngineGone, NotThere
from raptorflow.sandbox.drivers.docker.request import LABEL, MANAGER
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxStartFailed

PROGRAM, ROOT = leaving_process.__name__, Path(leaving_process.__file__).parents[4]
ELSEWHERE = "1 1 another-boot pid:[1]"
STATES = ("created", "paused", "running")


@asynccontextmanager
async def manager(docker_engine: OwnEngine, sandbox_id: str, state: str) -> AsyncGenerator[Process]:
    """Another manager, whose container is in this state."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", PROGRAM, str(docker_engine.socket), sandbox_id, state), stdout=PIPE, cwd=ROOT
    )
    try:
        assert process.stdout
        assert await process.stdout.readline() == b"there\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def states(docker_engine: OwnEngine) -> dict[str, str]:
    """Sandbox -> the state of its container."""
    engine = connect(DockerSettings(socket=docker_engine.socket))
    found = await engine.containers(LABEL)
    await engine.close()
    return {one["Labels"][LABEL]: one["State"] for one in found}


async def use(docker_engine: OwnEngine, **fields: Any) -> None:
    """Use one more driver for the first time."""
    driver = DockerDriver(DockerSettings(socket=docker_engine.socket, **fields))
    await driver.prepare(blueprint())
    await driver.close()


@pytest.mark.parametrize("state", ["created", "paused"])
async def test_what_nothing_ends_when_its_manager_is_killed_is_removed(
    driver: DockerDriver, docker_engine: OwnEngine, state: str
) -> None:
    left = new_id()
    async with manager(docker_engine, left, state) as killed:
        killed.kill()
        # Whoever started it need not have looked: a process that nobody has waited for is dead too.
        await driver.prepare(blueprint())
    assert await states(docker_engine) == {}


async def test_a_probe_removes_it_too(driver: DockerDriver, docker_engine: OwnEngine) -> None:
    async with manager(docker_engine, new_id(), "paused") as killed:
        killed.kill()
        await killed.wait()
    assert (await driver.probe()).available
    assert await states(docker_engine) == {}


@pytest.mark.parametrize("state", STATES)
async def test_what_a_living_manager_has_is_left_alone(
    driver: DockerDriver, docker_engine: OwnEngine, state: str
) -> None:
    theirs = new_id()
    async with manager(docker_engine, theirs, state):
        await driver.prepare(blueprint())
        async with box(driver, blueprint()):
            assert (await states(docker_engine))[theirs] == state
    await use(docker_engine)
    assert await states(docker_engine) == {}


@pytest.mark.parametrize("paused", [False, True])
async def test_what_a_manager_elsewhere_may_use_is_left_alone(
    driver: DockerDriver, docker_engine: OwnEngine, paused: bool
) -> None:
    def elsewhere(call: Step) -> Step:
        async def step(name: str, request: dict[str, Any]) -> Any:
            request["Labels"][MANAGER] = ELSEWHERE
            return await call(name, request)

        return step

    other = faulty(docker_engine, "create", elsewhere)
    async with box(other, blueprint()) as inside:
        if paused:
            await other.pause(inside.handle)
        await driver.prepare(blueprint())
        if paused:
            await other.resume(inside.handle)
        assert (await inside.python("print(1)")).out == "1\n"
    await other.close()


@pytest.mark.parametrize("label", [{MANAGER: ELSEWHERE}, {}])
async def test_of_a_manager_elsewhere_what_was_never_started_goes_in_time(
    docker_engine: OwnEngine, label: dict[str, str]
) -> None:
    left = new_id()
    await use(docker_engine)
    await made_by_hand(docker_engine, left, label)
    # It may be started any moment.
    await use(docker_engine, start_seconds=1000)
    assert await states(docker_engine) == {left: "created"}
    await use(docker_engine, start_seconds=0.001)
    assert await states(docker_engine) == {}


async def made_by_hand(docker_engine: OwnEngine, sandbox_id: str, label: dict[str, str]) -> None:
    """A container that is not started, with our label."""
    engine = connect(DockerSettings(socket=docker_engine.socket))
    made: list[dict[str, Any]] = []

    def kept(call: Step) -> Step:
        async def step(_name: str, request: dict[str, Any]) -> Any:
            made.append(request)
            raise EngineGone("gone")

        return step

    giving = faulty(docker_engine, "create", kept)
    with pytest.raises(SandboxStartFailed):
        await giving.create(blueprint(), sandbox_id, {})
    await giving.close()
    (request,) = made
    await engine.create(container_name(sandbox_id), {**request, "Labels": {LABEL: sandbox_id, **label}})
    await engine.close()


class LateEngine:
    """Makes the first container only when it is told to, long after it was waited for."""

    def __init__(self) -> None:
        self.late: Step | None = None
        self.given: tuple[Any, ...] = ()

    def __call__(self, call: Step) -> Step:
        async def step(*given: Any) -> Any:
            if self.late is None:
                self.late, self.given = call, given
                raise EngineGone("The engine does not answer.")
            return await call(*given)

        return step

    async def make(self) -> None:
        assert self.late
        await self.late(*self.given)


@pytest.mark.parametrize("then", ["another", "close"])
async def test_what_the_engine_makes_when_nobody_waits_for_it_any_more_is_removed(
    driver: DockerDriver, docker_engine: OwnEngine, then: str
) -> None:
    late, sandbox_id = LateEngine(), new_id()
    patient = faulty(docker_engine, "create", late)
    with pytest.raises(SandboxStartFailed):
        await patient.create(blueprint(), sandbox_id, {})
    await late.make()
    assert await states(docker_engine) == {sandbox_id: "created"}
    if then == "another":
        async with box(patient, blueprint()) as next_one:
            assert await states(docker_engine) == {next_one.handle.sandbox_id: "running"}
    await patient.close()
    assert await states(docker_engine) == {}


async def test_an_id_in_doubt_that_is_used_again_is_no_longer_in_doubt(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    late, sandbox_id = LateEngine(), new_id()
    patient = faulty(docker_engine, "create", late)
    with pytest.raises(SandboxStartFailed):
        await patient.create(blueprint(), sandbox_id, {})
    first = await patient.create(blueprint(), sandbox_id, {})
    async with box(patient, blueprint()):
        assert (await states(docker_engine))[sandbox_id] == "running"
    await patient.destroy(first)
    await patient.close()


async def test_what_cannot_be_removed_is_tried_again_with_the_next_sandbox(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    refusals = 1

    def once(call: Step) -> Step:
        async def step(*given: Any) -> Any:
            nonlocal refusals
            refusals -= 1
            if refusals >= 0:
                raise EngineGone("gone")
            return await call(*given)

        return step

    failing = faulty(docker_engine, "remove", once)
    left = new_id()
    async with manager(docker_engine, left, "paused") as killed:
        killed.kill()
        await killed.wait()
    await failing.prepare(blueprint())
    assert await states(docker_engine) == {left: "paused"}
    await failing.prepare(blueprint())
    assert await states(docker_engine) == {}
    await failing.close()


async def test_an_engine_that_is_lost_when_it_is_asked_again_leaves_nothing(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    asked = 0

    def worse(call: Step) -> Step:
        async def step(*given: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise NotThere("no such image", 404)
            await call(*given)
            raise EngineGone("gone")

        return step

    failing = faulty(docker_engine, "create", worse)
    with pytest.raises(SandboxStartFailed):
        await failing.create(blueprint(), new_id(), {})
    assert await states(docker_engine) == {}
    await failing.close()
