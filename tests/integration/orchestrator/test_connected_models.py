"""Connected models at work: a worker tests them, runs use the chosen one, and say so when they cannot."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice
from pydantic import SecretStr
from sqlalchemy import text

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.engine import Engine
from raptorflow.core.settings import EngineSettings
from raptorflow.orchestrator.connections.jobs import ModelTester
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.stack.postgres import PostgresUrls

API = "/api/v1/orchestrator/models"
SECRET = "a secret of the tests"
KEY = "sk-test-0123456789-wxyz"
LOOK_SECONDS, ANSWER_SECONDS = 0.02, 30.0
TEST_SECONDS = 4.0
COUNTING = ("one, ", "two, ", "three")
SAY = '{"word": "raptor"}'


@pytest.fixture(scope="module", autouse=True)
async def engine(migrated_database: PostgresUrls) -> AsyncGenerator[Engine]:
    """The part of a worker that tests models."""
    settings = OrchestratorSettings(model_local_addresses=True, model_test_seconds=TEST_SECONDS)
    database = Database(migrated_database.app_url)
    connector = Connector(settings, ModelKeys(SecretStr(SECRET)))
    engine = Engine(database, migrated_database.app_url, EngineSettings(executor_id=f"models-{new_id()}"))
    ModelTester(database, connector, settings).register(engine)
    await engine.start()
    yield engine
    await engine.stop()
    await connector.close()
    await database.close()


@pytest.fixture
async def house(make_house: Any) -> Any:
    return await make_house(model_local_addresses=True)


@pytest.fixture
def local_prices() -> Generator[None]:
    """The server of the tests takes 3 dollars for a million tokens in and 15 for a million out."""
    prices = ModelPrice(input_mtok=Decimal(3), output_mtok=Decimal(15))
    model = ModelInfo(id="local", match=ClauseEquals("local"), prices=prices)
    known = get_snapshot().providers
    openai = next(provider for provider in known if provider.id == "openai")
    provider = replace(openai, id="tests", api_pattern=r"http://127\.0\.0\.1", models=[model])
    set_custom_snapshot(DataSnapshot(providers=[provider, *known], from_auto_update=False))
    yield
    set_custom_snapshot(None)


async def call(house: Any, person: Any, method: str, path: str = "", body: JsonObject | None = None) -> Any:
    async with house.http(person) as http:
        answer = await http.request(method, API + path, json=body)
    answer.raise_for_status()
    return answer.json() if answer.content else None


async def connect(house: Any, person: Any, url: str, *, choose: bool = False, **more: str) -> str:
    body = {"provider": "openai-compatible", "model": "local", "base_url": url, "api_key": KEY, **more}
    made = await call(house, person, "POST", "", body)
    if choose:
        await call(house, person, "PUT", "/choice", {"connection_id": made["id"]})
    return made["id"]


async def outcome(house: Any, person: Any, connection_id: str) -> JsonObject:
    """Test a connection and wait for the end of it."""
    await call(house, person, "POST", f"/{connection_id}/test")
    async with asyncio.timeout(ANSWER_SECONDS):
        while True:
            test = (await call(house, person, "GET", f"/{connection_id}"))["test"]
            if test["status"] != "running":
                return test
            await asyncio.sleep(LOOK_SECONDS)


async def asked(house: Any, person: Any, question: str = "Hello") -> tuple[list[JsonObject], JsonObject]:
    """Ask in a new session; the run's events and its record."""
    run_id = await house.send(person, await house.session(person), question)
    return await house.ended(person, run_id), await house.run_of(person, run_id)


async def test_a_test_finds_what_a_model_can_do(house: Any, model_server: Any, local_prices: None) -> None:
    model_server.usage = (1000, 200)
    model_server.plays(model_server.says(*COUNTING), model_server.calls("say", SAY))
    person = await house.person()
    test = await outcome(house, person, await connect(house, person, model_server.url))
    assert test["problem"] is None
    assert (test["status"], test["streaming"], test["tool_calling"]) == ("passed", True, True)
    assert 0 < test["first_event_ms"] <= test["total_ms"]
    assert (test["input_tokens"], test["output_tokens"]) == (2000, 400)
    assert test["tokens_per_second"] > 0
    assert test["cost"] == {
        "input_per_million_microusd": 3_000_000,
        "output_per_million_microusd": 15_000_000,
        "test_microusd": 12_000,
    }
    offered = model_server.requests[1]["tools"][0]["function"]
    assert offered["name"] == "say"
    assert set(model_server.keys) == {f"Bearer {KEY}"}


