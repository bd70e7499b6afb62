"""The probe tries for real: it sees what an engine does not hold, and says what mends what is missing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sandbox.docker.test_faults import FaultyEngine, Step
from tests.support.docker_engine import OwnEngine

from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.probing import ProbeReport

HELD = ("files", "network", "processes", "privileges", "syscalls", "disk", "time", "output")
LIMITED = ("memory", "pids", "cpu")
Change = Callable[[dict[str, Any]], None]


def host_config(**fields: Any) -> Change:
    return lambda request: request["HostConfig"].update(fields)


async def probed(docker_engine: OwnEngine, name: str = "", fault: Any = None, **fields: Any) -> ProbeReport:
    settings = DockerSettings(socket=docker_engine.socket, **fields)
    engine: Any = FaultyEngine(connect(settings), name, fault)
    driver = DockerDriver(settings, engine)
    report = await driver.probe()
    await driver.close()
    return report


async def test_every_guarantee_is_held_by_the_kernel(driver: DockerDriver) -> None:
    report = await driver.probe()
    assert report.problem is None
    assert {name for name, kept in report.guarantees.items() if kept.holder == "kernel"} == {*HELD, *LIMITED}
    assert report.missing == report.weakened == ()
    assert report.boundary == "shared-kernel"


LOWERED: dict[str, tuple[str, Change]] = {
    "no-memory-limit": ("memory", host_config(Memory=0, MemorySwap=0, OomKillDisable=False)),
    "no-process-limit": ("pids", host_config(PidsLimit=0)),
    "no-filter": ("syscalls", host_config(SecurityOpt=["no-new-privileges:true", "seccomp=unconfined"])),
    "new-privileges": ("privileges", host_config(SecurityOpt=[])),
    "capabilities": ("privileges", host_config(CapDrop=[])),
    "host-processes": ("processes", host_config(PidMode="host")),
    "disk-without-size": ("disk", host_config(Tmpfs={"/workspace": "uid=65534"})),
    "writable-skill": ("files", lambda request: _writable(request)),
}


@pytest.mark.verify
@pytest.mark.parametrize("lowered", LOWERED)
async def test_what_an_engine_does_not_hold_is_seen(
    driver: DockerDriver, docker_engine: OwnEngine, lowered: str
) -> None:
    guarantee, change = LOWERED[lowered]

    def lowering(create: Step) -> Step:
        async def step(name: str, request: dict[str, Any]) -> str:
            change(request)
            return await create(name, request)

        return step

    report = await probed(docker_engine, "create", lowering)
    assert guarantee in report.missing, report
    assert report.remedy is not None
    assert guarantee in report.remedy


async def test_an_engine_that_is_too_old_is_named(docker_engine: OwnEngine) -> None:
    def old(_call: Step) -> Step:
        async def step() -> dict[str, Any]:
            return {"ApiVersion": "1.40"}

        return step

    report = await probed(docker_engine, "version", old)
    assert (
        report.problem == "The engine speaks version 1.40 of its interface; 1.41 is the oldest that will do."
    )
    assert report.remedy


async def test_a_runtime_with_known_ways_out_is_warned_of(docker_engine: OwnEngine) -> None:
    def told(call: Step) -> Step:
        async def step() -> dict[str, Any]:
            version = await call()
            return {**version, "Components": [{"Name": "runc", "Version": "1.1.11"}]}

        return step

    report = await probed(docker_engine, "version", told)
    assert report.available
    assert report.remedy
    assert "CVE-2024-21626" in report.remedy


async def test_a_runtime_that_the_engine_lacks_is_named(docker_engine: OwnEngine) -> None:
    report = await probed(docker_engine, runtime="kata")
    assert report.problem == "The engine knows no runtime kata."
    assert report.remedy


async def test_an_image_that_the_engine_lacks_is_named(docker_engine: OwnEngine) -> None:
    image = f"raptor.example/python@sha256:{'0' * 64}"
    report = await probed(docker_engine, image=image)
    assert (report.problem, report.remedy) == (f"The engine has no image {image}.", f"docker pull {image}")


async def test_no_engine_at_all_is_named_with_what_installs_one(tmp_path: Path) -> None:
    driver = DockerDriver(DockerSettings(socket=tmp_path / "docker.sock"))
    report = await driver.probe()
    assert report.problem
    assert str(tmp_path / "docker.sock") in report.problem
    assert "apt-get install docker.io" in str(report.remedy)
    await driver.close()


async def test_a_container_that_cannot_start_is_named(docker_engine: OwnEngine) -> None:
    def broken(create: Step) -> Step:
        async def step(name: str, request: dict[str, Any]) -> str:
            return await create(name, {**request, "Entrypoint": ["/usr/bin/false"]})

        return step

    report = await probed(docker_engine, "create", broken)
    assert "ended at once" in str(report.problem)
    assert report.remedy


def _writable(request: dict[str, Any]) -> None:
    """A skill's folder that the user inside may write: one in memory, of his own."""
    host = request["HostConfig"]
    host["Mounts"] = [mount for mount in host["Mounts"] if mount["Target"] != "/skill"]
    host["Tmpfs"] = host["Tmpfs"] | {"/skill": "uid=65534"}
