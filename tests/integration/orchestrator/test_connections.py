"""Connecting models over the API, without a worker: what is kept, shown, refused and chosen."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject

API = "/api/v1/orchestrator/models"
KEY = "sk-test-0123456789-wxyz"
ANTHROPIC = {"provider": "anthropic", "model": "claude-sonnet-5-5", "api_key": KEY}
OWN = {"provider": "openai-compatible", "model": "llama", "base_url": "http://127.0.0.1:9/v1/"}


@pytest.fixture
def call(house: Any) -> Any:
    """Calls the API as somebody and expects a status."""

    async def request(
        person: Any, method: str, path: str = "", body: JsonObject | None = None, *, status: int = 200
    ) -> JsonObject:
        async with house.http(person) as http:
            answer = await http.request(method, API + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else {}

    return request


async def test_nothing_is_connected_at_first(house: Any, call: Any) -> None:
    overview = await call(await house.person(), "GET")
    assert overview["connections"] == []
    assert overview["in_use"] == {
        "connection_id": None,
        "provider": "offline",
        "model": "offline",
        "offline": True,
        "source": "settings",
    }
    wants = {each["id"]: (each["needs_key"], each["needs_base_url"]) for each in overview["providers"]}
    assert wants == {
        "anthropic": (True, False),
        "openai": (True, False),
        "openai-compatible": (False, True),
    }


async def test_a_model_is_connected_chosen_changed_and_deleted(house: Any, call: Any) -> None:
    person = await house.person()
    made = await call(person, "POST", "", ANTHROPIC, status=201)
    assert made["key_hint"] == "…wxyz"
    assert (made["chosen"], made["test"], made["base_url"]) == (False, None, None)
    own = await call(person, "POST", "", OWN, status=201)
    assert (own["base_url"], own["key_hint"]) == ("http://127.0.0.1:9/v1", None)

    used = await call(person, "PUT", "/choice", {"connection_id": made["id"]})
    assert (used["model"], used["source"], used["offline"]) == ("claude-sonnet-5-5", "connection", False)
    used = await call(person, "PUT", "/choice", {"connection_id": own["id"]})
    assert used["connection_id"] == own["id"]
    assert [one["chosen"] for one in (await call(person, "GET"))["connections"]] == [False, True]

    changed = await call(person, "PATCH", f"/{own['id']}", {"model": "qwen"})
    assert (changed["model"], changed["base_url"], changed["chosen"]) == ("qwen", own["base_url"], True)

    await call(person, "DELETE", f"/{own['id']}", status=204)
    overview = await call(person, "GET")
    assert [one["id"] for one in overview["connections"]] == [made["id"]]
    assert overview["in_use"]["source"] == "settings"


async def test_the_default_can_be_chosen_again(house: Any, call: Any) -> None:
    person = await house.person()
    made = await call(person, "POST", "", OWN, status=201)
    await call(person, "PUT", "/choice", {"connection_id": made["id"]})
    used = await call(person, "PUT", "/choice", {"connection_id": None})
    assert (used["source"], used["model"]) == ("settings", "offline")


async def test_an_unknown_choice_leaves_the_one_there_was(house: Any, call: Any) -> None:
    person = await house.person()
    made = await call(person, "POST", "", OWN, status=201)
    await call(person, "PUT", "/choice", {"connection_id": made["id"]})
    problem = await call(person, "PUT", "/choice", {"connection_id": str(new_id())}, status=404)
    assert problem["code"] == "model-connection-not-found"
    assert (await call(person, "GET"))["in_use"]["connection_id"] == made["id"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"provider": "openai", "model": "gpt"}, "model-key-missing"),
        ({"provider": "openai-compatible", "model": "llama"}, "model-address-missing"),
        ({**OWN, "provider": "unheard-of"}, "invalid-input"),
        ({**OWN, "model": "two words"}, "invalid-input"),
        ({**OWN, "model": ""}, "invalid-input"),
        ({**OWN, "base_url": "ftp://host/v1"}, "invalid-input"),
        ({**OWN, "base_url": "file:///etc/passwd"}, "invalid-input"),
        ({**OWN, "base_url": "http://"}, "invalid-input"),
        ({**OWN, "base_url": "http://host:port/v1"}, "invalid-input"),
        ({**OWN, "base_url": "http://user:password@host/v1"}, "invalid-input"),
        ({**OWN, "base_url": "http://host/v1?to="}, "invalid-input"),
        ({**OWN, "base_url": "http://host/v1#"}, "invalid-input"),
        ({**ANTHROPIC, "api_key": "two\r\nlines: 1"}, "invalid-input"),
        ({**ANTHROPIC, "api_key": ""}, "invalid-input"),
        ({**ANTHROPIC, "api_key": "k" * 5000}, "invalid-input"),
    ],
)
async def test_what_cannot_work_is_refused(house: Any, call: Any, sent: JsonObject, code: str) -> None:
    person = await house.person()
    problem = await call(person, "POST", "", sent, status=422)
    assert problem["code"] == code
    assert (await call(person, "GET"))["connections"] == []


async def test_a_needed_key_cannot_be_taken_away(house: Any, call: Any) -> None:
    person = await house.person()
    made = await call(person, "POST", "", ANTHROPIC, status=201)
    problem = await call(person, "PATCH", f"/{made['id']}", {"api_key": None}, status=422)
    assert problem["code"] == "model-key-missing"
    own = await call(person, "POST", "", {**OWN, "api_key": KEY}, status=201)
    assert (await call(person, "PATCH", f"/{own['id']}", {"api_key": None}))["key_hint"] is None


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:10/v1", "https://127.0.0.1:9/v1", "http://evil/v1"])
async def test_a_key_does_not_go_along_to_another_host(house: Any, call: Any, elsewhere: str) -> None:
    """Who may change an address may not know the key; sending it there would tell."""
    person = await house.person()
    own = await call(person, "POST", "", {**OWN, "api_key": KEY}, status=201)
    problem = await call(person, "PATCH", f"/{own['id']}", {"base_url": elsewhere}, status=422)
    assert problem["code"] == "model-key-missing"
    assert (await call(person, "GET", f"/{own['id']}"))["base_url"] == own["base_url"]
    moved = await call(person, "PATCH", f"/{own['id']}", {"base_url": "http://127.0.0.1:9/other"})
    assert moved["key_hint"] == "…wxyz"
    both = {"base_url": elsewhere, "api_key": "another-key-0123"}
    assert (await call(person, "PATCH", f"/{own['id']}", both))["key_hint"] == "…0123"


async def test_of_a_short_key_nothing_is_shown(house: Any, call: Any) -> None:
    made = await call(await house.person(), "POST", "", {**OWN, "api_key": "short-key"}, status=201)
    assert made["key_hint"] == "…"


async def test_a_test_runs_once_and_is_overdue_without_a_worker(house: Any, call: Any) -> None:
    person = await house.person()
    made = await call(person, "POST", "", OWN, status=201)
    for _ in range(2):
        asked = await call(person, "POST", f"/{made['id']}/test", status=202)
        assert asked["test"]["status"] == "running"
    assert await jobs_of(house, made["id"]) == 1
    async with house.database.system_session() as session:
        await session.execute(
            text(
                "update model_connections set test = jsonb_set(test, '{tested_at}', "
                "'\"2020-01-01T00:00:00Z\"') where id = :id"
            ),
            {"id": made["id"]},
        )
    test = (await call(person, "GET", f"/{made['id']}"))["test"]
    assert (test["status"], test["problem"]["code"]) == ("failed", "model-test-overdue")
    await call(person, "POST", f"/{made['id']}/test", status=202)
    assert await jobs_of(house, made["id"]) == 2


async def jobs_of(house: Any, connection_id: str) -> int:
    query = text("select count(*) from jobs where payload ->> 'connection_id' = :id")
    async with house.database.system_session() as session:
        return (await session.execute(query, {"id": connection_id})).scalar_one()


async def test_there_is_a_limit(house: Any, call: Any) -> None:
    person = await house.person()
    made = await call(person, "POST", "", OWN, status=201)
    async with house.database.system_session() as session:
        for _ in range(49):
            await session.execute(
                text(
                    "insert into model_connections "
                    "(id, org_id, provider, model, base_url, chosen, updated_at) "
                    "select :id, org_id, provider, model, base_url, false, now() from model_connections "
                    "where id = :like"
                ),
                {"id": new_id(), "like": UUID(made["id"])},
            )
    problem = await call(person, "POST", "", OWN, status=409)
    assert problem["code"] == "too-many-model-connections"