async def test_no_price_is_made_up(house: Any, model_server: Any) -> None:
    """A server of one's own may call its model like a provider's; it does not cost the same."""
    model_server.usage = (10, 5)
    model_server.plays(model_server.says(*COUNTING), model_server.calls("say", SAY))
    person = await house.person()
    connection_id = await connect(house, person, model_server.url, model="gpt-6.1-terra")
    test = await outcome(house, person, connection_id)
    assert (test["status"], test["cost"]) == ("passed", None)


async def test_a_model_without_tools_fails(house: Any, model_server: Any) -> None:
    person = await house.person()
    connection_id = await connect(house, person, model_server.url)
    for reply in (
        model_server.says("I say raptor."),
        model_server.problem(400, "no_tools"),
        model_server.calls("say", '["raptor"]'),
        model_server.calls("another", SAY),
    ):
        model_server.plays(model_server.says("one, two, three"), reply)
        test = await outcome(house, person, connection_id)
        assert (test["status"], test["streaming"], test["tool_calling"]) == ("failed", False, False)
        assert test["problem"]["code"] == "model-without-tools"
        assert test["total_ms"] > 0


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [(401, "model-key-refused", "Settings"), (429, "model-busy", "later"), (404, "model-failed", "key")],
)
async def test_what_a_provider_refuses(
    house: Any, model_server: Any, status: int, code: str, hint: str
) -> None:
    headers = {"Retry-After": "1"} if status == 429 else None
    model_server.plays(model_server.problem(status, "refused", headers))
    person = await house.person()
    test = await outcome(house, person, await connect(house, person, model_server.url))
    assert (test["status"], test["problem"]["code"]) == ("failed", code)
    assert hint in test["problem"]["hint"]
    assert "RAPTORFLOW_MODEL" not in test["problem"]["hint"]
    assert (test["streaming"], test["tool_calling"], test["cost"]) == (None, None, None)
    assert len(model_server.requests) == 1


