"""What a probe finds: each thing that is missing, with what mends it."""

from pathlib import Path

import pytest
from tests.integration.sandbox.kubernetes.conftest import MakeDriver
from tests.support.cluster.faults import Fault
from tests.support.cluster.server import FakeCluster

from raptorflow.sandbox.drivers.kubernetes import wire


async def test_a_cluster_that_has_everything(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    report = await make_driver().probe()
    assert report.problem is None
    assert report.boundary == "user-space-kernel"
    assert report.missing == ()
    # Nobody but the operator can say these two.
    assert set(report.weakened) == {"network", "pids"}
    assert cluster.store.names("networkpolicies") == {"raptorflow-sandboxes"}


@pytest.mark.parametrize(
    ("handler", "boundary"), [("kata-qemu", "virtual-machine"), ("runsc-systrap", "user-space-kernel")]
)
async def test_the_boundary_follows_the_runtime_classs_handler(
    cluster: FakeCluster, make_driver: MakeDriver, handler: str, boundary: str
) -> None:
    cluster.runtime_classes["special"] = handler
    assert (await make_driver(runtime_class="special").probe()).boundary == boundary


async def test_a_handler_that_nobody_knows_is_asked_about(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    cluster.runtime_classes["runc"] = "runc"
    report = await make_driver(runtime_class="runc").probe()
    assert "runc" in (report.problem or "")
    assert "BOUNDARY" in (report.remedy or "")
    accepted = await make_driver(runtime_class="runc", accept_shared_kernel=True).probe()
    assert (accepted.problem, accepted.boundary) == (None, "shared-kernel")


async def test_a_shared_kernel_is_called_one(make_driver: MakeDriver) -> None:
    report = await make_driver(runtime_class=None, accept_shared_kernel=True).probe()
    assert (report.problem, report.boundary) == (None, "shared-kernel")


async def test_a_runtime_class_that_does_not_exist(make_driver: MakeDriver) -> None:
    report = await make_driver(runtime_class="kata").probe()
    assert "kata" in (report.problem or "")
    assert "nodes" in (report.remedy or "")


async def test_every_permission_that_lacks_is_named(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    cluster.denied = {("create", "pods/exec"), ("delete", "pods")}
    report = await make_driver().probe()
    assert "delete pods, create pods/exec" in (report.problem or "")
    assert "role" in (report.remedy or "")


async def test_permissions_of_claims_are_asked_where_there_are_claims(
    cluster: FakeCluster, make_driver: MakeDriver
) -> None:
    cluster.denied = {("patch", "sandboxwarmpools/scale")}
    assert (await make_driver().probe()).problem is None
    cluster.has_claims = True
    assert "patch sandboxwarmpools/scale" in ((await make_driver().probe()).problem or "")


async def test_an_old_cluster(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    cluster.minor = "29+"
    report = await make_driver().probe()
    assert "1.29" in (report.problem or "")


async def test_no_limit_of_processes_is_a_missing_guarantee(make_driver: MakeDriver) -> None:
    report = await make_driver(pod_pids_limit=None).probe()
    assert report.missing == ("pids",)
    assert "podPidsLimit" in (report.remedy or "")


async def test_a_server_that_does_not_answer(cluster: FakeCluster, make_driver: MakeDriver) -> None:
    cluster.faults.add(Fault("GET", "/version", "cut", times=100))
    report = await make_driver().probe()
    assert not report.available
    assert "can be reached" in (report.remedy or "")


async def test_no_kubeconfig(make_driver: MakeDriver, tmp_path: Path) -> None:
    report = await make_driver(kubeconfig=tmp_path / "none").probe()
    assert "KUBECONFIG" in (report.remedy or "")


async def test_no_cluster_around_this_program(make_driver: MakeDriver) -> None:
    report = await make_driver(kubeconfig=None).probe()
    assert "configuration" in (report.problem or "")


async def test_no_library(make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LIBRARY", "raptorflow.not_installed")
    report = await make_driver().probe()
    assert "raptorflow[kubernetes]" in (report.remedy or "")
