"""`raptorflow skill dev`: on every save validate, scan, run the cases concerned, and reload the chat."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.question import FileUnusable
from raptorflow.cli.signals import EXIT_INTERRUPTED, run_until_signal
from raptorflow.cli.skill.chat import Chat, chat
from raptorflow.cli.skill.rounds import Problem, Round, Rounds
from raptorflow.cli.skill.sandboxed import local_sandbox
from raptorflow.core.tasks import end_tasks
from raptorflow.skills.files import belongs
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.text import printable

# Its types need a package that is not there.
_watchfiles: Any = import_module("watchfiles")
awatch, Change = _watchfiles.awatch, _watchfiles.Change

DEBOUNCE_MS, STEP_MS = 60, 20
# How soon a folder that was removed and made again is seen.
GONE_MS, GONE_SECONDS = 500, 0.2


def dev(
    folder: Path = Path(),
    *,
    with_chat: Annotated[bool, Parameter(name="--chat")] = True,
    once: bool = False,
    json: bool = False,
) -> None:
    """Watch a skill while it is written; Ctrl-C ends it and everything that it started.

    Args:
        folder: the skill's folder.
        with_chat: reload the skill in a running RaptorFlow, or one that is started; `--no-chat` only checks.
        once: one round, then exit 1 when something is to be mended.
        json: print one JSON object an event.
    """
    if not folder.is_dir():
        raise FileUnusable(f"{folder} is not a folder.", hint="Name the skill's folder.")
    screen = _Screen(json)
    if once:
        if not asyncio.run(_once(folder.resolve(), screen)):
            sys.exit(1)
    elif not run_until_signal(_watch(folder.resolve(), screen, with_chat=with_chat)):
        sys.exit(EXIT_INTERRUPTED)


async def _once(folder: Path, screen: "_Screen") -> bool:
    async with local_sandbox() as sandbox:
        found = await Rounds(folder, sandbox).go(None)
    screen.show(found, ())
    return found.is_sound


async def _watch(folder: Path, screen: "_Screen", *, with_chat: bool) -> None:
    async with local_sandbox() as sandbox, _chat_or_none(screen, wanted=with_chat) as talking:
        rounds = Rounds(folder, sandbox)
        async for changed in _saves(folder):
            before = rounds.problems
            found = await rounds.go(changed)
            screen.show(found, before)
            if talking and found.is_sound:
                await _reload(talking, found, screen)


async def _saves(folder: Path) -> AsyncGenerator[set[str] | None]:
    """None for the start, then the skill's paths that were saved; watched from before the start on."""
    saved: asyncio.Queue[set[str]] = asyncio.Queue()
    watching = asyncio.create_task(_watched(folder, saved))
    # It begins to watch in its first step, before anybody reads the folder.
    await asyncio.sleep(0)
    try:
        yield None
        while True:
            taking = asyncio.create_task(saved.get())
            try:
                await asyncio.wait({taking, watching}, return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    # It goes on for ever, so that it has failed; better to say so than to see nothing more.
                    watching.result()
                yield await taking
            finally:
                await end_tasks([taking])
    finally:
        await end_tasks([watching])


async def _watched(folder: Path, saved: asyncio.Queue[set[str]]) -> None:
    """Watch the folder; when it is removed or moved away, wait for it and watch it again."""
    again = False
    while True:
        if not _is_there(folder):
            await asyncio.sleep(GONE_SECONDS)
            continue
        if again:
            # What happened unwatched concerns every action.
            saved.put_nowait({MANIFEST})
        await _watched_while_there(folder, saved)
        again = True


async def _watched_while_there(folder: Path, saved: asyncio.Queue[set[str]]) -> None:
    options = {"debounce": DEBOUNCE_MS, "step": STEP_MS, "rust_timeout": GONE_MS, "yield_on_timeout": True}
    try:
        async for changes in awatch(folder, raise_interrupt=False, **options):
            paths = {Path(path).relative_to(folder).as_posix() for _, path in changes}
            if changed := {path for path in paths if belongs(path)}:
                saved.put_nowait(changed)
            # The system's watch goes with the folder, even when another is there by now.
            if (Change.deleted, str(folder)) in changes or not _is_there(folder):
                return
    except FileNotFoundError:
        return


def _is_there(folder: Path) -> bool:
    return folder.is_dir()


@asynccontextmanager
async def _chat_or_none(screen: "_Screen", *, wanted: bool) -> AsyncGenerator[Chat | None]:
    async with AsyncExitStack() as stack:
        talking: Chat | None = None
        if wanted:
            screen.say("Looking for a RaptorFlow, or starting one ...")
            talking = await stack.enter_async_context(chat())
            screen.event({"event": "chat", "url": talking.url}, f"Chat: {talking.url}")
        yield talking


async def _reload(talking: Chat, found: Round, screen: "_Screen") -> None:
    try:
        version = await talking.reload(found)
    except RaptorFlowError as error:
        screen.event({"event": "not-reloaded", "problem": error.problem()}, f"Not reloaded: {error.message}")
        return
    screen.event({"event": "reloaded", "version": version}, f"Reloaded as {version}.")


class _Screen:
    """Problems as they come, and which were mended."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self._console = Console(highlight=False, soft_wrap=True, quiet=json)

    def show(self, found: Round, before: tuple[Problem, ...]) -> None:
        """A round, beside the problems of the one before."""
        if self._json:
            print(dumps(found.row()), flush=True)
            return
        mended = [problem for problem in before if problem not in found.problems]
        clock = f"{datetime.now().astimezone():%H:%M:%S}"
        took = f"checks {found.check_ms:.0f} ms"
        if found.passed:
            took += f", {found.passed} cases passed in {found.cases_ms:.0f} ms"
        state = _state(found)
        self._console.print(Text(clock, "dim").append("  ").append(*state).append(f"  {took}", "dim"))
        for problem in mended:
            self._console.print(Text(f"  mended  {printable(problem.place)}  {problem.code}", "green"))
        for problem in found.problems:
            self._console.print(
                Text(f"  {printable(problem.place)}  ", "bold").append(f"{problem.code}", "dim")
            )
            self._console.print(Text(f"    {printable(problem.message)} {printable(problem.remedy)}"))

    def say(self, text: str) -> None:
        """A line for a person."""
        self._console.print(Text(text, "dim"))

    def event(self, row: JsonObject, text: str) -> None:
        """An event, for a program or for a person."""
        if self._json:
            print(dumps(row), flush=True)
        else:
            self._console.print(Text(f"          {text}"))


def _state(found: Round) -> tuple[str, str]:
    """What a round comes to, and its colour."""
    number = len(found.problems)
    if not found.is_sound:
        return f"✗ {number} to mend", "red"
    return (f"✓ sound, {number} to look at", "yellow") if number else ("✓ sound", "green")
