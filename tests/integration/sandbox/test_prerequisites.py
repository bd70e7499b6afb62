"""Whatever a driver lacks on a machine, nothing is run, and the refusal names what mends it."""

import stat
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from tests.support.cluster.server import FakeCluster
from tests.support.docker_engine import OwnEngine
from tests.support.kubernetes import cluster_settings, running_cluster

from raptorflow.base.errors import PartUnavailable
from raptorflow.sandbox import seccomp
from raptorflow.sandbox.drivers.docker import connection
from raptorflow.sandbox.drivers.kubernetes import wire
from raptorflow.sandbox.drivers.local import driver as local_driver
from raptorflow.sandbox.drivers.microvm.firecracker import monitor
from raptorflow.sandbox.errors import SandboxGuaranteeMissing, SandboxUnavailable
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings

Refusal = type[PartUnavailable]


@pytest.fixture
async def check(tmp_path: Path) -> AsyncGenerator[Callable[..., Any]]:
    """Asks a manager of these settings whether a run would be allowed; what it says."""

    async def ask(refusal: Refusal, **fields: Any) -> tuple[str, str]:
        given = {"pool": NONE_READY, "state_dir": tmp_path / "state", "start_seconds": 20, **fields}
        manager = build_manager(SandboxSettings.model_validate(given))
        with pytest.raises(refusal) as refused:
            await manager.check()
        await manager.close()
        return refused.value.message, str(refused.value.hint)

    yield ask
    state = tmp_path / "state"
    assert not state.exists() or list(state.iterdir()) == []


def program(folder: Path, text: str) -> Path:
    file = folder / "bwrap"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def missing(name: str) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return fail


def none_at_all(_: object) -> tuple[()]:
    """No program, no group."""
    return ()


