"""L1-L8 and L12: failures half way, dead managers, and what is told of an end."""

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from raptorflow.base.errors import RaptorFlowError
from raptorflow.sandbox.attacks.model import Attack, NotLive, Trial, outcomes
from raptorflow.sandbox.attacks.outside import marked
from raptorflow.sandbox.attacks.processes import descendants, gone_in_time
from raptorflow.sandbox.attacks.program import said, together
from raptorflow.sandbox.attacks.stage import TMP, Stage, groups
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import Limits

CANCEL_AFTER_MS = (0, 3, 8, 15, 25, 40, 70, 120)
YEAR_SECONDS = 365 * 24 * 3600
LIVE = 20
START_SECONDS = 30.0
REAP_SECONDS = 15.0
POLL_SECONDS = 0.05
ENDS = {
    "ok": ("return 1", {}),
    "error": ("os._exit(3)", {}),
    "signal": ("os.kill(os.getpid(), signal.SIGSEGV); time.sleep(5)", {}),
    "timeout": ("time.sleep(30)", {"timeout_seconds": 1}),
    "oom": ("kept = [bytearray(b'x' * (1 << 20)) for _ in range(200)]", {}),
    "output_limit": ("while True: os.write(1, bytes(65536))", {}),
}


async def half_way(stage: Stage) -> Trial:
    """L1: whatever a caller can make go wrong, at whatever moment, nothing is left."""
    sleeping = stage.text({"sleep": "time.sleep(8)"}, {}, apart=False, outside=False)
    before = len(descendants(os.getpid()))
    for after in CANCEL_AFTER_MS:
        running = asyncio.ensure_future(stage.inside(sleeping))
        await asyncio.wait({running}, timeout=after / 1000)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    file = stage.folder / "no-folder"
    file.write_text("x")
    faults = {
        "no such program": {"command": ("no-such-program",)},
        "no program": {"command": ("/usr",)},
        "results into a file": {"artifacts_dir": file},
        "results where nobody may write": {"artifacts_dir": Path("/proc/x")},
        "no environment": {"env_dir": stage.folder},
    }
    told = [f"{name}: {await _end(stage.inside(sleeping, limits={'timeout_seconds': 1}, **fields))}"
            for name, fields in faults.items()]  # fmt: skip
    clean = await gone_in_time(os.getpid(), before)
    works = (await stage.inside(stage.text({"x": "return 1"}, {}, apart=False, outside=False))).status == "ok"
    words = together([f"{len(CANCEL_AFTER_MS)} runs cancelled", *told])
    return Trial(outcomes("removed" if clean else "through"), words, works, "an ordinary run works after that")


async def _end(running: Awaitable[SandboxResult]) -> str:
    try:
        return (await running).status
    except RaptorFlowError as error:
        return error.code
    except OSError as error:
        return type(error).__name__


async def killed_manager(stage: Stage) -> Trial:
    """L2: a manager is killed with sandboxes running; they die with it or are removed by the next."""
    mark = f"rf-victim-{secrets.token_hex(6)}"
    state = stage.folder / mark
    state.mkdir()
    module = "raptorflow.sandbox.attacks.victim"
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, str(state), stage.driver, str(LIVE), mark),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        alive = await _until_alive(victim.pid, mark, START_SECONDS * stage.patience)
        theirs = descendants(victim.pid)
    finally:
        with suppress(ProcessLookupError):
            victim.send_signal(signal.SIGKILL)
        await victim.wait()
    began = time.monotonic()
    next_manager = stage.make(stage.settings.model_copy(update={"state_dir": state}))
    try:
        await next_manager.probe()
        left = await _left(mark, theirs)
    finally:
        await next_manager.close()
    took = time.monotonic() - began
    words = f"{alive} were running, {left} are left {took:.1f} s after the next manager looked"
    seen = outcomes("removed" if not left else "through")
    return Trial(seen, words, alive >= LIVE, f"{alive} of {LIVE} were running when it was killed")


