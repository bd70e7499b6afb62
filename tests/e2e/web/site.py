"""A whole RaptorFlow, started as people start it, behind a cable that a test can cut."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from raptorflow.cli.first_steps import ADMIN_EMAIL
from raptorflow.skills.archive import pack_files

SIGN_IN = re.compile(rb"http://127\.0\.0\.1:\d+/sign-in\S+")
REGISTRY = "/api/v1/registry"
POLL_SECONDS = 0.1
READY_SECONDS = 180.0
STOP_SECONDS = 30.0
CHUNK = 65_536


class Cable:
    """Passes bytes between browser and server; cut, it drops every connection and takes no new one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()

    async def mend(self) -> None:
        await self.start(urlsplit(self.url).port or 0)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there_writer}
        self._open |= both
        try:
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
        finally:
            self._open -= both


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


@dataclass(frozen=True)
class Site:
    """Where it answers, and an administrator's session to prepare things with."""

    url: str
    admin: httpx.AsyncClient

    async def new_person(self, email: str) -> str:
        """Make an account; the path of its one-time link."""
        answer = await self.admin.post("/api/v1/accounts/users", json={"email": email, "name": "Ada"})
        return f"/sign-in?token={answer.raise_for_status().json()['link_token']}"

    async def link_of_admin(self) -> str:
        """The path of a one-time link of the administrator, in whose organisation the samples are."""
        answer = await self.admin.post("/api/v1/accounts/users/links", json={"email": ADMIN_EMAIL})
        return f"/sign-in?token={answer.raise_for_status().json()['link_token']}"

    async def publish(self, name: str, files: dict[str, str]) -> None:
        """Publish a skill into the administrator's organisation, and wait until it is there."""
        content = pack_files(name, {path: text.encode() for path, text in files.items()}, ())
        taken = await self.admin.post(f"{REGISTRY}/publishes", content=content)
        receipt = taken.raise_for_status().json()
        async with asyncio.timeout(READY_SECONDS):
            while receipt["status"] not in {"published", "failed"}:
                await asyncio.sleep(POLL_SECONDS)
                receipt = (await self.admin.get(f"{REGISTRY}/publishes/{receipt['publish_id']}")).json()
        assert receipt["status"] == "published", receipt


@asynccontextmanager
async def running_site(folder: Path, port: int) -> AsyncGenerator[Site]:
    """Start `raptorflow run`, hand the site over, and stop it as Ctrl-C does."""
    # Long enough that no session has to be renewed in the middle of the tests.
    environment = {**os.environ, "HOME": str(folder), "RAPTORFLOW_ACCOUNTS__ACCESS_SECONDS": "3600"}
    command = (sys.executable, "-m", "raptorflow.cli.main", "run")
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--port", str(port), "--data", str(folder / "data")),
        env=environment,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    assert process.stdout
    try:
        link = await asyncio.wait_for(_link(process.stdout), READY_SECONDS)
        listening = asyncio.create_task(process.stdout.read())
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            token = parse_qs(urlsplit(link).query)["token"][0]
            pair = await client.post("/api/v1/accounts/links/redeem", json={"token": token})
            client.headers["Authorization"] = f"Bearer {pair.raise_for_status().json()['access_token']}"
            yield Site(url, client)
    finally:
        ended = process.returncode
        if ended is None:
            os.killpg(process.pid, signal.SIGINT)
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
    said = await listening
    assert ended is None, f"it ended by itself, with {ended}:\n{said.decode(errors='replace')[-4000:]}"


async def _link(output: asyncio.StreamReader) -> str:
    said = b""
    while line := await output.readline():
        said += line
        if found := SIGN_IN.search(line):
            return found.group(0).decode()
    raise AssertionError(f"it ended early:\n{said.decode(errors='replace')[-4000:]}")
