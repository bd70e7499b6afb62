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
from raptorflow.base.json import loads
from raptorflow.sandbox.attacks.catalogue.endings import taxonomy
from raptorflow.sandbox.attacks.lasting import both, ends
from raptorflow.sandbox.attacks.leftovers import groups_of, left_since, present, told
from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.outside import marked
from raptorflow.sandbox.attacks.outward import IMPORTS, world_of
from raptorflow.sandbox.attacks.processes import descendants, only, running
from raptorflow.sandbox.attacks.program import said, together, write
from raptorflow.sandbox.attacks.seeking import SEEK
from raptorflow.sandbox.attacks.stage import SHARED, TMP, Stage
from raptorflow.sandbox.audit.verify import verify
from raptorflow.sandbox.driver import Handle
from raptorflow.sandbox.drivers.local.processes import children
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import PoolSettings, QueueSettings
from raptorflow.sandbox.result import SandboxResult
from raptorflow.skills.capabilities import MIB, Limits

CANCEL_AFTER_MS = (0, 3, 8, 15, 25, 40, 70, 120)
YEAR_SECONDS = 365 * 24 * 3600
LIVE = 20
CROWD = 12
START_SECONDS = 60.0
REAP_SECONDS = 15.0
POLL_SECONDS = 0.05
# Until what was started is under way, and until the pool has made another.
UNDER_WAY_SECONDS = 0.3
REFILL_SECONDS = 1.0


async def half_way(stage: Stage) -> Trial:
    """L1: whatever a caller can make go wrong, at whatever moment, nothing is left."""
    sleeping = stage.text({"sleep": "time.sleep(8)"}, {}, apart=False, outside=False)
    before, groups_before = set(children(os.getpid())), groups_of(os.getpid())
    there = await present(stage)
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
    ended = [f"{name}: {await _end(stage.inside(sleeping, limits={'timeout_seconds': 1}, **fields))}"
            for name, fields in faults.items()]  # fmt: skip
    alone, left = await only(before), await left_since(there, stage)
    clean = alone and not left and groups_of(os.getpid()) == groups_before
    works = (await stage.inside(stage.text({"x": "return 1"}, {}, apart=False, outside=False))).status == "ok"
    words = together([told(left) if left else "", f"{len(CANCEL_AFTER_MS)} runs cancelled", *ended])
    return Trial(
        outcomes("removed" if clean else "through"), words, works, "an ordinary run works after that"
    )


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
    before = set(await stage.manager.list())
    module = "raptorflow.sandbox.attacks.victim"
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, str(state), str(LIVE), mark),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    # The log's key is not among them: it would be written as stars.
    given = stage.settings.model_dump_json(exclude={"audit"}).encode()
    if victim.stdin:
        victim.stdin.write(given)
        victim.stdin.close()
    try:
        alive = await _until_alive(victim.pid, mark, START_SECONDS * stage.patience)
        theirs, held = descendants(victim.pid), len(groups_of(victim.pid))
    finally:
        with suppress(ProcessLookupError):
            victim.send_signal(signal.SIGKILL)
        await victim.wait()
    began = time.monotonic()
    next_manager = stage.make(stage.settings.model_copy(update={"state_dir": state}))
    try:
        await next_manager.check()
        left = await _left(mark, theirs, victim.pid)
        left += await _listed(next_manager, before)
    finally:
        await next_manager.close()
    took = time.monotonic() - began
    were = f"{alive} were running in {held} control groups"
    words = f"{were}, {left} are left {took:.1f} s after the next manager looked"
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


async def _left(mark: str, theirs: set[int], victim: int) -> int:
    """Processes and control groups of a dead manager that are still there after a while."""
    deadline = time.monotonic() + REAP_SECONDS
    while True:
        alive = (theirs & running()) | set(marked(mark))
        left = len(alive) + len(groups_of(victim))
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(POLL_SECONDS)


async def _listed(manager: SandboxManager, before: set[Handle]) -> int:
    """How many sandboxes the driver lists after a while that were not there before."""
    deadline = time.monotonic() + REAP_SECONDS
    while left := set(await manager.list()) - before:
        if time.monotonic() > deadline:
            return len(left)
        await asyncio.sleep(POLL_SECONDS)
    return 0


