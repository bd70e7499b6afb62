"""A fake cluster for each test, and drivers that reach it through a kubeconfig."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sandbox.kubernetes.cluster.server import NAMESPACE, TOKEN, FakeCluster

from raptorflow.base.json import dumps
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.drivers.kubernetes.settings import MIB, KubernetesSettings
from raptorflow.skills.capabilities import Limits

IMAGE = f"images.example/sandbox@sha256:{'0' * 64}"
LIMITS = Limits(memory_bytes=64 * MIB, cpus=0.5, disk_bytes=8 * MIB)
BLUEPRINT = Blueprint(LIMITS, (), Path("/usr/bin/python3"), reach=True, workspace_bytes=8 * MIB)
MakeDriver = Callable[..., KubernetesDriver]


@pytest.fixture
async def cluster() -> AsyncGenerator[FakeCluster]:
    """An empty cluster; whatever was sent to it had to be valid."""
    fake = FakeCluster()
    await fake.start()
    yield fake
    await fake.close()
    assert fake.invalid == []


@pytest.fixture
async def make_driver(cluster: FakeCluster, tmp_path: Path) -> AsyncGenerator[MakeDriver]:
    """Drivers with an operator who has said everything; arguments are settings that differ."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "fake", "cluster": {"server": cluster.address}}],
                "users": [{"name": "manager", "user": {"token": TOKEN}}],
                "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "manager"}}],
                "current-context": "fake",
            }
        )
    )
    drivers: list[KubernetesDriver] = []

    def make(**differing: Any) -> KubernetesDriver:
        given: dict[str, Any] = {
            "kubeconfig": kubeconfig,
            "namespace": NAMESPACE,
            "image": IMAGE,
            "runtime_class": "gvisor",
            "network_policy_enforced": True,
            "pod_pids_limit": 256,
            "start_seconds": 15,
            "destroy_seconds": 5,
            "retries": 3,
            "stats_seconds": 0,
        }
        drivers.append(KubernetesDriver(KubernetesSettings(**{**given, **differing})))
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
