"""Runs that declare to be pure, through the manager: in the pure tier, or in a sandbox and it says so."""

import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.export import Wanted, export
from raptorflow.sandbox.audit.log import AuditLog
from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.monty.confinement import Walls
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.drivers.monty.tier import PureTier, Unsuited
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, Surroundings, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.probing import ProbeReport
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Capabilities, Limits
from raptorflow.skills.model import VARIABLES

ACTIONS = Path(__file__).with_name("pure_actions.py").read_text()
GIVEN = {"n": 7, "words": ["pear", "fig", "apple"], "rows": [{"team": "b", "spent": 3}]}
ECHO = "from raptorflow_skill import action\naction.run(lambda given: given)\n"
# Nothing that can be read shows it: a list has no such method there, and has it in CPython.
ONLY_IN_CPYTHON = 'print("begun")\nprint([1, 2].__class_getitem__(int))\n'
SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.01
LIFE = ["create", "exec", "destroy"]

Pure = Callable[..., SandboxSpec]
Manage = Callable[..., Coroutine[Any, Any, SandboxManager]]


@pytest.fixture
def pure(tmp_path: Path) -> Pure:
    """A pure run of a script; further arguments are the spec's own."""

    def make(script: str, *arguments: str, **fields: Any) -> SandboxSpec:
        skill = tmp_path / "skill"
        skill.mkdir(exist_ok=True)
        skill.joinpath("act.py").write_text(script)
        given: dict[str, Any] = {
            "command": ("python", "act.py", *arguments),
            "skill_dir": skill,
            "python": sandbox_python(),
            "limits": Limits(timeout_seconds=20),
            "pure": True,
        }
        return SandboxSpec(**{**given, **fields})

    return make


@pytest.fixture
async def manage(tmp_path: Path) -> AsyncGenerator[Manage]:
    """Managers that write down what happens; further arguments are the settings' own."""
    made: list[SandboxManager] = []

    async def make(**settings: Any) -> SandboxManager:
        given: dict[str, Any] = {
            "pool": NONE_READY,
            "allow_supervised": True,
            "state_dir": tmp_path / "state",
            **settings,
        }
        around = Surroundings(audit=AuditLog(tmp_path / "audit", AuditSettings()))
        made.append(build_manager(SandboxSettings(**given), around=around))
        await made[-1].start()
        return made[-1]

    yield make
    for manager in made:
        await manager.close()


@pytest.fixture
async def manager(manage: Manage) -> SandboxManager:
    return await manage()


async def written(manager: SandboxManager, folder: Path) -> list[JsonObject]:
    """What the audit log holds once the manager is closed."""
    await manager.close()
    return list(export(folder / "audit", Wanted()))


def left(begun: str) -> float:
    name = "raptorflow_sandbox_pure_left_total"
    return REGISTRY.get_sample_value(name, {"begun": begun}) or 0.0


def same(result: SandboxResult) -> tuple[object, ...]:
    """What of a result does not depend on where it was run."""
    return (
        *(result.status, result.exit_code, result.stdout, result.stdout_bytes, result.stdout_sha256),
        *(result.signal, result.artifacts, result.stdout_truncated, result.message),
    )


@pytest.mark.parametrize("name", ["grouping", "rounding", "customised", "printing", "refusing", "unknown"])
async def test_a_pure_run_answers_as_in_a_sandbox(manager: SandboxManager, pure: Pure, name: str) -> None:
    spec = pure(ACTIONS, name, stdin=json.dumps(GIVEN).encode(), env={VARIABLES: '{"currency": "EUR"}'})
    there = await manager.run(spec)
    here = await manager.run(dataclasses.replace(spec, pure=False))
    assert (there.driver, here.driver) == ("monty", "local")
    assert same(there) == same(here)
    assert there.stderr_bytes == here.stderr_bytes
    assert there.start_ms > 0


