"""S8: sandboxes that are made alike, and what they must not have alike."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from raptorflow.sandbox.attacks.model import Trial, outcomes
from raptorflow.sandbox.attacks.program import Said, said, together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.pool.metrics import created
from raptorflow.sandbox.pool.settings import PoolSettings

COUNT = 3
CLOCK_SECONDS = 1.0
# Drivers whose sandboxes go on from frozen ones; there are some within so many rounds.
FREEZES, ROUNDS = {"microvm"}, 8
KINDS = ("os.urandom", "random", "uuid4", "hash")
DRAW = """
import random, uuid
drawn = [os.urandom(16).hex(), random.random(), uuid.uuid4().hex, hash('x')]
return json.dumps({'drawn': drawn, 'time': time.time()})
"""
# Two processes that go on from one state, as copies of a frozen sandbox would: `random` itself takes a new
# seed in a child, a generator of one's own does not.
COPIES = """
import random
kept = random.Random(os.urandom(16))
for number in range(2):
    one, two = os.pipe()
    if os.fork() == 0:
        os.write(two, json.dumps([os.urandom(16).hex(), kept.random(), number, number]).encode())
        os._exit(0)
    os.wait()
    say(f'copy {number}', 'through', os.read(one, 500).decode())
"""


@dataclass(frozen=True)
class Drawn:
    """What one sandbox drew, and how far its clock was from this machine's, in seconds."""

    numbers: Sequence[object]
    off: float


@dataclass(frozen=True)
class Found:
    """What sandboxes drew, as far as it is known, and how many of them went on from one frozen one."""

    drawn: Sequence[Drawn | None]
    copies: int


async def twins(stage: Stage) -> Trial:
    """S8: sandboxes made alike give different random numbers, and the same clock."""
    with stage.skill(stage.text({"draw": DRAW}, {}, apart=False, outside=False)) as skill:
        found = await (_copied(stage, skill) if stage.driver in FREEZES else _made_anew(stage, skill))
    drawn = [each for each in found.drawn if each]
    whole = len(drawn) == len(found.drawn) and (found.copies >= COUNT or stage.driver not in FREEZES)
    same = alike([each.numbers for each in drawn])
    late = [each.off for each in drawn if each.off > CLOCK_SECONDS]
    off = max((each.off for each in drawn), default=0.0)
    bad = [f"alike: {', '.join(same)}" if same else "", f"clocks are {late} s off" if late else ""]
    words = f"{len(drawn)} sandboxes, {found.copies} gone on from one frozen; clocks at most {off:.2f} s off"
    copies = await _copies(stage)
    return Trial(
        outcomes("through" if same or late else "contained" if whole else "broken"),
        together([*bad, words]),
        alike(copies) == ["random"],
        f"two processes that go on from one state have alike: {', '.join(alike(copies)) or 'nothing'}",
    )


def alike(drawn: Sequence[Sequence[object]]) -> list[str]:
    """Kinds of numbers of which two are equal."""
    columns = zip(KINDS, zip(*drawn, strict=True), strict=False)
    return [kind for kind, numbers in columns if len({str(each) for each in numbers}) < len(drawn)]


async def _made_anew(stage: Stage, skill: Path) -> Found:
    return Found([await _drawn(stage, skill) for _ in range(COUNT)], copies=0)


async def _copied(stage: Stage, skill: Path) -> Found:
    """As many at once as a pool of one member does not have ready, until enough were copies."""
    drawn: list[Drawn | None] = []
    before, made = created(stage.driver, "snapshot"), 0
    async with stage.another(pool=PoolSettings(min_ready=1, max_ready=1)) as used:
        for _ in range(ROUNDS):
            drawn += await asyncio.gather(*(_drawn(used, skill) for _ in range(COUNT)))
            made = created(stage.driver, "snapshot") - before
            if made >= COUNT:
                break
    return Found(drawn, made)


async def _drawn(stage: Stage, skill: Path) -> Drawn | None:
    began = time.time()
    answer = said((await stage.inside_of(skill)).stdout).get("draw")
    return drawn_of(answer, began, time.time())


def drawn_of(answer: Said | None, began: float, ended: float) -> Drawn | None:
    """What a sandbox said; its clock must lie between two looks at this machine's."""
    try:
        told = cast("dict[str, Any]", json.loads(answer.words) if answer else {})
        inside, numbers = float(told["time"]), cast("list[object]", told["drawn"])
    except (ValueError, KeyError, TypeError):
        return None
    return Drawn(numbers, max(began - inside, inside - ended, 0.0)) if len(numbers) == len(KINDS) else None


async def _copies(stage: Stage) -> list[list[object]]:
    free = await stage.outside(stage.text({"copy": COPIES}, {}, apart=False, outside=True))
    answers = said(free.stdout)
    return [json.loads(answers[name].words) for name in ("copy 0", "copy 1") if name in answers]
