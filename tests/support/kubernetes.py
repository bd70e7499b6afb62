"""A fake cluster, and what an operator who has said everything gives a driver for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.cluster.server import NAMESPACE, TOKEN, FakeCluster

from raptorflow.base.json import dumps
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings

IMAGE = f"images.example/sandbox@sha256:{'0' * 64}"


@asynccontextmanager
async def running_cluster() -> AsyncGenerator[FakeCluster]:
    """An empty cluster; whatever was sent to it had to be valid."""
    fake = FakeCluster()
    await fake.start()
    yield fake
    await fake.close()
    assert fake.invalid == []


def cluster_settings(cluster: FakeCluster, folder: Path, **differing: Any) -> KubernetesSettings:
    """Settings of a driver that reaches the cluster through a kubeconfig in this folder."""
    kubeconfig = folder / "kubeconfig"
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
    given: dict[str, Any] = {
        "kubeconfig": kubeconfig,
        "namespace": NAMESPACE,
        "instance": "default",
        "image": IMAGE,
        "runtime_class": "gvisor",
        "network_policy_enforced": True,
        "pod_pids_limit": 256,
        "start_seconds": 15,
        "destroy_seconds": 5,
        "retries": 3,
        "stats_seconds": 0,
    }
    given |= differing
    return KubernetesSettings(**{name: value for name, value in given.items() if value is not None})
