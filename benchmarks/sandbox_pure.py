"""An action that only computes, in the pure tier and in the ordinary sandbox of the same manager.

    python benchmarks/sandbox_pure.py [ROUNDS]

Each round runs the same script in one and then in the other, from asking to the result, so that what else the
machine does weighs on both alike. Both have what they keep ready. The last line is one JSON object, in
milliseconds:

    pure_p50_ms, pure_p95_ms          in the pure tier
    sandbox_p50_ms, sandbox_p95_ms    in the sandbox that is configured
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import structlog

from raptorflow.base.json import dumps
from raptorflow.sandbox.drivers.monty.tier import PureTier
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

ROUNDS = 60
WARM_UP = 5
# Between rounds, so that what is kept ready can be made again.
PAUSE_SECONDS = 0.15
SCRIPT = """from raptorflow_skill import action
action.run(lambda given: {"sum": sum(given["spent"])})
"""


async def main(rounds: int) -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    manager = build_manager(SandboxSettings(allow_supervised=True))
    times: dict[str, list[float]] = {"pure": [], "sandbox": []}
    with tempfile.TemporaryDirectory() as folder:
        pure = spec_in(Path(folder))
        for done in range(WARM_UP + rounds):
            for name, spec in {"pure": pure, "sandbox": replace(pure, pure=False)}.items():
                times[name].append(await once(manager, spec))
            await asyncio.sleep(PAUSE_SECONDS)
            print(f"\r{done + 1}/{WARM_UP + rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    await manager.close()
    figures: dict[str, float] = {}
    for name, measured in times.items():
        counted = sorted(measured[WARM_UP:])
        figures[f"{name}_p50_ms"] = round(statistics.median(counted), 1)
        figures[f"{name}_p95_ms"] = round(counted[int(len(counted) * 0.95)], 1)
    print(dumps(figures))


def spec_in(folder: Path) -> SandboxSpec:
    """A pure run of the script, as the one file of a skill in a folder."""
    folder.joinpath("add.py").write_text(SCRIPT)
    given = b'{"spent": [1, 2]}'
    return SandboxSpec(("python", "add.py"), folder, sandbox_python(), stdin=given, pure=True)


async def once(manager: SandboxManager, spec: SandboxSpec) -> float:
    """Milliseconds from asking to the result."""
    began = time.perf_counter()
    result = await manager.run(spec)
    whole = (time.perf_counter() - began) * 1000
    assert result.stdout == b'{"sum": 3}\n', result
    assert (result.driver == PureTier.name) == spec.pure, result.driver
    return whole


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
