"""Connected models: whose they are, that no key shows, and that none is inside the server's network."""

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Text, literal_column, select, table, text

from raptorflow.accounts.schemas import NewAccessToken, NewInvitation
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.settings import EngineSettings
from raptorflow.orchestrator.connections.jobs import ModelTester
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.folder_skills import FolderSkills
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.language_models.offline import OfflineModel
from raptorflow.orchestrator.runs.worker import Abilities, RunWorker
from raptorflow.sandbox.manager import build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.settings import Settings

API = "/api/v1/orchestrator"
KEY = "sk-leak-me-if-you-can-0123456789-wxyz"
LOOK_SECONDS, ANSWER_SECONDS = 0.02, 30.0
StartWorker = Callable[..., Awaitable[None]]


@pytest.fixture
async def start_worker(app: FastAPI, settings: Settings) -> AsyncGenerator[StartWorker]:
    """Starts what a worker is made of; `local` is the operator's leave for local addresses."""
    stops: list[Callable[[], Awaitable[None]]] = []

    async def start(*, local: bool) -> None:
        orchestrator = app.state.orchestrator
        chosen = orchestrator.settings.model_copy(update={"model_local_addresses": local})
        connector = Connector(chosen, ModelKeys(settings.accounts.secret))
        url = settings.database_url()
        database = Database(url)
        engine = Engine(database, url, EngineSettings(executor_id=f"models-{new_id()}"))
        ModelTester(database, connector, chosen).register(engine)
        sandbox = build_manager(SandboxSettings(pool=NONE_READY, allow_supervised=True))
        abilities = Abilities(
            FolderSkills([]), sandbox, OfflineModel(min_score=0.1), Path("python"), connector
        )
        runs = RunWorker(orchestrator, abilities)
        for part in (engine, runs):
            await part.start()
        stops.extend((runs.stop, engine.stop, connector.close, database.close))

    yield start
    for stop in stops:
        await stop()


