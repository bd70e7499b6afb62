"""Whole runs, as the manager does them, on the fake cluster."""

import asyncio
from pathlib import Path
from typing import Any

from tests.integration.sandbox.kubernetes.conftest import MakeDriver
from tests.support.cluster.faults import Fault
from tests.support.cluster.server import NAMESPACE, FakeCluster

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.driver import HasOwnPython, PutsMounts
from raptorflow.sandbox.drivers.kubernetes.driver import KubernetesDriver
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.live import start
from raptorflow.sandbox.running.once import run_once
from raptorflow.sandbox.running.run import Run
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import Limits

MIB = 1024 * 1024
SETTINGS = SandboxSettings()


def spec_of(tmp_path: Path, code: str, **fields: Any) -> SandboxSpec:
    skill = tmp_path / "skill"
    (skill / "scripts").mkdir(parents=True, exist_ok=True)
    (skill / "scripts" / "hello.py").write_text("print('from the skill')")
    limits = {"memory_bytes": 64 * MIB, "disk_bytes": 8 * MIB, "timeout_seconds": 10, "output_bytes": 100_000}
    given: dict[str, Any] = {
        "command": ("python", "-c", code),
        "skill_dir": skill,
        "python": Path("/usr/bin/python3"),
        "artifacts_dir": tmp_path / "artifacts",
        "limits": Limits.model_validate(limits | fields.pop("limits", {})),
    }
    return SandboxSpec(**{**given, **fields})


async def result_of(driver: KubernetesDriver, spec: SandboxSpec) -> SandboxResult:
    return await run_once(driver, spec, settings=SETTINGS)


async def test_inputs_go_in_and_artefacts_come_out(
    cluster: FakeCluster, driver: KubernetesDriver, tmp_path: Path
) -> None:
    given = tmp_path / "numbers.txt"
    given.write_text("20 22")
    code = (
        "import os; print(sum(map(int, open('in/numbers.txt').read().split())));"
        "os.makedirs('out', exist_ok=True); open('out/done.txt', 'w').write('yes')"
    )
    result = await result_of(driver, spec_of(tmp_path, code, inputs={"numbers.txt": given}))
    assert (result.status, result.stdout) == ("ok", b"42\n"), result
    assert [artifact.name for artifact in result.artifacts] == ["done.txt"]
    assert cluster.store.of("pods") == []


async def test_a_timeout_and_a_flood_end_the_program(driver: KubernetesDriver, tmp_path: Path) -> None:
    late, loud = await asyncio.gather(
        result_of(driver, spec_of(tmp_path, "while True: pass", limits={"timeout_seconds": 0.3})),
        result_of(driver, spec_of(tmp_path, "while True: print('x' * 10000)")),
    )
    assert late.status == "timeout"
    assert loud.status == "output_limit"
    assert len(loud.stdout) <= 100_000


async def test_out_of_memory_is_called_that(
    cluster: FakeCluster, driver: KubernetesDriver, tmp_path: Path
) -> None:
    spec = spec_of(tmp_path, "import time; time.sleep(60)")
    sandbox = await start(driver, blueprint_of(spec), "hungry", {}, 10)
    running = asyncio.create_task(Run(spec, SETTINGS, Stopwatch()).through(sandbox))
    (name,) = cluster.node.containers
    # It is measured as soon as its program has started.
    cluster.requests.clear()
    while ("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}") not in cluster.requests:
        await asyncio.wait_for(cluster.came.wait(), 10)
    await cluster.node.fail(name, "OOMKilled")
    assert (await running).status == "oom"
    await sandbox.destroy()
    assert cluster.store.of("pods") == []


async def test_a_skill_is_put_in_and_run_by_the_images_python(
    driver: KubernetesDriver, tmp_path: Path
) -> None:
    assert isinstance(driver, PutsMounts)
    assert isinstance(driver, HasOwnPython)
    result = await result_of(driver, spec_of(tmp_path, "", command=("python", "scripts/hello.py")))
    assert (result.status, result.stdout) == ("ok", b"from the skill\n"), result


async def test_a_skill_that_does_not_fit_is_not_run(
    cluster: FakeCluster, make_driver: MakeDriver, tmp_path: Path
) -> None:
    driver = make_driver(skill_bytes=MIB)
    spec = spec_of(tmp_path, "")
    (spec.skill_dir / "large.bin").write_bytes(bytes(2 * MIB))
    await driver.prepare(blueprint_of(spec))
    result = await result_of(driver, spec)
    assert result.status == "sandbox_error"
    assert "No space left" in (result.message or "")
    assert cluster.store.of("pods") == []


async def test_the_cluster_is_not_asked_at_every_look(
    cluster: FakeCluster, make_driver: MakeDriver, tmp_path: Path
) -> None:
    driver = make_driver(stats_seconds=60)
    await driver.prepare(blueprint_of(spec_of(tmp_path, "")))
    before = len(cluster.requests)
    await result_of(driver, spec_of(tmp_path, "import time; time.sleep(0.5)"))
    assert len(cluster.requests) - before < 20


async def test_a_cluster_that_cannot_measure_is_no_failure_of_a_run(
    cluster: FakeCluster, driver: KubernetesDriver, tmp_path: Path
) -> None:
    cluster.faults.add(Fault("GET", "/metrics.k8s.io", status=403, times=1000))
    cluster.memory = "10Mi"
    result = await result_of(driver, spec_of(tmp_path, "import time; time.sleep(0.2)"))
    assert (result.status, result.peak_memory_bytes) == ("ok", None)
