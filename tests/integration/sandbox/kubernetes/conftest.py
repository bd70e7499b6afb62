"""A fake cluster for each test, and drivers that reach it through a kubeconfig."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.cluster.server import FakeCluster
from tests.support.kubernetes import cluster_settings, running_cluster

from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.drivers.kubernetes.settings import MIB
from raptorflow.skills.capabilities import Limits

LIMITS = Limits(memory_bytes=64 * MIB, cpus=0.5, disk_bytes=8 * MIB)
BLUEPRINT = Blueprint(LIMITS, (), Path("/usr/bin/python3"), reach=True, workspace_bytes=8 * MIB)
MakeDriver = Callable[..., KubernetesDriver]


@pytest.fixture
async def cluster() -> AsyncGenerator[FakeCluster]:
    """An empty cluster; whatever was sent to it had to be valid."""
    async with running_cluster() as fake:
        yield fake


@pytest.fixture
async def make_driver(cluster: FakeCluster, tmp_path: Path) -> AsyncGenerator[MakeDriver]:
    """Drivers with an operator who has said everything; arguments are settings that differ."""
    drivers: list[KubernetesDriver] = []

    def make(**differing: Any) -> KubernetesDriver:
        drivers.append(KubernetesDriver(cluster_settings(cluster, tmp_path, **differing)))
        return drivers[-1]

    yield make
    for driver in drivers:
        await driver.close()


@pytest.fixture
async def driver(make_driver: MakeDriver) -> KubernetesDriver:
    """One whose network policy is made."""
    made = make_driver()
    await made.prepare(BLUEPRINT)
    return made