class Client:
    """Somebody who calls the API; keeps every answer."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self.answers: list[str] = []
        self._http = httpx.AsyncClient(
            base_url=url + API, headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_SECONDS
        )

    async def call(self, method: str, path: str, body: JsonObject | None = None) -> httpx.Response:
        answer = await self._http.request(method, path, json=body)
        self.answers.append(f"{answer.headers} {answer.text}")
        return answer

    async def until(self, path: str, ended: Callable[[JsonObject], bool]) -> JsonObject:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                found = (await self.call("GET", path)).json()
                if ended(found):
                    return found
                await asyncio.sleep(LOOK_SECONDS)

    async def connected(self, base_url: str) -> str:
        body = {"provider": "openai-compatible", "model": "local", "base_url": base_url, "api_key": KEY}
        return (await self.call("POST", "/models", body)).json()["id"]

    async def outcome(self, connection_id: str) -> JsonObject:
        """Test a connection."""
        await self.call("POST", f"/models/{connection_id}/test")
        ended = await self.until(f"/models/{connection_id}", lambda it: it["test"]["status"] != "running")
        return ended["test"]

    async def run(self) -> JsonObject:
        """Ask something and wait for the end."""
        session_id = (await self.call("POST", "/sessions", {})).json()["id"]
        run = (await self.call("POST", f"/sessions/{session_id}/messages", {"text": "Hello"})).json()
        await self.call("GET", f"/runs/{run['id']}/events")
        return await self.until(f"/runs/{run['id']}", lambda it: it["status"] not in {"queued", "running"})


@pytest.fixture
def sign_up(server: tuple[str, Any]) -> Callable[[], Awaitable[Client]]:
    async def make() -> Client:
        url, accounts = server
        user_id = await accounts.create_user(f"{new_id()}@example.org", "Somebody")
        pair = await accounts.redeem_link(await accounts.one_time_link(user_id))
        return Client(url, pair.access_token)

    return make


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_key_shows_nowhere(
    sign_up: Any,
    start_worker: StartWorker,
    model_server: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    settings: Settings,
    status: int,
) -> None:
    """Not in answers, events, logs of every level or rows, though the provider repeats it in its errors."""
    caplog.set_level(logging.DEBUG)
    await start_worker(local=True)
    person = await sign_up()
    model_server.plays(*[model_server.problem(status, f"bad key {KEY}", {"Retry-After": "900"})] * 6)
    connection_id = await person.connected(model_server.url)
    await person.call("GET", "/models")
    assert (await person.outcome(connection_id))["status"] == "failed"
    await person.call("PUT", "/models/choice", {"connection_id": connection_id})
    assert (await person.run())["status"] == "failed"
    await person.call("PATCH", f"/models/{connection_id}", {"api_key": KEY, "base_url": "ftp://no"})
    await person.call("POST", "/models", {"provider": "openai", "model": KEY + " ", "api_key": [KEY]})
    assert f"Bearer {KEY}" in model_server.keys
    captured = capfd.readouterr()
    shown = {
        "answers": "\n".join(person.answers),
        "logs": caplog.text + captured.out + captured.err,
        "tables": await everything(settings),
    }
    secret = KEY.encode()
    for form in (KEY, KEY[:-4], secret.hex(), base64.b64encode(secret).decode().rstrip("=")):
        assert [place for place, told in shown.items() if form in told] == []


async def everything(settings: Settings) -> str:
    """Every row of every table that the program can read, as text."""
    readable = text(
        "select schemaname, tablename from pg_tables where schemaname in ('public', 'dbos') "
        "and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')"
    )
    whole_row = select(literal_column("t").cast(Text))
    database = Database(settings.database_url())
    rows: list[str] = []
    async with database.system_session() as session:
        tables = [(str(schema), str(name)) for schema, name in await session.execute(readable)]
        for schema, name in tables:
            of_table = whole_row.select_from(table(name, schema=schema).alias("t"))
            rows += (await session.scalars(of_table)).all()
    await database.close()
    assert {"model_connections", "run_events", "workflow_status"} <= {name for _, name in tables}
    return "\n".join(rows)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433"])
async def test_nothing_inside_the_server_s_network_is_dialled(
    sign_up: Any, start_worker: StartWorker, model_server: Any, host: str
) -> None:
    await start_worker(local=False)
    person = await sign_up()
    connection_id = await person.connected(model_server.url.replace("127.0.0.1", host))
    test = await person.outcome(connection_id)
    assert (test["status"], test["problem"]["code"]) == ("failed", "model-address-refused")
    assert "MODEL_LOCAL_ADDRESSES" in test["problem"]["hint"]
    await person.call("PUT", "/models/choice", {"connection_id": connection_id})
    run = await person.run()
    assert (run["status"], run["error"]["code"]) == ("failed", "model-address-refused")
    assert model_server.requests == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])
async def test_clouds_credentials_are_never_dialled(
    sign_up: Any, start_worker: StartWorker, host: str
) -> None:
    await start_worker(local=True)
    person = await sign_up()
    test = await person.outcome(await person.connected(f"http://{host}/latest"))
    assert test["problem"]["code"] == "model-address-refused"


async def test_another_organisation_finds_nothing(sign_up: Any, model_server: Any) -> None:
    owner, stranger = await sign_up(), await sign_up()
    theirs = await owner.connected(model_server.url)
    requests: list[tuple[str, str, JsonObject | None]] = [
        ("GET", f"/models/{theirs}", None),
        ("PATCH", f"/models/{theirs}", {"model": "mine"}),
        ("DELETE", f"/models/{theirs}", None),
        ("POST", f"/models/{theirs}/test", None),
        ("PUT", "/models/choice", {"connection_id": theirs}),
    ]
    for method, path, body in requests:
        answer = await stranger.call(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "model-connection-not-found")
    assert (await stranger.call("GET", "/models")).json()["connections"] == []
    assert (await owner.call("GET", f"/models/{theirs}")).json()["model"] == "local"


def writes(connection_id: str) -> list[tuple[str, str, JsonObject | None]]:
    body = {"provider": "openai", "model": "gpt", "api_key": KEY}
    return [
        ("POST", "/models", body),
        ("PATCH", f"/models/{connection_id}", {"model": "other"}),
        ("POST", f"/models/{connection_id}/test", None),
        ("DELETE", f"/models/{connection_id}", None),
    ]


async def test_only_admins_connect_models(sign_up: Any, server: tuple[str, Any], model_server: Any) -> None:
    url, accounts = server
    owner, guest = await sign_up(), await sign_up()
    theirs = await owner.connected(model_server.url)
    guest_caller = await accounts.authenticate(guest.token)
    owner_caller = await accounts.authenticate(owner.token)
    email = next(member.email for member in await accounts.members(guest_caller))
    invitation = await accounts.invite(owner_caller, NewInvitation(email=email))
    await accounts.accept_invitation(guest_caller, invitation.link_token)
    pair = await accounts.switch_organisation(guest_caller, owner_caller.org_id)
    member = Client(url, pair.access_token)
    choice = ("PUT", "/models/choice", {"connection_id": theirs})
    for method, path, body in [*writes(theirs), choice]:
        answer = await member.call(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role-too-low")
    assert (await member.call("GET", f"/models/{theirs}")).json()["key_hint"] == "…wxyz"


async def test_a_token_hands_over_no_keys(sign_up: Any, server: tuple[str, Any], model_server: Any) -> None:
    url, accounts = server
    owner = await sign_up()
    theirs = await owner.connected(model_server.url)
    caller = await accounts.authenticate(owner.token)
    scopes = ["orchestrator:read", "orchestrator:write"]
    made = await accounts.create_access_token(caller, NewAccessToken(name="script", scopes=scopes))
    script = Client(url, made.token)
    for method, path, body in writes(theirs):
        answer = await script.call(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "session-needed")
    chosen = await script.call("PUT", "/models/choice", {"connection_id": theirs})
    assert chosen.json()["connection_id"] == theirs
    stranger = Client(url, "no token")
    assert (await stranger.call("GET", "/models")).status_code == 401