async def test_it_is_written_down_like_any_other_run(
    manager: SandboxManager, pure: Pure, tmp_path: Path
) -> None:
    await manager.run(pure(ECHO, stdin=b"{}", tenant="acme", skill="acme/sums@1.0.0"))
    records = await written(manager, tmp_path)
    assert [record["kind"] for record in records] == LIFE
    assert records[0]["driver"] == "monty"
    assert {(record["tenant"], record["skill"]) for record in records} == {("acme", "acme/sums@1.0.0")}
    assert len({record["sandbox"] for record in records}) == 1
    assert (records[1]["status"], records[1]["exit_code"], records[1]["stdout_bytes"]) == ("ok", 0, 3)


async def test_what_fails_there_is_run_in_a_sandbox_and_both_are_written_down(
    manager: SandboxManager, pure: Pure, tmp_path: Path
) -> None:
    before = left("true")
    with capture_logs() as logs:
        result = await manager.run(pure(ONLY_IN_CPYTHON))
    assert (result.driver, result.status) == ("local", "ok")
    assert result.stdout == b"begun\nlist[int]\n"
    (told,) = [entry for entry in logs if entry["event"] == "pure run is done in a sandbox"]
    assert (told["begun"], told["reason"]) == (True, "it ended there with error")
    assert left("true") == before + 1
    records = await written(manager, tmp_path)
    assert [record["kind"] for record in records] == LIFE * 2
    assert [record["driver"] for record in records if record["kind"] == "create"] == ["monty", "local"]
    assert [record["status"] for record in records if record["kind"] == "exec"] == ["error", "ok"]
    assert records[0]["sandbox"] != records[3]["sandbox"]


async def test_an_error_of_the_script_s_own_is_the_sandbox_s(manager: SandboxManager, pure: Pure) -> None:
    result = await manager.run(pure("raise ValueError('mine')"))
    assert (result.driver, result.status, result.exit_code) == ("local", "error", 1)
    assert b"ValueError: mine" in result.stderr


@pytest.mark.parametrize(
    ("script", "fields", "reason"),
    [
        ("open('/skill/act.py').read(1)\nprint(1)", {}, "line 1: `open` is not there"),
        ("print(1)", {"command": ("python", "-c", "print(1)")}, "its command does not give Python one file"),
        ("print(1)", {"reach": Capabilities.model_validate({"network": ["a.example:443"]})}, "outside"),
        ("print(1)", {"limits": Limits(cpus=0.5, timeout_seconds=20)}, "less than one processor"),
        ("print(1)", {"command": ("python", "act.py", "act.py")}, "its arguments name a file"),
    ],
)
async def test_what_cannot_run_there_is_not_begun_there(
    manager: SandboxManager, pure: Pure, tmp_path: Path, script: str, fields: dict[str, Any], reason: str
) -> None:
    before = left("false")
    with capture_logs() as logs:
        result = await manager.run(pure(script, **fields))
    assert (result.driver, result.status, result.stdout) == ("local", "ok", b"1\n")
    (told,) = [entry for entry in logs if entry["event"] == "pure run is done in a sandbox"]
    assert reason in told["reason"]
    assert told["begun"] is False
    assert left("false") == before + 1
    assert [record["kind"] for record in await written(manager, tmp_path)] == LIFE


