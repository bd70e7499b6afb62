"""From asking for a sandbox to the first byte that its program prints: new and kept ready, by each driver.

    python benchmarks/sandbox_start.py [ROUNDS] [DRIVER ...]

Each round runs `python3 -c "print(1)"` bare, then in a new sandbox of each driver, then in one of each
that was kept ready, and where the driver can in one that goes on from a frozen one; interleaved, so that what
else the machine does weighs on all alike. Drivers: `local`,
`docker` (an engine of its own is started for it, as root; `docker run` is measured beside
it) and `microvm` (with the image that the settings name; emulated guests are slow, so it has few rounds).
Without a name: local, and docker where an engine is installed. The last line is one JSON object, in
milliseconds:

    bare                          the interpreter alone: start to first byte
    <driver>.cold, <driver>.warm  request to first byte: p50, p95
    microvm.snapshot              the same, in a machine that goes on from a frozen one
    <driver>.whole                a new sandbox: request to result, everything inside dead and cleaned away
    docker_run                    `docker run`: start to first byte
"""

import asyncio
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from tests.support.docker_engine import running_engine

from raptorflow.base.json import JsonObject, dumps
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.metrics import created
from raptorflow.sandbox.pool.settings import NONE_READY, PoolSettings
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.settings import load_settings

ROUNDS, SLOW_ROUNDS = 60, 8
CODE = "print(1)"
# A sandbox is made ahead within this time, and the machine is at rest again.
REST_SECONDS = {"local": 0.15, "docker": 0.5, "microvm": 6.0}
TARGETS = {"local.cold": 40.0, "local.warm": 10.0, "docker.warm": 60.0}


@dataclass
class Subject:
    """One driver: a manager that keeps nothing, one that keeps some ready, and one that keeps some frozen."""

    name: str
    cold: SandboxManager
    warm: SandboxManager
    frozen: SandboxManager | None
    socket: Path | None = None
    figures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    async def round(self, spec: SandboxSpec) -> None:
        """One new sandbox, one that was kept ready, and one that goes on from a frozen one."""
        first, whole = await once(self.cold, spec)
        self.figures.setdefault("cold", []).append(first)
        self.figures.setdefault("whole", []).append(whole)
        await asyncio.sleep(REST_SECONDS[self.name])
        self.figures.setdefault("warm", []).append((await once(self.warm, spec))[0])
        await asyncio.sleep(REST_SECONDS[self.name])
        if self.frozen:
            before = created(self.name, "snapshot")
            first, _ = await once(self.frozen, spec)
            assert created(self.name, "snapshot") > before, "it was built anew"
            self.figures.setdefault("snapshot", []).append(first)
            await asyncio.sleep(REST_SECONDS[self.name])

    async def prepare(self, spec: SandboxSpec) -> None:
        """Until each has been used once, and what is to be frozen is."""
        for manager in self.managers:
            await once(manager, spec)
        while self.frozen and not created(self.name, "snapshot"):
            await once(self.frozen, spec)

    @property
    def managers(self) -> list[SandboxManager]:
        """All of them."""
        return [one for one in (self.cold, self.warm, self.frozen) if one]


async def main(rounds: int, names: Sequence[str]) -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    python = sandbox_python()
    bare: list[float] = []
    docker_run: list[float] = []
    with ExitStack() as stack:
        spec = SandboxSpec(("python", "-c", CODE), skill_folder(stack), python)
        subjects = [subject(name, stack) for name in names]
        for one in subjects:
            await one.prepare(spec)
        await asyncio.sleep(max(REST_SECONDS[one.name] for one in subjects))
        for done in range(rounds):
            bare.append(first_byte_ms([str(python), "-c", CODE]))
            for one in subjects:
                if one.name != "microvm" or done < SLOW_ROUNDS:
                    await one.round(spec)
                if one.socket:
                    docker_run.append(first_byte_ms(docker_command(one.socket)))
            print(f"\r{done + 1}/{rounds}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for one in subjects:
            for manager in one.managers:
                await manager.close()
    print(dumps(report(rounds, subjects, bare, docker_run)))


def skill_folder(stack: ExitStack) -> Path:
    """An empty one that everybody may read."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    folder.chmod(0o755)
    return folder


def subject(name: str, stack: ExitStack) -> Subject:
    """A driver's managers."""
    changes: dict[str, object] = {"driver": name, "allow_supervised": True}
    socket = None
    if name == "docker":
        socket = stack.enter_context(running_engine()).socket
        changes["docker"] = DockerSettings(socket=socket)
    given = load_settings().sandbox.model_copy(update=changes)
    ready = PoolSettings(min_ready=2, idle_seconds=3600)

    def with_pool(pool: PoolSettings) -> SandboxManager:
        return build_manager(given.model_copy(update={"pool": pool}))

    frozen = with_pool(PoolSettings(max_total=0)) if name == "microvm" else None
    return Subject(name, with_pool(NONE_READY), with_pool(ready), frozen, socket)


async def once(manager: SandboxManager, spec: SandboxSpec) -> tuple[float, float]:
    """Milliseconds to the first byte and to the result."""
    began = time.perf_counter()
    result = await manager.run(spec)
    whole = (time.perf_counter() - began) * 1000
    assert result.stdout == b"1\n", result
    assert result.first_output_ms is not None
    return result.first_output_ms, whole


def first_byte_ms(command: Sequence[str]) -> float:
    """Milliseconds from starting a program to the first byte that it prints."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(1) == b"1", command
        took = (time.perf_counter() - began) * 1000
        process.stdout.read()
        return took


def docker_command(socket: Path) -> list[str]:
    """The same program under the same kinds of limits, in the image that the driver has loaded."""
    engine = ["docker", "--host", f"unix://{socket}"]
    images = subprocess.run([*engine, "images", "-q"], capture_output=True, text=True, check=True)
    image = images.stdout.split()[0]
    links = [name for name in ("/bin", "/lib", "/lib64") if Path(name).exists()]
    shown = [part for name in ("/usr", *links) for part in ("-v", f"{Path(name).resolve()}:{name}:ro")]
    limits = ["--memory", "512m", "--cpus", "1", "--pids-limit", "64", "--read-only"]
    held = ["--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    return [*engine, "run", "--rm", *limits, *held, *shown, image, "/usr/bin/python3", "-c", CODE]


def report(
    rounds: int, subjects: Sequence[Subject], bare: Sequence[float], docker_run: Sequence[float]
) -> JsonObject:
    """The last line."""
    found: JsonObject = {"rounds": rounds, "bare": spread(bare)}
    for one in subjects:
        found |= {f"{one.name}.{what}": spread(values) for what, values in one.figures.items()}
    if docker_run:
        found["docker_run"] = spread(docker_run)
    targets = {what: value for what, value in TARGETS.items() if what in found}
    found["targets_p50"] = targets
    found["reached"] = {what: found[what]["p50"] <= value for what, value in targets.items()}
    return found


def spread(values: Sequence[float]) -> JsonObject:
    """The median, and the value below which 95 of 100 lie."""
    return {"p50": percentile(values, 50), "p95": percentile(values, 95)}


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which that share of the values lies."""
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 3)


def drivers() -> list[str]:
    """Those that need no preparation on this machine."""
    return [
        "local",
        *(["docker"] if shutil.which("dockerd", path="/usr/sbin:/usr/bin") and not os.geteuid() else []),
    ]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS, sys.argv[2:] or drivers()))
