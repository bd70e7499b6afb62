"""A small composition: a server and a worker over real PostgreSQL and Valkey, and a skill in a folder."""

import asyncio
import shutil
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_ai.models import Model
from sqlalchemy import update
from websockets.asyncio.client import ClientConnection, connect

from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.http import install_http
from raptorflow.core.valkey import open_valkey
from raptorflow.orchestrator.connections.endpoints import router as connections
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.connections.service import ModelConnections
from raptorflow.orchestrator.endpoints import router
from raptorflow.orchestrator.folder_skills import FolderSkills
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.language_models.offline import OfflineModel
from raptorflow.orchestrator.models import Run
from raptorflow.orchestrator.ports import ActionRunner, SkillSource
from raptorflow.orchestrator.repository import OPEN
from raptorflow.orchestrator.runs.worker import Abilities, RunWorker
from raptorflow.orchestrator.service import AgentOrchestrator
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.sockets import router as sockets
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.stack.postgres import PostgresUrls

ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.02
GRACE_SECONDS = 1
TEAR_DOWN_SECONDS = 120.0
"""Only what hangs takes so long; a hang fails the test that left it, and no other waits for it."""
SECRET = "a secret of the tests"

SKILL_MD = """\
---
name: word-counter
description: Counts the words and lines of a text file and shows the most frequent words.
allowed-tools: Read
---
Count words with the count action.
"""
SKILL_TOML = """\
schema = 1
[skill]
version = "1.2.0"
[actions.count]
description = "Count the words and lines of a text file."
command = ["python", "scripts/count.py"]
input = "schemas/input.json"
output = "schemas/output.json"
[actions.echo]
description = "Echo a phrase."
command = ["python", "scripts/echo.py"]
input = "schemas/echo.json"
"""
COUNT_PY = """\
import json, sys
from collections import Counter
from pathlib import Path

given = json.load(sys.stdin)
text = Path(given["file"]).read_bytes()
try:
    words = text.decode().split()
except UnicodeDecodeError:
    print(json.dumps({"error": {"code": "not-text", "message": "This is no text.", "hint": "Send UTF-8."}}))
    sys.exit(2)
Path("out").mkdir(exist_ok=True)
Path("out/top.txt").write_text("\\n".join(w for w, _ in Counter(words).most_common(given.get("top", 3))))
print(json.dumps({"answer": f"{len(words)} words", "words": len(words)}))
"""
ECHO_PY = "import json, sys; print(json.dumps({'answer': json.load(sys.stdin)['phrase']}))"
INPUT = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "file", "description": "The text."},
        "top": {"type": "integer", "minimum": 1, "maximum": 50},
    },
    "required": ["file"],
    "additionalProperties": False,
}
OUTPUT = {"type": "object", "properties": {"words": {"type": "integer"}}, "required": ["words"]}
ECHO = {"type": "object", "properties": {"phrase": {"type": "string"}}, "required": ["phrase"]}


@pytest.fixture(scope="session")
def skill_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A skill with two actions."""
    folder = tmp_path_factory.mktemp("skills") / "word-counter"
    (folder / "scripts").mkdir(parents=True)
    (folder / "schemas").mkdir()
    (folder / "SKILL.md").write_text(SKILL_MD)
    (folder / "skill.toml").write_text(SKILL_TOML)
    (folder / "scripts/count.py").write_text(COUNT_PY)
    (folder / "scripts/echo.py").write_text(ECHO_PY)
    for name, schema in {"input": INPUT, "output": OUTPUT, "echo": ECHO}.items():
        (folder / f"schemas/{name}.json").write_text(dumps(schema))
    # The sandbox's user has to get there.
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(0o755)
    return folder


@dataclass
class Person:
    """A signed-in user."""

    user_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class House:
    """What a test talks to."""

    url: str
    database: Database
    orchestrator: AgentOrchestrator
    accounts: AccountsService
    skills: FolderSkills
    sandbox: SandboxManager
    settings: OrchestratorSettings
    connector: Connector
    workers: list[RunWorker] = field(default_factory=list[RunWorker])

    async def person(self) -> Person:
        """A new user."""
        user_id = await self.accounts.create_user(f"{new_id()}@example.org", "Somebody")
        pair = await self.accounts.redeem_link(await self.accounts.one_time_link(user_id))
        return Person(user_id, pair.access_token)

    def http(self, person: Person | None = None) -> httpx.AsyncClient:
        """A client, signed in as somebody."""
        return httpx.AsyncClient(
            base_url=self.url, headers=person.headers if person else {}, timeout=ANSWER_SECONDS
        )

    async def start_worker(
        self,
        model: Model | None = None,
        *,
        skills: SkillSource | None = None,
        runner: ActionRunner | None = None,
    ) -> RunWorker:
        """A worker in this process."""
        abilities = Abilities(
            skills or self.skills,
            runner or self.sandbox,
            model or OfflineModel(min_score=0.1),
            sandbox_python(),
            self.connector,
        )
        worker = RunWorker(self.orchestrator, abilities)
        await worker.start()
        self.workers.append(worker)
        return worker

    async def session(self, person: Person) -> UUID:
        """A new conversation."""
        async with self.http(person) as http:
            answer = await http.post("/api/v1/orchestrator/sessions", json={})
        answer.raise_for_status()
        return UUID(answer.json()["id"])

    async def send(self, person: Person, session_id: UUID, text: str, **extra: Any) -> UUID:
        """Send a message over HTTP; the run's id."""
        async with self.http(person) as http:
            answer = await http.post(
                f"/api/v1/orchestrator/sessions/{session_id}/messages", json={"text": text, **extra}
            )
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["id"])

    async def upload(self, person: Person, name: str, content: bytes) -> JsonObject:
        """Upload a file."""
        async with self.http(person) as http:
            answer = await http.post("/api/v1/orchestrator/files", params={"name": name}, content=content)
        assert answer.status_code == 201, answer.text
        return answer.json()

    @asynccontextmanager
    async def socket(
        self, person: Person, session_id: UUID, query: str = ""
    ) -> AsyncGenerator[ClientConnection]:
        """A WebSocket of a session."""
        url = f"ws{self.url.removeprefix('http')}/ws/sessions/{session_id}{query}"
        async with connect(url, additional_headers=person.headers, max_size=None) as connection:
            yield connection

    async def run_of(self, person: Person, run_id: UUID) -> JsonObject:
        """A run's record."""
        async with self.http(person) as http:
            answer = await http.get(f"/api/v1/orchestrator/runs/{run_id}")
        answer.raise_for_status()
        return answer.json()

    async def until(self, person: Person, run_id: UUID, status: str) -> None:
        """Wait until a run is in a state."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                if (await self.run_of(person, run_id))["status"] == status:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def cancelled_after(self, person: Person, run_id: UUID, goes_on: asyncio.Event) -> None:
        """Let a run go on that was replaced meanwhile, and wait until it is cancelled."""
        goes_on.set()
        events = await self.ended(person, run_id)
        assert events[-1].get("code") == "run-cancelled", events[-1]

    async def ended(self, person: Person, run_id: UUID, after: int = 0) -> list[JsonObject]:
        """A run's numbered and live events until its last, over SSE."""
        events: list[JsonObject] = []
        async with (
            self.http(person) as http,
            http.stream(
                "GET",
                f"/api/v1/orchestrator/runs/{run_id}/events",
                headers={"Last-Event-ID": str(after)},
            ) as answer,
        ):
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    events.append(loads(line.removeprefix("data: ")))
        return events