async def test_an_input_file_is_shown_in_a_sandbox(
    manager: SandboxManager, pure: Pure, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a")
    result = await manager.run(pure("print(1)", inputs={"rows.csv": file}))
    assert (result.driver, result.status) == ("local", "ok")


async def test_a_link_does_not_show_a_script_of_this_machine(
    manager: SandboxManager, pure: Pure, tmp_path: Path
) -> None:
    spec = pure("print(1)")
    outside = tmp_path / "outside.py"
    outside.write_text("print('canary')")
    script = spec.skill_dir / "act.py"
    script.unlink()
    script.symlink_to(outside)
    result = await manager.run(spec)
    assert result.driver == "local"
    assert b"canary" not in result.stdout + result.stderr


async def test_memory_that_only_a_sandbox_gives_is_given(manage: Manage, pure: Pure) -> None:
    manager = await manage(monty=MontySettings(max_memory_bytes=16 * MIB, pool=NONE_READY))
    taken = "x = 'a' * 2 ** 26\nprint(len(x))"
    result = await manager.run(pure(taken, limits=Limits(memory_bytes=256 * MIB, timeout_seconds=20)))
    assert (result.driver, result.stdout) == ("local", b"67108864\n")
    small = await manager.run(pure(taken, limits=Limits(memory_bytes=16 * MIB, timeout_seconds=20)))
    assert (small.driver, small.status) == ("monty", "oom")


async def test_a_limit_that_was_reached_there_ends_the_run(
    manager: SandboxManager, pure: Pure, tmp_path: Path
) -> None:
    result = await manager.run(pure("while True: pass", limits=Limits(timeout_seconds=0.3)))
    assert (result.driver, result.status) == ("monty", "timeout")
    records = await written(manager, tmp_path)
    assert [record["kind"] for record in records] == ["create", "exec", "limit", "kill", "destroy"]


async def test_cancelling_is_written_down_too(manager: SandboxManager, pure: Pure, tmp_path: Path) -> None:
    run = asyncio.create_task(manager.run(pure("while True: pass")))
    deadline = time.monotonic() + SETTLE_SECONDS
    while not list(export(tmp_path / "audit", Wanted())):
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [record["kind"] for record in await written(manager, tmp_path)] == ["create", "kill", "destroy"]


async def test_without_the_extra_it_is_an_ordinary_run(
    manage: Manage, pure: Pure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    manager = await manage()
    result = await manager.run(pure(ECHO, stdin=b"{}"))
    assert (result.driver, result.stdout) == ("local", b"{}\n")
    (report,) = await manager.probe("monty")
    assert (report.available, report.optional) == (False, True)
    assert report.remedy == "uv pip install 'raptorflow[monty]'"


async def test_switched_off_it_is_an_ordinary_run(manage: Manage, pure: Pure) -> None:
    manager = await manage(monty=MontySettings(enabled=False))
    assert (await manager.run(pure(ECHO, stdin=b"{}"))).driver == "local"
    (report,) = await manager.probe("monty")
    assert (report.available, report.problem) == (False, "it is switched off")


@pytest.mark.parametrize("allow_supervised", [True, False])
async def test_a_guarantee_that_the_policy_asks_for_is_not_lowered(
    pure: Pure, bubblewrap: Path, monkeypatch: pytest.MonkeyPatch, allow_supervised: bool
) -> None:
    def unbound(walls: Walls) -> bool:
        del walls
        return False

    async def begun(came_by: str, took_ms: float) -> None:
        del came_by, took_ms

    monkeypatch.setattr(Walls, "pinned", unbound)
    tier = PureTier([bubblewrap], MontySettings(pool=NONE_READY), allow_supervised=allow_supervised)
    try:
        assert (await tier.probe()).weakened == ("cpu",)
        told = await tier.run(pure(ECHO, stdin=b"{}"), begun)
    finally:
        await tier.close()
    if allow_supervised:
        assert isinstance(told, SandboxResult)
        assert told.status == "ok"
    else:
        assert told == Unsuited("the kernel does not hold cpu, and the policy asks for it")


class Stronger(LocalDriver):
    """The local driver that says that a virtual machine holds its sandboxes."""

    async def probe(self) -> ProbeReport:
        return dataclasses.replace(await super().probe(), boundary="virtual-machine")


@pytest.mark.parametrize(("weaker", "driver"), [(False, "local"), (True, "monty")])
async def test_a_skill_does_not_get_out_of_a_stronger_sandbox_by_its_declaration(
    pure: Pure, bubblewrap: Path, tmp_path: Path, weaker: bool, driver: str
) -> None:
    state = tmp_path / "state"
    settings = SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=state)
    tier = PureTier([bubblewrap], MontySettings(pool=NONE_READY, weaker_boundary=weaker))
    manager = SandboxManager(settings, {"local": Stronger(settings)}, pure=tier)
    try:
        result = await manager.run(pure(ECHO, stdin=b"{}"))
    finally:
        await manager.close()
    assert (result.driver, result.stdout) == (driver, b"{}\n")


async def test_the_manager_reports_the_tier_beside_its_drivers(manager: SandboxManager) -> None:
    reports = {report.driver: report for report in await manager.probe()}
    assert reports["monty"].available
    assert reports["monty"].guarantees["cpu"].holder == "kernel"
    assert not reports["local"].optional
