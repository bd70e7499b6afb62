"""Every kind of sandbox behind one face: a manager with a real driver, and what is left of it outside."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.docker_engine import OwnEngine
from tests.support.kubernetes import cluster_settings, running_cluster
from tests.support.outside import Outside

from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.broker.settings import BrokerSettings
from raptorflow.sandbox.driver import SandboxDriver
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.processes import descendants
from raptorflow.sandbox.drivers.microvm.driver import MicroVmDriver
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, Surroundings
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

LOCAL, DOCKER, MICROVM, KUBERNETES = "local", "docker", "microvm", "kubernetes"
SMALL: Mapping[str, float] = {"memory_bytes": 64 * MIB, "disk_bytes": 8 * MIB, "pids": 16, "cpus": 1}
EMULATED_SECONDS = 120.0
# Who builds sandboxes; what they are started by.
BUILDERS = ("bwrap", "qemu-system-x86")
Left = Callable[[], list[str]]


@dataclass(frozen=True)
class Subject:
    """One kind of sandbox, under test.

    Attributes:
        seconds: more than any run takes that is not meant to be ended.
        world: what its broker finds outside.
        traces: what of its sandboxes is on this machine, besides what `list` says.
        cluster: the fake one, for what only a cluster's word can end.
        guests: processes of its sandboxes that are not below this one.
    """

    driver: SandboxDriver
    settings: SandboxSettings
    manager: SandboxManager
    world: Outside
    traces: Left
    audit: AuditLog
    seconds: float = 30.0
    cluster: Any = None
    guests: Callable[[], set[int]] = set

    @property
    def name(self) -> str:
        """The driver's."""
        return self.driver.name

    async def left(self) -> list[str]:
        """What there is of any sandbox."""
        return [*(handle.sandbox_id for handle in await self.driver.list()), *self.traces()]

    def spec(self, code: str, folder: Path, limits: Mapping[str, float] | None = None, **fields: Any) -> Any:
        """A spec of Python code under small limits; its artefacts go below the folder."""
        skill = folder / "skill"
        skill.mkdir(exist_ok=True, mode=0o755)
        given = SandboxSpec(
            command=("python", "-c", code),
            skill_dir=skill,
            python=sandbox_python(),
            run_id="contract",
            artifacts_dir=folder / "artifacts",
            limits=Limits.model_validate({"timeout_seconds": self.seconds, **SMALL, **(limits or {})}),
        )
        return replace(given, **fields)


def _builders() -> list[str]:
    """Processes below this one that hold a sandbox."""
    names = {pid: _name(pid) for pid in descendants(os.getpid())}
    return [f"{name} {pid}" for pid, name in names.items() if name in BUILDERS]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _policy(world: Outside, folder: Path, **fields: Any) -> SandboxSettings:
    return SandboxSettings(
        pool=NONE_READY,
        allow_supervised=True,
        state_dir=folder / "state",
        broker=BrokerSettings(**world.settings),
        **fields,
    )


def _managed(
    driver: SandboxDriver, settings: SandboxSettings, world: Outside, traces: Left, audit: AuditLog
) -> Subject:
    around = Surroundings(secrets=lambda _: world.vault, resolver=world.names, audit=audit)
    manager = SandboxManager(settings, {driver.name: driver}, around)
    return Subject(driver, settings, manager, world, traces, audit)


@asynccontextmanager
async def local_subject(world: Outside, folder: Path, audit: AuditLog) -> AsyncGenerator[Subject]:
    settings = _policy(world, folder, driver=LOCAL)
    yield _managed(LocalDriver(settings), settings, world, _builders, audit)


@asynccontextmanager
async def docker_subject(
    world: Outside, folder: Path, audit: AuditLog, engine: OwnEngine
) -> AsyncGenerator[Subject]:
    settings = _policy(world, folder, driver=DOCKER, docker=DockerSettings(socket=engine.socket))

    def traces() -> list[str]:
        return list(map(str, engine.groups()))

    subject = _managed(DockerDriver(settings.docker), settings, world, traces, audit)
    yield replace(subject, guests=engine.processes)


@asynccontextmanager
async def microvm_subject(
    world: Outside, folder: Path, audit: AuditLog, parts: Path
) -> AsyncGenerator[Subject]:
    own = MicroVmSettings(folder=parts, monitor="qemu", boot_seconds=EMULATED_SECONDS)
    settings = _policy(world, folder, driver=MICROVM, microvm=own, start_seconds=EMULATED_SECONDS)
    driver = MicroVmDriver(own, settings)
    yield replace(_managed(driver, settings, world, _builders, audit), seconds=EMULATED_SECONDS)


@asynccontextmanager
async def kubernetes_subject(world: Outside, folder: Path, audit: AuditLog) -> AsyncGenerator[Subject]:
    async with running_cluster() as cluster:
        own = cluster_settings(cluster, folder)
        settings = _policy(world, folder, driver=KUBERNETES, kubernetes=own)

        def traces() -> list[str]:
            return [*cluster.store.names("pods"), *cluster.node.containers, *_builders()]

        yield replace(_managed(KubernetesDriver(own), settings, world, traces, audit), cluster=cluster)


@asynccontextmanager
async def opened(
    kind: str, world: Outside, folder: Path, needs: Callable[[str], Any]
) -> AsyncGenerator[Subject]:
    """A subject whose manager has started; nothing is left of it in the end.

    Args:
        kind: the driver's name.
        world: what its broker finds outside.
        folder: an empty one.
        needs: gives a fixture by its name, so that only what a driver needs is started.
    """
    audit = AuditLog(folder / "audit", AuditSettings())
    match kind:
        case "local":
            context = local_subject(world, folder, audit)
        case "docker":
            context = docker_subject(world, folder, audit, needs("docker_engine"))
        case "microvm":
            context = microvm_subject(world, folder, audit, needs("parts"))
        case _:
            context = kubernetes_subject(world, folder, audit)
    async with context as subject:
        await subject.manager.start()
        yield subject
        assert await subject.left() == []
        await subject.manager.close()