async def until_ended(connection: ClientConnection) -> list[JsonObject]:
    """A socket's events until a run's last."""
    events: list[JsonObject] = []
    async with asyncio.timeout(ANSWER_SECONDS):
        async for frame in connection:
            events.append(loads(frame))
            if events[-1]["type"] in {"RUN_FINISHED", "RUN_ERROR"}:
                return events
    raise AssertionError(f"the socket closed: {events}")


@pytest.fixture(scope="session")
def tail() -> Callable[[ClientConnection], Awaitable[list[JsonObject]]]:
    """Reads a socket until a run has ended."""
    return until_ended


async def tear_down(house: House, server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    """Stop everything, whatever of it fails."""
    async with AsyncExitStack() as parts:
        parts.push_async_callback(house.database.close)
        parts.push_async_callback(house.orchestrator.close)
        parts.push_async_callback(house.connector.close)
        server.should_exit = True
        parts.push_async_callback(asyncio.wait_for, task, None)
        for worker in house.workers:
            parts.push_async_callback(worker.stop)


def server_config(app: FastAPI) -> uvicorn.Config:
    """Without the grace time, a stream that a failed test left open would keep the server for ever."""
    return uvicorn.Config(
        app,
        log_level="warning",
        ws="websockets-sansio",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


@pytest.fixture
async def make_house(
    migrated_database: PostgresUrls, valkey_url: str, skill_folder: Path, tmp_path: Path
) -> AsyncGenerator[Callable[..., Awaitable[House]]]:
    """Builds servers with settings of the test's own; each is torn down with it.

    Tests share a database, and workers take whatever waits there: what earlier tests left waiting is ended.
    """
    left = Database(migrated_database.app_url)
    async with left.system_session() as session:
        await session.execute(update(Run).where(Run.status.in_(OPEN)).values(status="cancelled"))
    await left.close()
    built: list[tuple[House, uvicorn.Server, asyncio.Task[None]]] = []

    async def make(**options: Any) -> House:
        quick = {"model": "offline", "lease_seconds": 1.5, "heartbeat_seconds": 0.4, "poll_seconds": 0.2}
        settings = OrchestratorSettings.model_validate({**quick, **options})
        database = Database(migrated_database.app_url)
        valkey = open_valkey(valkey_url)
        accounts = AccountsService(database, valkey, AccountsSettings(secret=SecretStr(SECRET)))
        await accounts.open()
        skills, blobs = FolderSkills([skill_folder]), open_blobs(str(tmp_path / "blobs"))
        orchestrator = AgentOrchestrator(database, valkey, blobs, settings, skills)
        app = FastAPI()
        keys = ModelKeys(SecretStr(SECRET))
        app.state.accounts, app.state.orchestrator = accounts, orchestrator
        app.state.connections = ModelConnections(database, settings, keys)
        install_http(app)
        for each in (router, connections, sockets):
            app.include_router(each)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(app))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        house = House(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            database,
            orchestrator,
            accounts,
            skills,
            build_manager(SandboxSettings(pool=NONE_READY, allow_supervised=True)),
            settings,
            Connector(settings, keys),
        )
        built.append((house, server, task))
        return house

    yield make
    try:
        async with asyncio.timeout(TEAR_DOWN_SECONDS):
            for house, server, task in built:
                await tear_down(house, server, task)
    finally:
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
async def house(make_house: Callable[..., Awaitable[House]]) -> House:
    """A server with the settings of the tests."""
    return await make_house()