@pytest.fixture
def no_seccomp(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    caches = (seccomp.filter_program, vars(seccomp)["_library"])
    monkeypatch.setattr(seccomp, "import_module", missing("libseccomp.so.2"))
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


async def test_local_without_bubblewrap(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_driver, "bubblewraps", none_at_all)
    problem, hint = await check(SandboxUnavailable)
    assert "Bubblewrap is not installed" in problem
    assert hint == "apt-get install bubblewrap"


async def test_local_with_a_bubblewrap_that_is_not_there(check: Any, tmp_path: Path) -> None:
    problem, hint = await check(SandboxUnavailable, bubblewrap=tmp_path / "none")
    assert str(tmp_path / "none") in problem
    assert "RAPTORFLOW_SANDBOX__BUBBLEWRAP" in hint


async def test_local_with_a_bubblewrap_that_may_not(check: Any, tmp_path: Path) -> None:
    broken = program(tmp_path, "echo 'bwrap: No permissions to create a new namespace' >&2; exit 1")
    problem, hint = await check(SandboxUnavailable, bubblewrap=broken)
    assert "No permissions to create a new namespace" in problem
    assert "--cap-add SYS_ADMIN" in hint or "sysctl" in hint


@pytest.mark.usefixtures("no_seccomp")
async def test_local_without_the_library_of_filters(check: Any) -> None:
    problem, hint = await check(SandboxUnavailable)
    assert "filter cannot be compiled" in problem
    assert "apt-get install libseccomp2" in hint


async def test_local_without_control_groups(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_driver, "find_groups", none_at_all)
    problem, hint = await check(SandboxGuaranteeMissing)
    assert "memory, pids, cpu" in problem
    assert "systemd-run" in hint
    assert "RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED" in hint


async def test_local_without_an_interpreter(check: Any, tmp_path: Path) -> None:
    problem, hint = await check(SandboxUnavailable, python=tmp_path / "python")
    assert str(tmp_path / "python") in problem
    assert "RAPTORFLOW_SANDBOX__PYTHON" in hint


async def test_local_without_a_place_of_its_own(check: Any, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    problem, hint = await check(SandboxUnavailable, state_dir=tmp_path / "open")
    assert "others may write" in problem
    assert "RAPTORFLOW_SANDBOX__STATE_DIR" in hint


async def test_docker_without_an_engine(check: Any, tmp_path: Path) -> None:
    _, hint = await check(SandboxUnavailable, driver="docker", docker={"socket": tmp_path / "none.sock"})
    assert "apt-get install docker.io" in hint


async def test_docker_without_its_library(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "import_module", missing("aiodocker"))
    problem, hint = await check(SandboxUnavailable, driver="docker")
    assert "aiodocker" in problem
    assert hint == "pip install 'raptorflow[docker]'"


@pytest.mark.parametrize(
    ("lacking", "says", "remedy"),
    [
        ({"image": f"images.example/python@sha256:{'0' * 64}"}, "has no image", "docker pull"),
        ({"runtime": "runsc"}, "no runtime runsc", "runsc"),
    ],
    ids=["image", "runtime"],
)
async def test_docker_without_what_the_settings_name(
    check: Any, docker_engine: OwnEngine, lacking: dict[str, str], says: str, remedy: str
) -> None:
    own = {"socket": docker_engine.socket, **lacking}
    problem, hint = await check(SandboxUnavailable, driver="docker", docker=own)
    assert says in problem
    assert remedy in hint


@pytest.mark.parametrize(
    ("lacking", "says", "remedy"),
    [
        ({"monitor": "qemu", "qemu": "/none"}, "QEMU is not installed", "apt-get install qemu-system-x86"),
        ({"monitor": "qemu", "qemu": "/bin/true"}, "no image", "raptorflow sandbox image build"),
        ({"monitor": "firecracker", "firecracker": "/none"}, "irecracker", "RAPTORFLOW_SANDBOX__MICROVM"),
        (
            {"monitor": "firecracker", "firecracker": "/bin/true", "jailer": "/none"},
            "jailer",
            "RAPTORFLOW_SANDBOX__MICROVM",
        ),
    ],
    ids=["qemu", "image", "firecracker", "jailer"],
)
async def test_microvm_without_one_of_its_parts(
    check: Any, tmp_path: Path, lacking: dict[str, str], says: str, remedy: str
) -> None:
    own = {"folder": tmp_path / "parts", **lacking}
    problem, hint = await check(SandboxUnavailable, driver="microvm", microvm=own)
    assert says in problem
    assert remedy in hint


async def test_microvm_without_kvm(check: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lack = monitor.kvm_lack(tmp_path / "kvm")
    monkeypatch.setattr(monitor, "kvm_lack", lambda: lack)
    firecracker = program(tmp_path, "echo 'Firecracker v1.16.1'")
    own = {"monitor": "firecracker", "firecracker": firecracker, "jailer": firecracker}
    problem, hint = await check(SandboxUnavailable, driver="microvm", microvm=own)
    assert "virtualisation is off" in problem
    assert "modprobe kvm" in hint
    assert "MONITOR=qemu" in hint


@pytest.fixture
async def cluster() -> AsyncGenerator[FakeCluster]:
    async with running_cluster() as fake:
        yield fake


def denied(cluster: FakeCluster) -> None:
    cluster.denied = {("create", "pods/exec")}


def old(cluster: FakeCluster) -> None:
    cluster.minor = "29"


def as_it_is(_: FakeCluster) -> None:
    """It lacks nothing; the settings do."""


@pytest.mark.parametrize(
    ("harm", "lacking", "says", "remedy"),
    [
        (as_it_is, {"kubeconfig": Path("/none")}, "cannot be read", "KUBECONFIG"),
        (as_it_is, {"kubeconfig": None}, "configuration", "KUBECONFIG"),
        (as_it_is, {"image": None}, "No image", "KUBERNETES__IMAGE="),
        (as_it_is, {"runtime_class": None}, "RuntimeClass", "RUNTIME_CLASS=gvisor"),
        (as_it_is, {"runtime_class": "kata"}, "kata", "nodes"),
        (as_it_is, {"network_policy_enforced": False}, "network policies", "NETWORK_POLICY_ENFORCED"),
        (denied, {}, "create pods/exec", "role"),
        (old, {}, "1.29", "1.30"),
    ],
    ids=["kubeconfig", "cluster", "image", "class", "unknown-class", "policy", "permission", "version"],
)
async def test_kubernetes_without_what_it_needs(
    check: Any,
    cluster: FakeCluster,
    tmp_path: Path,
    harm: Callable[[FakeCluster], None],
    lacking: dict[str, Any],
    says: str,
    remedy: str,
) -> None:
    harm(cluster)
    own = cluster_settings(cluster, tmp_path, **lacking)
    problem, hint = await check(SandboxUnavailable, driver="kubernetes", kubernetes=own)
    assert says in problem
    assert remedy in hint


async def test_kubernetes_without_a_limit_of_processes(
    check: Any, cluster: FakeCluster, tmp_path: Path
) -> None:
    own = cluster_settings(cluster, tmp_path, pod_pids_limit=None)
    problem, hint = await check(
        SandboxGuaranteeMissing, driver="kubernetes", kubernetes=own, allow_supervised=True
    )
    assert "pids" in problem
    assert "podPidsLimit" in problem + hint


async def test_kubernetes_without_its_library(
    check: Any, cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LIBRARY", "raptorflow.not_installed")
    own = cluster_settings(cluster, tmp_path)
    _, hint = await check(SandboxUnavailable, driver="kubernetes", kubernetes=own)
    assert hint == "pip install 'raptorflow[kubernetes]'"


async def test_a_driver_that_nobody_knows(check: Any) -> None:
    problem, hint = await check(SandboxUnavailable, driver="moon")
    assert "moon" in problem
    assert "local" in hint
