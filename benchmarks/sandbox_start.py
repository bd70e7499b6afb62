"""From asking for a sandbox to the first byte that its program prints, beside the program alone.

    python benchmarks/sandbox_start.py [ROUNDS]

Each round runs `python3 -c "print(1)"` bare, then in a sandbox with every guarantee of this machine, and,
where a Docker engine answers and has the image that RAPTORFLOW_BENCH_IMAGE names, with `docker run`.
Interleaved, so that what else the machine does weighs on all alike. The last line is one JSON object, in
milliseconds:

    p50_ms, p95_ms        the sandbox: request to first byte
    whole_p50_ms          the sandbox: request to result, everything inside dead and cleaned away
    bare_p50_ms           the interpreter alone: start to first byte
    docker_p50_ms         `docker run`: start to first byte; null where it was not run
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
from pathlib import Path

import structlog

from raptorflow.base.json import JsonObject, dumps
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

ROUNDS = 60
WARM_UP = 3
ASK_SECONDS = 10
CODE = "print(1)"
TARGET_P50_MS = 45.0


async def main(rounds: int) -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    python = sandbox_python()
    image = docker_image()
    manager = build_manager(SandboxSettings(allow_supervised=True))
    bare: list[float] = []
    sandboxed: list[tuple[float, float]] = []
    docker: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        spec = SandboxSpec(("python", "-c", CODE), Path(folder), python)
        for _ in range(WARM_UP):
            await once(manager, spec)
        for done in range(rounds):
            bare.append(first_byte_ms([str(python), "-c", CODE]))
            sandboxed.append(await once(manager, spec))
            if image:
                docker.append(first_byte_ms(docker_command(image)))
            print(f"\r{done + 1}/{rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    report = (await manager.probe())[0]
    await manager.close()
    print(dumps(figures(sandboxed, bare, docker) | {"weakened": list(report.weakened)}))


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
        assert process.stdout.read(1) == b"1"
        took = (time.perf_counter() - began) * 1000
        process.stdout.read()
        return took


def docker_image() -> str | None:
    """The image to run, when one is named and an engine has it."""
    image = os.environ.get("RAPTORFLOW_BENCH_IMAGE")
    if not image or not shutil.which("docker"):
        return None
    asked = subprocess.run(
        ["docker", "image", "inspect", image], capture_output=True, timeout=ASK_SECONDS, check=False
    )
    return image if asked.returncode == 0 else None


def docker_command(image: str) -> list[str]:
    """The same program under the same kinds of limits."""
    limits = ["--memory", "512m", "--cpus", "1", "--pids-limit", "64", "--read-only"]
    held = ["--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    return ["docker", "run", "--rm", *limits, *held, image, "python3", "-c", CODE]


def figures(
    sandboxed: Sequence[tuple[float, float]], bare: Sequence[float], docker: Sequence[float]
) -> JsonObject:
    """The last line."""
    first = [first for first, _ in sandboxed]
    return {
        "rounds": len(first),
        "p50_ms": percentile(first, 50),
        "p95_ms": percentile(first, 95),
        "whole_p50_ms": percentile([whole for _, whole in sandboxed], 50),
        "bare_p50_ms": percentile(bare, 50),
        "bare_p95_ms": percentile(bare, 95),
        "docker_p50_ms": percentile(docker, 50) if docker else None,
        "target_p50_ms": TARGET_P50_MS,
        "reached": percentile(first, 50) <= TARGET_P50_MS,
    }


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which that share of the values lies."""
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 3)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