async def _until_alive(victim: int, mark: str, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    alive = 0
    while alive < LIVE and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        # Inside, each has the program's name and the mark; where only machines are seen, those are counted.
        inside = [pid for pid in marked(f"attack.py\0{mark}") if pid != victim]
        alive = max(len(inside), len(descendants(victim)) if not inside else 0)
    return alive


async def _left(mark: str, theirs: set[int]) -> int:
    deadline = time.monotonic() + REAP_SECONDS
    while True:
        alive = {pid for pid in theirs if Path(f"/proc/{pid}").exists()} | set(marked(mark))
        left = len(alive) + len(groups(mark))
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(POLL_SECONDS)


async def closing(stage: Stage) -> Trial:
    """L3: closing twice, closing while something runs, running after it was closed: typed ends, no hang."""
    manager = stage.make(stage.settings)
    used = stage.with_manager(manager)
    text = stage.text({"sleep": "time.sleep(2); return 1"}, {}, apart=False, outside=False)
    short = stage.text({"x": "return 1"}, {}, apart=False, outside=False)
    first = await _end(used.inside(short))
    running = asyncio.ensure_future(_end(used.inside(text)))
    await asyncio.sleep(0.3)
    await manager.close()
    await manager.close()
    found = [f"closed while it ran: {await running}", f"run after that: {await _end(used.inside(short))}"]
    await manager.close()
    untyped = [line for line in found if line.endswith("Error")]
    return Trial(outcomes("through" if untyped else "refused"), together(found), first == "ok", "it ran before")


async def long_life(stage: Stage) -> Trial:
    """L4: nobody gets a sandbox for a year."""
    try:
        Limits(timeout_seconds=YEAR_SECONDS)
    except ValidationError:
        seen, words = outcomes("refused"), "a year is more than the longest time"
    else:
        seen, words = outcomes("through"), "a year was accepted"
    alive = Limits(timeout_seconds=60).timeout_seconds == 60
    return Trial(seen, words, alive, "a minute is accepted")


async def crowd(stage: Stage) -> Trial:
    """L5: no more run at once than are allowed."""
    text = stage.text({"sleep": "time.sleep(0.6)"}, {}, apart=False, outside=False)

    async def timed(at_once: int) -> float:
        manager = stage.make(stage.settings.model_copy(update={"max_concurrent": at_once}))
        used = stage.with_manager(manager)
        try:
            await manager.probe()
            began = time.monotonic()
            await asyncio.gather(*(_end(used.inside(text)) for _ in range(4)))
            return time.monotonic() - began
        finally:
            await manager.close()

    one, all_ = await timed(1), await timed(4)
    seen = outcomes("contained" if one >= 2.4 else "through")
    words = f"four runs of 0.6 s took {one:.1f} s with one at a time"
    return Trial(seen, words, all_ < one - 0.6, f"{all_:.1f} s with four at a time")


SEEK = """
needle = (HEAD + TAIL).encode()
found = []
for folder in PLACES:
    for path in Path(folder).rglob('*'):
        if path.is_file() and path.name not in ('attack.py', 'prelude.py'):
            try:
                if needle in path.read_bytes():
                    found.append(str(path))
            except OSError:
                pass
for entry in Path('/proc').glob('[0-9]*'):
    for name in ('environ', 'cmdline', 'mem'):
        if int(entry.name) == os.getpid() and name == 'mem':
            continue
        try:
            content = memory(entry) if name == 'mem' else (entry / name).read_bytes()
            if needle in content:
                found.append(f'{entry}/{name}')
        except OSError:
            pass
if not found:
    raise Absent('nowhere')
return found
"""
MEMORY = """
def memory(entry):
    content = b''
    with open(entry / 'mem', 'rb', buffering=0) as file:
        for line in (entry / 'maps').read_text().splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split('-'))
            if 'r' not in line.split()[1] or end - start > (64 << 20) or '[v' in line:
                continue
            try:
                file.seek(start)
                content += file.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
    return content
"""


async def used_once(stage: Stage) -> Trial:
    """L6: the second run looks for the first one's secret in files, variables, arguments and memory."""
    head, tail = f"bird-{secrets.token_hex(4)}", secrets.token_hex(8)
    facts = {"HEAD": head, "TAIL": tail, "PLACES": ("/workspace", TMP, "/dev/shm", "/run", "/var")}
    leave = """
    for place in PLACES[:3]:
        Path(place, 'left').write_text(HEAD + TAIL)
    """
    codes = {"leave": leave, "seek": MEMORY + SEEK}
    first = await stage.inside(stage.text(codes, facts, apart=False, outside=False), env={"BIRD": head + tail})
    only = {"seek": MEMORY + SEEK}
    second = await stage.inside(stage.text(only, facts, apart=False, outside=False))
    own, other = said(first.stdout).get("seek"), said(second.stdout).get("seek")
    alive = bool(own and own.saw == "through" and "/workspace/left" in own.words)
    seen = outcomes("absent" if other and other.saw == "absent" else "through" if other else "broken")
    words = f"the next run found it {other.words}" if other else f"status {second.status}"
    return Trial(seen, words, alive, f"the first run found it in {own.words}" if own else "not even the first")


async def starved(stage: Stage) -> Trial:
    """L7: when there is no room, a run waits or is refused; it never takes place outside."""
    manager = stage.make(stage.settings.model_copy(update={"max_concurrent": 1}))
    used = stage.with_manager(manager)
    codes = {"where": "return os.uname().nodename + ' ' + str(os.path.exists('/skill/data.txt'))"}
    text = stage.text(codes, {}, apart=False, outside=False)
    try:
        ran = await asyncio.gather(*(used.inside(text) for _ in range(6)), return_exceptions=True)
    finally:
        await manager.close()
    results = [each for each in ran if isinstance(each, SandboxResult)]
    typed = all(isinstance(each, (SandboxResult, RaptorFlowError)) for each in ran)
    places = {answer.words for each in results for answer in said(each.stdout).values()}
    free = said((await stage.outside(stage.text(codes, {}, apart=False, outside=True))).stdout).get("where")
    fine = typed and places == {"sandbox True"} and {each.driver for each in results} == {stage.driver}
    return Trial(
        outcomes("contained" if fine else "through"),
        f"{len(results)} of 6 ran, all in {json.dumps(sorted(places))}",
        bool(free and free.words not in places),
        f"outside it says {free.words.split()[-1] if free else '?'}",
    )


async def unavailable(stage: Stage) -> Trial:
    """L8: without isolation there is no run."""
    broken: dict[str, dict[str, object]] = {"no such driver": {"driver": "no-such-driver"}}
    if stage.driver == "local":
        broken["no bubblewrap"] = {"bubblewrap": stage.folder / "nothing"}
        broken["a bubblewrap that does nothing"] = {"bubblewrap": Path("/bin/true")}
    text = stage.text({"x": "return 1"}, {}, apart=False, outside=False)
    found: list[str] = []
    for name, update in broken.items():
        manager = stage.make(stage.settings.model_copy(update=update))
        try:
            found.append(f"{name}: {await _end(stage.with_manager(manager).inside(text))}")
        finally:
            await manager.close()
    ran = [line for line in found if line.endswith(": ok")]
    works = await _end(stage.inside(text)) == "ok"
    return Trial(outcomes("through" if ran else "refused"), together(found), works, "with isolation it runs")


async def audited(stage: Stage) -> Trial:
    """L11: what happened is written down, in a chain, where no sandbox reaches it."""
    raise NotLive("the manager does not write its audit log yet")


async def taxonomy(stage: Stage) -> Trial:
    """L12: each end is told as what it was."""
    wrong: list[str] = []
    for status, (code, limits) in ENDS.items():
        result = await stage.inside(stage.text({"x": code}, {}, apart=False, outside=False), limits=limits)
        told = said(result.stdout).get("x")
        # A program may notice a limit itself, and end in order.
        noticed = status == "oom" and told is not None and told.words == "MemoryError"
        if result.status != status and not noticed:
            wrong.append(f"{status} was told as {result.status}")
        if status == "error" and result.exit_code != 3:
            wrong.append(f"exit code 3 was told as {result.exit_code}")
        if status == "signal" and result.signal != "SIGSEGV":
            wrong.append(f"SIGSEGV was told as {result.signal}")
    words = together(wrong) or f"{', '.join(ENDS)}: each told as what it was"
    return Trial(outcomes("through" if wrong else "told"), words, True, "six programs with six known ends")


LIFECYCLE = (
    Attack(
        "L1",
        "Failing half way",
        "cancel runs at every moment, name programs and folders that are none",
        "whoever makes something removes it on every way out",
        half_way,
        outcomes("removed"),
    ),
    Attack(
        "L2",
        "Killing the manager",
        "kill -9 a manager with 20 running sandboxes",
        "sandboxes end with their channel or their parent; the next manager removes what is noted",
        killed_manager,
        outcomes("removed"),
        not_for={"kubernetes": "pods are the cluster's, and end by their deadline"},
    ),
    Attack(
        "L3",
        "Closing at the wrong moment",
        "close twice, close while something runs, run after closing",
        "closing is idempotent; every end has a type",
        closing,
        outcomes("refused"),
    ),
    Attack(
        "L4",
        "A sandbox for a year",
        "ask for a time limit of a year",
        "limits have a largest value, whoever asks",
        long_life,
        outcomes("refused"),
    ),
    Attack(
        "L5",
        "A crowd",
        "start more than may run at once",
        "what is too much waits its turn",
        crowd,
        outcomes("contained"),
    ),
    Attack(
        "L6",
        "Used twice",
        "look for the last run's secret in files, variables, arguments and memory",
        "a sandbox is used once; nothing of it is kept",
        used_once,
        outcomes("absent"),
    ),
    Attack(
        "L7",
        "Starving",
        "start runs when there is no room",
        "a run waits or is refused with an error; there is no code that runs a command without a sandbox",
        starved,
        outcomes("contained"),
    ),
    Attack(
        "L8",
        "No isolation",
        "take away the driver, and put a program in its place that isolates nothing",
        "a driver is believed only after it has held what it was tried with",
        unavailable,
        outcomes("refused"),
    ),
    Attack(
        "L11",
        "Without a trace",
        "do something that nobody writes down; reach the log; fill it",
        "the host writes it, in a chain of digests, outside every mount",
        audited,
        outcomes("refused", "absent"),
    ),
    Attack(
        "L12",
        "Blaming something else",
        "end in six ways",
        "the verdict comes from what the kernel and the clock say, not from what the program prints",
        taxonomy,
        outcomes("told"),
    ),
)
