"""`raptorflow ask`: a question and files in, an answer and a table of what happened out."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.client import ApiClient, ServerRefused
from raptorflow.cli.connection import Connection, read_connection
from raptorflow.cli.question import FileUnusable, Question, check_question
from raptorflow.cli.screen import Screen
from raptorflow.cli.story import Story

OUTPUTS = Path("raptorflow-out")
EXIT_FAILED = 1
MIB = 1024 * 1024


class RunFailed(RaptorFlowError):
    """The run ended without an answer."""

    code = "run-failed"

    def __init__(self, error: JsonObject) -> None:
        super().__init__(str(error["message"]), hint=error.get("hint"))
        self._code = str(error["code"])

    def problem(self, instance: str | None = None) -> JsonObject:
        """The problem document, with the run's own code."""
        return super().problem(instance) | {"code": self._code}


def ask(
    question: str,
    *,
    file: Annotated[list[Path] | None, Parameter(negative="")] = None,
    out: Path = OUTPUTS,
    json: bool = False,
    url: str | None = None,
    token: str | None = None,
) -> None:
    """Ask the agent of a running RaptorFlow.

    Args:
        question: the question, in plain words.
        file: a file to work on; may be given several times.
        out: the folder for files that the skills make.
        json: print one JSON object instead of the conversation.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
        token: a personal access token; RAPTORFLOW_TOKEN when not given.
    """
    asked = Question(question, file or [], out)
    check_question(asked)
    asyncio.run(ask_server(read_connection(url, token), asked, as_json=json))


async def ask_server(connection: Connection, asked: Question, *, as_json: bool) -> None:
    """Ask, show what happens, fetch artefacts, and exit 1 when the run or its last action failed.

    Raises:
        RaptorFlowError: the server refused or did not answer, or the run failed.
    """
    screen = Screen(Console(soft_wrap=True, highlight=False), quiet=as_json)
    story = Story(files=[path.name for path in asked.files])
    try:
        async with ApiClient(connection) as client:
            await _converse(client, asked, screen, story)
            await _fetch(client, asked.out, story)
    finally:
        screen.stop_waiting()
    if as_json:
        print(dumps(story.report()))
    else:
        screen.summary(story)
        if story.error:
            raise RunFailed(story.error)
    if story.failed:
        sys.exit(EXIT_FAILED)


async def _converse(client: ApiClient, asked: Question, screen: Screen, story: Story) -> None:
    files: list[str] = []
    for path in asked.files:
        size = path.stat().st_size
        screen.wait(f"Sending {path.name} ...")
        report = partial(_sent, screen, path.name, size)
        files.append((await client.upload(path, size, report))["id"])
    screen.wait("Thinking ...")
    session = await client.request("POST", "/api/v1/orchestrator/sessions", json={})
    async with client.events(session["id"]) as stream:
        await stream.send({"type": "message", "text": asked.text, "files": files})
        async for event in stream:
            if event["type"] == "CUSTOM" and event["name"] == "refused":
                raise ServerRefused(event["value"])
            if event["type"].startswith("TEXT_MESSAGE"):
                screen.text(event)
            if line := story.take(event):
                screen.stop_waiting()
                screen.line(line)
            if doing := story.doing(event):
                screen.wait(doing)
            if story.finished:
                return


def _sent(screen: Screen, name: str, size: int, sent: int) -> None:
    screen.wait(f"Sending {name}: {sent / max(size, 1):.0%} of {size / MIB:,.0f} MiB ...")


async def _fetch(client: ApiClient, out: Path, story: Story) -> None:
    """Save the run's artefacts; each gets the path it was saved to."""
    for artifact in story.artifacts:
        content = await client.download(str(artifact["url"]))
        artifact["path"] = str(await asyncio.to_thread(_save, out, str(artifact["name"]), content))


def _save(out: Path, name: str, content: bytes) -> Path:
    """Write a file below `out` without overwriting another; the server's name is only a suggestion."""
    plain = Path(name).name or "artifact"
    try:
        out.mkdir(parents=True, exist_ok=True)
        number, path = 1, out / plain
        while path.exists():
            number += 1
            path = out / f"{Path(plain).stem}-{number}{Path(plain).suffix}"
        path.write_bytes(content)
    except OSError as error:
        raise FileUnusable(
            f"{plain} cannot be saved to {out}: {error.strerror}.", hint="Name another folder with `--out`."
        ) from error
    return path
