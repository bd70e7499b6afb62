"""Many sandboxes at once, what those kept ready cost, and what a flood of output does to the host.

    python benchmarks/sandbox_load.py [AT_ONCE] [FLOOD_GIB]

The last line is one JSON object:

    at_once_new, at_once_ready   that many runs begun in the same moment: milliseconds to first byte, p50, p95
    idle_member_mib              memory of one sandbox that is kept ready (proportional set size of all of it)
    flood_mib_s, flood_growth_mib  that many GiB printed by one program: speed, and how much the host's own
                                 memory grew meanwhile
"""

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

import structlog
from benchmarks.sandbox_start import spread

from raptorflow.base.json import JsonObject, dumps
from raptorflow.sandbox.agent.programs import Program, start
from raptorflow.sandbox.drivers.local.driver import LocalDriver
from raptorflow.sandbox.drivers.local.processes import descendants
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY, PoolSettings, QueueSettings
from raptorflow.sandbox.running.commands import blueprint_of
from raptorflow.sandbox.running.live import start as build
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import SandboxSpec

AT_ONCE, FLOOD_GIB = 50, 10
MIB, GIB = 1024 * 1024, 1024 * 1024 * 1024
WAIT_SECONDS = 120
LOOK_SECONDS = 0.1
WARM_UP_BYTES = 64 * MIB
FLOOD = "import os\nchunk = b'x' * 65536\nfor _ in range({0} // 65536): os.write(1, chunk)"


async def main(at_once: int, flood_gib: int) -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        spec = SandboxSpec(("python", "-c", "print(1)"), Path(folder), sandbox_python())
        found = await crowds(spec, at_once)
        found |= await flood(spec, flood_gib)
    print(dumps({"at_once": at_once, **found}))


async def crowds(spec: SandboxSpec, at_once: int) -> JsonObject:
    """As many at once in new sandboxes, and in ones that were kept ready."""
    queue = QueueSettings(tenant_running=at_once)
    settings = SandboxSettings(allow_supervised=True, max_concurrent=at_once, queue=queue)
    new = build_manager(settings.model_copy(update={"pool": NONE_READY}))
    await new.run(spec)
    fresh = await crowd(new, spec, at_once)
    await new.close()
    size = PoolSettings(min_ready=at_once, max_ready=at_once, max_total=at_once, idle_seconds=3600)
    kept = build_manager(settings.model_copy(update={"pool": size}))
    await kept.run(spec)
    before = set(descendants(own_pid()))
    await until_ready(at_once)
    member = pss_mib(set(descendants(own_pid())) | before) / at_once
    ready = await crowd(kept, spec, at_once)
    await kept.close()
    return {
        "at_once_new": spread(fresh),
        "at_once_ready": spread(ready),
        "idle_member_mib": round(member, 2),
    }


async def crowd(manager: SandboxManager, spec: SandboxSpec, at_once: int) -> list[float]:
    """Milliseconds to the first byte of each."""
    results = await asyncio.gather(*(manager.run(spec) for _ in range(at_once)))
    assert all(result.status == "ok" for result in results), results
    return [result.first_output_ms or 0.0 for result in results]


async def until_ready(count: int) -> None:
    """Wait until so many agents and interpreters wait."""
    for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
        if sum(1 for pid in descendants(own_pid()) if is_waiting(pid)) >= count:
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise TimeoutError(f"{count} sandboxes were not ready after {WAIT_SECONDS} s")


def is_waiting(pid: int) -> bool:
    """Whether it is an interpreter without a program."""
    try:
        return b"guest.waiting" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def pss_mib(pids: set[int]) -> float:
    """Memory, shared pages divided among those who share them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


async def flood(spec: SandboxSpec, gib: int) -> JsonObject:
    """A program that prints so much, all of it read and counted; how the host's memory grew."""
    driver = LocalDriver(SandboxSettings(allow_supervised=True))
    sandbox = await build(driver, blueprint_of(spec), "flood", {}, WAIT_SECONDS)
    counted = 0

    def take(_: int, payload: bytes) -> None:
        nonlocal counted
        counted += len(payload)

    async def printed(size: int) -> None:
        code = FLOOD.format(size)
        running = await start(sandbox.link, Program([str(spec.python), "-I", "-c", code]), take)
        assert await running.wait() == 0

    await printed(WARM_UP_BYTES)
    before, began = own_rss_mib(), time.perf_counter()
    await printed(gib * GIB)
    seconds = time.perf_counter() - began
    growth = own_rss_mib() - before
    assert counted == gib * GIB + WARM_UP_BYTES
    await sandbox.destroy()
    await driver.close()
    return {"flood_mib_s": round(gib * 1024 / seconds), "flood_growth_mib": round(growth, 2)}


def own_rss_mib() -> float:
    """What this process holds, at its highest."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def own_pid() -> int:
    """This process."""
    return int(Path("/proc/self").readlink().name)


if __name__ == "__main__":
    given = [int(value) for value in sys.argv[1:]]
    asyncio.run(main(*(given + [AT_ONCE, FLOOD_GIB][len(given) :])))
