"""A sandbox that cannot hold what it promises does not run, and says what would help."""

import stat
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path

import pytest

from raptorflow.sandbox.driver import Blueprint, Handle
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.programs import bubblewraps
from raptorflow.sandbox.errors import SandboxGuaranteeMissing, SandboxSpecInvalid, SandboxUnavailable
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.probing import Guarantee, Holder, ProbeReport
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec


class Reporting(LocalDriver):
    """The local driver that reports what it is told to, and counts its sandboxes after that."""

    def __init__(self, report: ProbeReport, folder: Path) -> None:
        super().__init__(SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=folder / "state"))
        self._told = report
        self.made = 0

    async def probe(self) -> ProbeReport:
        await super().probe()
        return self._told

    async def create(self, blueprint: Blueprint, sandbox_id: str, labels: Mapping[str, str]) -> Handle:
        self.made += self._report is not None
        return await super().create(blueprint, sandbox_id, labels)


Reports = Callable[[ProbeReport], Reporting]


@pytest.fixture
async def reporting(tmp_path: Path) -> AsyncGenerator[Reports]:
    made: list[Reporting] = []

    def make(report: ProbeReport) -> Reporting:
        made.append(Reporting(report, tmp_path))
        return made[-1]

    yield make
    for driver in made:
        await driver.close()


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    return SandboxSpec(("python", "-c", "print(1)"), tmp_path, sandbox_python())


def program(folder: Path, text: str) -> Path:
    file = folder / "bwrap"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


@pytest.mark.parametrize(
    ("holder", "allow_supervised", "runs"),
    [("kernel", False, 1), ("supervised", False, 0), ("supervised", True, 1), ("missing", True, 0)],
)
async def test_guarantees_are_required(
    spec: SandboxSpec, reporting: Reports, holder: Holder, allow_supervised: bool, runs: int
) -> None:
    guarantees = {"files": Guarantee("kernel", "mounts"), "memory": Guarantee(holder, "a watch")}
    driver = reporting(ProbeReport("local", guarantees))
    settings = SandboxSettings(pool=NONE_READY, allow_supervised=allow_supervised)
    manager = SandboxManager(settings, {"local": driver})
    if runs:
        assert (await manager.run(spec)).status == "ok"
    else:
        with pytest.raises(SandboxGuaranteeMissing) as refused:
            await manager.run(spec)
        assert "memory" in refused.value.message
        assert "files" not in refused.value.message
        assert refused.value.details == {"guarantees": ["memory"]}
        assert refused.value.hint
    assert driver.made == runs


async def test_an_unknown_driver_is_named_with_the_known_ones(spec: SandboxSpec, reporting: Reports) -> None:
    driver = reporting(ProbeReport("local"))
    with pytest.raises(SandboxUnavailable) as refused:
        await SandboxManager(SandboxSettings(driver="moon"), {"local": driver}).run(spec)
    assert "moon" in refused.value.message
    assert "local" in (refused.value.hint or "")


async def test_a_senseless_spec_is_refused_before_anything_runs(
    spec: SandboxSpec, reporting: Reports
) -> None:
    driver = reporting(ProbeReport("local"))
    with pytest.raises(SandboxSpecInvalid):
        await SandboxManager(SandboxSettings(pool=NONE_READY, max_input_bytes=0), {"local": driver}).run(
            SandboxSpec(spec.command, spec.skill_dir, spec.python, stdin=b"x")
        )
    assert driver.made == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("echo 'bwrap: no namespaces today' >&2; exit 1", "no namespaces today"),
        ("exit 0", "spoke"),
        ("sleep 60", "not ready after"),
    ],
)
async def test_a_machine_without_sandboxes_refuses(
    spec: SandboxSpec, tmp_path: Path, text: str, part: str
) -> None:
    settings = SandboxSettings(
        pool=NONE_READY, bubblewrap=program(tmp_path, text), state_dir=tmp_path / "state", start_seconds=0.5
    )
    manager = build_manager(settings)
    with pytest.raises(SandboxUnavailable) as refused:
        await manager.run(spec)
    assert part in refused.value.message
    assert refused.value.hint
    await manager.close()
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_missing_bubblewrap_is_named(spec: SandboxSpec, tmp_path: Path) -> None:
    settings = SandboxSettings(pool=NONE_READY, bubblewrap=tmp_path / "none", state_dir=tmp_path / "state")
    manager = build_manager(settings)
    with pytest.raises(SandboxUnavailable, match="does not start"):
        await manager.run(spec)
    await manager.close()


async def test_a_sandbox_without_a_filter_is_found_out(spec: SandboxSpec, tmp_path: Path) -> None:
    """The self-test looks at what is held, not at what was asked for: here bubblewrap drops the filter."""
    manager = build_manager(SandboxSettings(pool=NONE_READY, state_dir=tmp_path / "first"))
    assert "syscalls" not in (await manager.probe())[0].missing
    await manager.close()
    wheel = used_program().resolve()
    script = f"""args="$2"; shift 2
tr '\\0' '\\n' <"/proc/self/fd/$args" | sed '/^--seccomp$/,+1d' | tr '\\n' '\\0' >"{tmp_path}/args.$$"
exec 9<"{tmp_path}/args.$$"; exec {wheel} --args 9 "$@\""""
    settings = SandboxSettings(
        pool=NONE_READY, bubblewrap=program(tmp_path, script), state_dir=tmp_path / "second"
    )
    manager = build_manager(settings)
    with pytest.raises(SandboxGuaranteeMissing) as refused:
        await manager.run(spec)
    assert "syscalls" in refused.value.details["guarantees"]
    assert "network" in refused.value.details["guarantees"]
    await manager.close()


def used_program() -> Path:
    found = bubblewraps(SandboxSettings())
    return found[0]
