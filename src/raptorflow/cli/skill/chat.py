"""A chat for `dev`: the running RaptorFlow, or one that is started; a save reaches it as a new version."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from raptorflow.base.errors import PartUnavailable
from raptorflow.cli.client import ApiClient, ServerUnreachable
from raptorflow.cli.connection import Connection, NoServerKnown, connection_file, read_connection
from raptorflow.cli.skill.rounds import Round
from raptorflow.cli.skill.sending import PublishFailed, send
from raptorflow.skills.archive import pack_files
from raptorflow.skills.manifest.table import FILE as MANIFEST
from raptorflow.skills.writer import with_version

START_SECONDS = 180.0
READ_BYTES = 65536
READY = "Stop: Ctrl-C"
LINK = "http"


class ChatNotStarted(PartUnavailable):
    """RaptorFlow could not be started for the chat."""

    code = "chat-not-started"
    default_hint = "Try `raptorflow run` to see why, or work without a chat: `--no-chat`."


class Chat:
    """Hands sound rounds on to a server."""

    def __init__(self, client: ApiClient, url: str) -> None:
        self._client = client
        self.url = url

    async def reload(self, found: Round) -> str:
        """Publish and install what was saved, as a development version; the next message runs it.

        Raises:
            ServerRefused, PublishFailed: the server does not take it.
            PublishOverdue: no worker took it in time.
            ServerUnreachable: it does not answer.
        """
        if found.skill is None:
            return ""
        base = found.skill.version.split("-", 1)[0].split("+", 1)[0]
        version = f"{base}-dev.{int(time.time() * 1000)}"
        manifest = found.files.get(MANIFEST, b"schema = 1\n").decode()
        files = {**found.files, MANIFEST: with_version(manifest, version).encode()}
        archive = pack_files(found.skill.name, files, found.executables)
        receipt = await send(self._client, archive, {"install": "true"})
        if receipt["status"] == "failed":
            raise PublishFailed(receipt["problem"] or {})
        return version


@asynccontextmanager
async def chat() -> AsyncGenerator[Chat]:
    """The chat of the running server; of one of its own, when none answers, which ends with the block."""
    try:
        connection = read_connection()
        async with ApiClient(connection) as client:
            await client.request("GET", "/api/v1/accounts/me")
            yield Chat(client, connection.url)
            return
    except (NoServerKnown, ServerUnreachable):
        pass
    async with _started() as connection, ApiClient(connection) as client:
        yield Chat(client, connection.url)


@asynccontextmanager
async def _started() -> AsyncGenerator[Connection]:
    """A RaptorFlow of its own, with its data in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raptorflow" / "dev"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "raptorflow.cli.main", "run", "--port", str(port), "--data", str(cache),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    reading: asyncio.Task[None] | None = None
    try:
        await _until_ready(process)
        reading = asyncio.create_task(_read_on(process))
        yield Connection.model_validate_json(connection_file().read_text())
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await (reading or _read_on(process))
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    """Show the sign-in link of the start, and nothing else of it."""
    said = ""
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stdout or ():
                text = line.decode(errors="replace")
                said += text
                if LINK in text:
                    print(text.strip(), file=sys.stderr)
                if READY in text:
                    return
    except TimeoutError as error:
        raise ChatNotStarted(f"RaptorFlow was not ready within {START_SECONDS:.0f} s.") from error
    raise ChatNotStarted(f"RaptorFlow ended while it started: {said.strip()[-400:]}")


async def _read_on(process: asyncio.subprocess.Process) -> None:
    """Take what it prints later, so that it never waits for a reader."""
    while process.stdout and await process.stdout.read(READ_BYTES):
        pass