async def test_a_model_that_cannot_be_reached(house: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    person = await house.person()
    for place in (url, "http://nowhere.invalid/v1"):
        test = await outcome(house, person, await connect(house, person, place))
        assert (test["status"], test["problem"]["code"]) == ("failed", "model-unreachable")


async def test_a_silent_model_does_not_keep_a_test(house: Any, model_server: Any) -> None:
    model_server.plays(model_server.says(*COUNTING), model_server.never_begins)
    person = await house.person()
    test = await outcome(house, person, await connect(house, person, model_server.url))
    assert (test["status"], test["problem"]["code"]) == ("failed", "model-unreachable")
    assert "4 s" in test["problem"]["detail"]
    assert (test["streaming"], test["tool_calling"]) == (True, None)


async def test_a_change_outlives_a_test_of_what_was_before(house: Any, model_server: Any) -> None:
    person = await house.person()
    connection_id = await connect(house, person, model_server.url)
    arrived = asyncio.Event()

    def waits(request: JsonObject) -> Any:
        arrived.set()
        return model_server.says("one")(request)

    model_server.plays(waits, model_server.never_begins)
    await call(house, person, "POST", f"/{connection_id}/test")
    await asyncio.wait_for(arrived.wait(), ANSWER_SECONDS)
    await call(house, person, "PATCH", f"/{connection_id}", {"model": "another"})
    model_server.plays(model_server.says(*COUNTING), model_server.calls("say", SAY))
    test = await outcome(house, person, connection_id)
    assert test["status"] == "passed"
    assert model_server.requests[-1]["model"] == "another"


async def test_runs_use_the_chosen_model(house: Any, model_server: Any, local_prices: None) -> None:
    model_server.usage = (1000, 200)
    person, stranger = await house.person(), await house.person()
    await house.start_worker()
    await connect(house, person, model_server.url)
    _, run = await asked(house, person)
    assert run["model"] == "offline"
    assert "cost_microusd" not in run["usage"]

    await connect(house, person, model_server.url, choose=True)
    model_server.plays(model_server.calls("search_skills", '{"query": "x"}'), model_server.says("Done."))
    events, run = await asked(house, person)
    assert (run["status"], run["model"]) == ("succeeded", "local")
    assert {step["name"] for step in run["steps"]} == {"local", "search_skills"}
    assert run["usage"]["cost_microusd"] == 12_000
    assert events[-1]["usage"]["cost_microusd"] == 12_000
    assert set(model_server.keys) == {f"Bearer {KEY}"}

    _, run = await asked(house, stranger)
    assert (run["status"], run["model"]) == ("succeeded", "offline")


async def test_a_change_holds_from_the_next_run_on(house: Any, model_server: Any) -> None:
    person = await house.person()
    await house.start_worker()
    connection_id = await connect(house, person, model_server.url, choose=True)
    model_server.plays(*[model_server.says("Here.")] * 3)
    await asked(house, person)
    await call(house, person, "PATCH", f"/{connection_id}", {"api_key": "another-key-0123"})
    await asked(house, person)
    assert model_server.keys == [f"Bearer {KEY}", "Bearer another-key-0123"]

    await call(house, person, "DELETE", f"/{connection_id}")
    _, run = await asked(house, person)
    assert (run["status"], run["model"]) == ("succeeded", "offline")
    assert len(model_server.requests) == 2


async def test_a_refused_key_ends_the_run_with_the_place_to_go(house: Any, model_server: Any) -> None:
    model_server.plays(model_server.problem(401, "invalid_api_key"))
    person = await house.person()
    await house.start_worker()
    await connect(house, person, model_server.url, choose=True)
    events, run = await asked(house, person)
    assert run["error"]["code"] == events[-1]["code"] == "model-key-refused"
    assert "Settings" in events[-1]["hint"]
    assert "RAPTORFLOW_MODEL_API_KEY" not in events[-1]["hint"]


async def test_a_key_that_does_not_open_ends_run_and_test(house: Any, model_server: Any) -> None:
    person = await house.person()
    await house.start_worker()
    connection_id = await connect(house, person, model_server.url, choose=True)
    org_id = (await house.accounts.authenticate(person.token)).org_id
    sealed = ModelKeys(SecretStr("another secret")).seal(SecretStr(KEY), org_id, UUID(connection_id))
    async with house.database.system_session() as session:
        await session.execute(
            text("update model_connections set sealed_key = :sealed where id = :id"),
            {"sealed": sealed, "id": connection_id},
        )
    events, run = await asked(house, person)
    assert run["error"]["code"] == events[-1]["code"] == "model-key-unreadable"
    assert "Settings" in events[-1]["hint"]
    assert (await outcome(house, person, connection_id))["problem"]["code"] == "model-key-unreadable"
    assert model_server.requests == []


async def test_a_sealed_key_in_another_row_opens_nothing(house: Any, model_server: Any) -> None:
    """Whoever could write the table could otherwise put another's key beside an address of their own."""
    victim, thief = await house.person(), await house.person()
    theirs = await connect(house, victim, model_server.url)
    own = await connect(house, thief, model_server.url)
    async with house.database.system_session() as session:
        await session.execute(
            text(
                "update model_connections set sealed_key = "
                "(select sealed_key from model_connections where id = :theirs) where id = :own"
            ),
            {"theirs": theirs, "own": own},
        )
    assert (await outcome(house, thief, own))["problem"]["code"] == "model-key-unreadable"


async def test_the_answer_of_a_redirect_is_not_followed(house: Any, model_server: Any) -> None:
    """Elsewhere may be anywhere, and the key is not for there."""
    where = {"Location": f"{model_server.url}/elsewhere"}
    # A second time, because a status that is not understood counts as a connection that broke.
    model_server.plays(*[model_server.problem(307, "moved", where)] * 2)
    person = await house.person()
    test = await outcome(house, person, await connect(house, person, model_server.url))
    assert test["problem"]["code"] == "model-unreachable"
    assert model_server.paths == ["v1/chat/completions"] * 2
