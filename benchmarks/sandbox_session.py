"""A cell's way there and back in a session that is open, and what else a session takes.

    python benchmarks/sandbox_session.py [ROUNDS]

The last line is one JSON object, in milliseconds:

    p50_ms, p95_ms        `execute("1 + 1")`: from the call to its result
    printing_p50_ms       the same for a cell that prints one line
    program_p50_ms        `run(["true"])` beside the interpreter
    open_p50_ms           a new session: sandbox and interpreter
    restart_p50_ms        `reset()`: everything inside ended, a new interpreter
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from raptorflow.base.json import dumps
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.sessions.open import SandboxSessions, built_by
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

ROUNDS = 300
FEW = 10


async def main(rounds: int) -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    settings = SandboxSettings(allow_supervised=True)
    driver = LocalDriver(settings)
    await driver.probe()
    limits = SessionSettings(max_cells=4 * rounds)
    sessions = SandboxSessions(built_by(driver, settings), settings, limits)
    with tempfile.TemporaryDirectory() as folder:
        spec = SandboxSpec(("python",), Path(folder), sandbox_python())

        async def open_and_close() -> None:
            await (await sessions.open(spec)).close()

        opening = await times(open_and_close, FEW)
        session = await sessions.open(spec)
        figures = await measured(session, rounds)
    await sessions.close()
    await driver.close()
    print(dumps(figures | {"open_p50_ms": round(statistics.median(opening), 3)}))


async def measured(session: SandboxSession, rounds: int) -> dict[str, float]:
    """Every figure of an open session."""
    cells = await times(lambda: session.execute("1 + 1"), rounds)
    printing = await times(lambda: session.execute("print(1)"), rounds)
    programs = await times(lambda: session.run(["true"]), FEW)
    resets = await times(session.reset, FEW)
    return {
        "p50_ms": round(statistics.median(cells), 3),
        "p95_ms": round(statistics.quantiles(cells, n=20)[-1], 3),
        "printing_p50_ms": round(statistics.median(printing), 3),
        "program_p50_ms": round(statistics.median(programs), 3),
        "restart_p50_ms": round(statistics.median(resets), 3),
    }


async def times(step: Callable[[], Awaitable[object]], rounds: int) -> list[float]:
    """Milliseconds of each round, after one that is not counted."""
    await step()
    found: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        await step()
        found.append((time.perf_counter() - began) * 1000)
    return found


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
