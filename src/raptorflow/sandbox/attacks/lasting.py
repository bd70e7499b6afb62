"""F9, F11 and L3 in a session: files are asked for by name while programs inside go on running."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

from raptorflow.base.errors import RaptorFlowError
from raptorflow.sandbox.attacks.canary import canary
from raptorflow.sandbox.attacks.model import Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.stage import OWN_CONTENT, OWN_FILE, SMALL, Stage
from raptorflow.sandbox.sessions.session import SandboxSession
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

RACE_SECONDS = 2.0
PLANT = """
import os
os.symlink({target!r}, 'link'); os.symlink('/skill', 'folder-link'); os.symlink('/proc/self/root', 'magic')
os.mkfifo('pipe'); os.mkdir('sub'); open('sub/own', 'w').write('own')
"""
GETS = (
    *("link", "folder-link/data.txt", "magic/skill/data.txt", "pipe", "sub", "sub/../../skill/data.txt"),
    *("../skill/data.txt", "sub/own/", "", ".", "/", "a\0b", "x" * 5000, "%2e%2e/skill/data.txt"),
    *("..\\skill\\data.txt", "sub\\own", "SUB/OWN", "/etc/shadow", "/proc/1/mem", "/proc/kcore"),
)
PUTS = (
    *("../x", "/skill/x", "/usr/x", "/etc/x", "/proc/sys/kernel/core_pattern", "folder-link/x", "magic/x"),
    *("link", "sub/own", "sub/../../x", "", "/", "a\0b", "x" * 5000, "/opt/raptorflow/agent/x"),
)
SWAP = """
import os, time
os.makedirs('new')
with open('new/data.txt', 'w') as data:
    data.write('own')
os.symlink('/skill', 'link'); os.rename('new', 'there')
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    os.rename('there', 'hidden'); os.rename('link', 'there')
    os.rename('there', 'link'); os.rename('hidden', 'there')
"""


@asynccontextmanager
async def session_of(stage: Stage) -> AsyncGenerator[SandboxSession]:
    """A session of a skill that holds one file."""
    with tempfile.TemporaryDirectory(prefix="rf-skill-", dir=stage.folder) as name:
        session = await stage.manager.session(
            SandboxSpec(
                command=("python",),
                skill_dir=_skill(name),
                python=stage.python,
                run_id=f"rf-attack-{secrets.token_hex(6)}",
                limits=Limits.model_validate({**SMALL, "memory_bytes": 128 * MIB}),
            )
        )
        try:
            yield session
        finally:
            await session.close()


def _skill(name: str) -> Path:
    folder = Path(name)
    folder.chmod(0o755)
    (folder / OWN_FILE).write_text(OWN_CONTENT)
    return folder


async def paths(stage: Stage) -> Trial:
    """F9: names for files to take out and put in that lead elsewhere, by themselves or through links."""
    bad: list[str] = []
    with canary(stage.folder) as bird:
        async with session_of(stage) as session:
            await session.execute(PLANT.format(target=str(bird.file)))
            for path in (*GETS, str(bird.file)):
                if (content := await _content(session.get(path))) is not None:
                    bad.append(f"got {path[:40]!r}: {content[:20]!r}")
            for path in PUTS:
                if await _content(_none(session.put(path, b"x"))) is not None:
                    bad.append(f"put {path[:40]!r}")
            for path in ("folder-link", "magic", "../skill", "link"):
                if await _content(_none(session.list(path))) is not None:
                    bad.append(f"listed {path!r}")
            await session.put("new", b"new")
            alive = await session.get("new") == b"new" and await session.get("sub/own") == b"own"
    words = together(bad) or f"in a session, {len(GETS) + len(PUTS) + 5} paths refused"
    return Trial(outcomes("through" if bad else "refused"), words, alive, "a plain path goes in and out")


async def _none(doing: Awaitable[object]) -> bytes:
    await doing
    return b""


async def _content(asking: Awaitable[bytes]) -> bytes | None:
    """What came; None when it was refused with an error that has a type."""
    try:
        return await asking
    except (RaptorFlowError, ValueError):
        return None


async def race(stage: Stage) -> Trial:
    """F11: a folder and a link change places while a file in it is taken out, again and again."""
    own = refused = 0
    strange: list[str] = []
    async with session_of(stage) as session:
        code = SWAP.format(seconds=RACE_SECONDS)
        swapping = asyncio.ensure_future(session.run(["python", "-c", code], seconds=RACE_SECONDS + 5))
        while not swapping.done():
            content = await _content(session.get("there/data.txt"))
            own += content == b"own"
            refused += content is None
            if content not in {b"own", None}:
                strange.append(repr(content)[:40])
        await asyncio.gather(swapping, return_exceptions=True)
    seen = outcomes("through" if strange else "refused")
    words = (
        together(strange) or f"in a session, {own + refused} times, {refused} of them refused, none outside"
    )
    return Trial(seen, words, own > 0 and refused > 0, f"{own} times the right file came")


async def ends(stage: Stage) -> Trial:
    """L3: a session is closed while a cell runs, closed again, and used after that."""
    async with session_of(stage) as session:
        first = await session.execute("1 + 1")
        running = asyncio.ensure_future(session.execute("import time; time.sleep(8)"))
        await asyncio.sleep(0)
        await session.close()
        await session.close()
        told = await asyncio.gather(running, return_exceptions=True)
        after = [
            await asyncio.gather(doing, return_exceptions=True)
            for doing in (session.execute("1"), session.get("x"), session.put("x", b""), session.interrupt())
        ]
    untyped = [repr(each) for each in (*told, *(each[0] for each in after)) if not _typed(each)]
    seen = outcomes("through" if untyped else "refused")
    words = together(untyped) or "a session: closed twice, and every use after that is refused"
    return Trial(seen, words, bool(first), "it answered before")


def _typed(end: object) -> bool:
    return isinstance(end, RaptorFlowError) or not isinstance(end, BaseException)


def both(first: Trial, second: Trial) -> Trial:
    """Two trials of one attack as one."""
    return Trial(
        first.outcomes | second.outcomes,
        together([first.evidence, second.evidence]),
        first.control and second.control,
        together([first.control_evidence, second.control_evidence]),
    )