async def closing(stage: Stage) -> Trial:
    """L3: closing twice, closing while something runs, running after it was closed: typed ends, no hang."""
    manager = stage.make(stage.settings)
    used = stage.with_manager(manager)
    text = stage.text({"sleep": "time.sleep(2); return 1"}, {}, apart=False, outside=False)
    short = stage.text({"x": "return 1"}, {}, apart=False, outside=False)
    first = await _end(used.inside(short))
    running = asyncio.ensure_future(_end(used.inside(text)))
    await asyncio.sleep(UNDER_WAY_SECONDS)
    await manager.close()
    await manager.close()
    found = [f"closed while it ran: {await running}", f"run after that: {await _end(used.inside(short))}"]
    await manager.close()
    untyped = [line for line in found if line.endswith("Error")]
    trial = Trial(
        outcomes("through" if untyped else "refused"), together(found), first == "ok", "it ran before"
    )
    return both(trial, await ends(stage))


async def long_life(stage: Stage) -> Trial:
    """L4: nobody gets a sandbox for a year, and nobody longer than the policy lets any run take."""
    try:
        Limits(timeout_seconds=YEAR_SECONDS)
    except ValidationError:
        a_year = "a year is more than there is"
    else:
        a_year = "a year was accepted"
    text = stage.text({"sleep": "time.sleep(8)"}, {}, apart=False, outside=False)
    async with stage.another(max_seconds=1.0) as used:
        ended = await used.inside(text, limits={"timeout_seconds": 20})
    shorter = stage.text({"sleep": "time.sleep(1.5)"}, {}, apart=False, outside=False)
    longer = await stage.inside(shorter, limits={"timeout_seconds": 20 * stage.patience})
    held = ended.status == "timeout" and ended.wall_ms < 5000 * stage.patience and "accepted" not in a_year
    words = (
        f"{a_year}; with 1 s for all, a run of 8 s ended after {ended.wall_ms / 1000:.1f} s: {ended.status}"
    )
    control = "a run of 1.5 s works where more is allowed"
    return Trial(outcomes("refused" if held else "through"), words, longer.status == "ok", control)


async def crowd(stage: Stage) -> Trial:
    """L5: no more run at once than are allowed, and a crowd of one tenant's leaves room for another's."""
    text = stage.text({"sleep": "time.sleep(0.6)"}, {}, apart=False, outside=False)

    async def timed(at_once: int) -> float:
        async with stage.another(max_concurrent=at_once) as used:
            began = time.monotonic()
            await asyncio.gather(*(_end(used.inside(text, tenant="crowd")) for _ in range(4)))
            return time.monotonic() - began

    one, all_ = await timed(1), await timed(8)
    behind = await _overtaken(stage, text)
    held = one >= 2.4 and behind >= CROWD // 2
    words = f"four took {one:.1f} s one at a time; another tenant's run ended before {behind} of {CROWD}"
    seen = outcomes("contained" if held else "through")
    return Trial(seen, words, all_ < one - 0.6, f"four took {all_:.1f} s with room for all")


async def _overtaken(stage: Stage, text: str) -> int:
    """How many of a crowd's runs have not ended when a run of another tenant has, which came after them."""
    async with stage.another(max_concurrent=2) as used:
        noise = [asyncio.ensure_future(_end(used.inside(text, tenant="crowd"))) for _ in range(CROWD)]
        try:
            await asyncio.sleep(UNDER_WAY_SECONDS)
            await _end(used.inside(text, tenant="neighbour"))
            return sum(not each.done() for each in noise)
        finally:
            for each in noise:
                each.cancel()
            await asyncio.gather(*noise, return_exceptions=True)


async def used_once(stage: Stage) -> Trial:
    """L6: sandboxes are kept ready; the next one looks for the last one's secret wherever it may be."""
    head, tail = f"bird-{secrets.token_hex(4)}", secrets.token_hex(8)
    facts = {"HEAD": head, "TAIL": tail, "PLACES": ("/workspace", TMP, SHARED, "/run", "/var")}
    leave = """
    if 'BIRD' in os.environ:
        for place in PLACES[:3]:
            Path(place, 'left').write_text(HEAD + TAIL)
    """
    text = stage.text({"leave": leave, "seek": SEEK}, facts, apart=False, outside=False)
    skill = stage.folder / "same-skill"
    skill.mkdir()
    write(skill, text)
    limits = {"memory_bytes": 256 * MIB}
    records = stage.folder / "pool-records"
    settings = stage.settings.model_copy(update={"pool": PoolSettings(min_ready=1, spare_memory_bytes=0)})
    manager = build_manager(settings.model_copy(update={"driver": stage.driver}), data_dir=records)
    used = stage.with_manager(manager)
    try:
        await manager.start()
        first = await used.inside(
            text, skill_dir=skill, limits=limits, env={"BIRD": head + tail}, tenant="one"
        )
        await asyncio.sleep(REFILL_SECONDS * stage.patience)
        others = [await used.inside(text, skill_dir=skill, limits=limits, tenant="two") for _ in range(3)]
    finally:
        await manager.close()
    own = said(first.stdout).get("seek")
    answers = [said(result.stdout).get("seek") for result in others]
    warm = sum(b'"path":"warm"' in line for line in _lines(records))
    alive = bool(own and own.saw == "through" and "/workspace/left" in own.words) and warm > 0
    absent = all(answer is not None and answer.saw == "absent" for answer in answers)
    found = [answer.words for answer in answers if answer and answer.saw == "through"]
    words = f"{len(others)} more runs, {warm} in sandboxes that were ready, found {found or 'nothing'}"
    seen = outcomes("absent" if absent else "through")
    return Trial(
        seen, words, alive, f"the first run found it in {own.words}" if own else "not even the first"
    )


def _lines(folder: Path) -> list[bytes]:
    """Every line of an audit log."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [line for file in files for line in file.read_bytes().splitlines()]


async def starved(stage: Stage) -> Trial:
    """L7: when there is no room, a run waits or is refused; it never takes place outside."""
    codes = {"where": "return os.uname().nodename + ' ' + str(os.path.exists('/skill/data.txt'))"}
    text = stage.text(codes, {}, apart=False, outside=False)
    queue = QueueSettings(tenant_waiting=3, max_waiting=3)
    async with stage.another(max_concurrent=1, queue=queue) as used:
        ran = await asyncio.gather(*(used.inside(text) for _ in range(8)), return_exceptions=True)
    results = [each for each in ran if isinstance(each, SandboxResult)]
    refused = {each.code for each in ran if isinstance(each, RaptorFlowError)}
    places = {answer.words for each in results for answer in said(each.stdout).values()}
    free = said((await stage.outside(stage.text(codes, {}, apart=False, outside=True))).stdout).get("where")
    inside = places == {"sandbox True"} and {each.driver for each in results} == {stage.driver}
    fine = inside and refused == {"sandbox-busy"} and len(results) + len(refused) > 1
    return Trial(
        outcomes("contained" if fine else "through"),
        f"{len(results)} of 8 ran, all in {json.dumps(sorted(places))}; the others: {sorted(refused)}",
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
    """L11: what a run does is written down outside, in a chain; names that are none do not stop that."""
    world = world_of(stage)
    mark = f"tenant-{secrets.token_hex(4)}"
    odd = ["get('http://evil.example\\x00.x/')", "tunnel('\\u0430pi.example:443')", "get('http://[::1]:1/')"]
    codes = {f"odd {n}": IMPORTS + code for n, code in enumerate(odd)}
    codes |= {
        "out": IMPORTS + "get(f'http://{GOOD}:{PORT}/')",
        "file": "Path('out/kept.txt').write_text('kept')",
        "find the log": f"if not list(Path('/').glob('**/{world.records.name}')): raise Absent('nowhere')",
        "flood": "while True: os.write(1, bytes(65536))",
    }
    source = stage.folder / "moved.txt"
    source.write_text("in")
    text = stage.text(codes, world.facts, apart=True, outside=False)
    used = stage.with_manager(world.manager)
    fields = {**world.reach(), "tenant": mark}
    result = await used.inside(text, inputs={"moved.txt": source}, **fields)
    await world.log.flush()
    rows = [loads(line) for line in _lines(world.records) if mark.encode() in line]
    kinds = {str(row.get("kind")) for row in rows}
    wanted = {"create", "exec", "file", "egress", "limit", "destroy"}
    denied = sum(row.get("decision") == "denied" for row in rows)
    broken = [report.fault for report in verify(world.records) if report.fault]
    hidden = said(result.stdout).get("find the log")
    lacking = sorted(wanted - kinds)
    fine = not lacking and not broken and denied >= len(odd) and hidden is not None and hidden.saw == "absent"
    chain = "is broken" if broken else "holds"
    words = f"{len(rows)} records, lacking {lacking or 'none'}, {denied} denials, the chain {chain}"
    return Trial(
        outcomes("absent" if fine else "through"), words, bool(rows), f"{len(rows)} records name this run"
    )


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
        "end in eight ways",
        "the verdict comes from what the kernel and the clock say, not from what the program prints",
        taxonomy,
        outcomes("told"),
    ),
)
