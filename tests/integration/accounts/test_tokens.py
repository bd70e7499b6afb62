"""Personal access tokens and signing keys."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select, update

from raptorflow.accounts.errors import SigningKeysUnreadable, TokenRefused
from raptorflow.accounts.models import AccessToken, SigningKey
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.clock import utc_now
from raptorflow.core.db import Database
from raptorflow.core.valkey import Valkey

KNOWN_AGAIN = 1000
NEW = {"name": "ci", "scopes": ["accounts:read", "registry:read"]}


async def test_a_token_is_shown_once_and_holds_its_scopes(new_person: Any) -> None:
    person = await new_person()
    answer = await person.send("POST", "/tokens", NEW)
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    listed = await person.send("GET", "/tokens")
    assert [token["name"] for token in listed.json()] == ["ci"]
    assert made["token"] not in listed.text
    assert (await person.send("GET", "/me", token=made["token"])).status_code == 200
    assert (await person.send("DELETE", f"/tokens/{made['id']}")).status_code == 204
    assert (await person.send("GET", "/me", token=made["token"])).status_code == 401


async def test_the_last_use_is_noted_at_most_once_a_minute(
    accounts_database: Database, accounts_settings: AccountsSettings, valkey: Valkey, new_person: Any
) -> None:
    made = (await (person := await new_person()).send("POST", "/tokens", NEW)).json()

    async def use_in_a_fresh_process() -> str:
        service = AccountsService(accounts_database, valkey, accounts_settings)
        await service.authenticate(made["token"])
        return (await person.send("GET", "/tokens")).json()[0]["last_used_at"]

    first = await use_in_a_fresh_process()
    assert first
    assert await use_in_a_fresh_process() == first
    async with accounts_database.system_session() as session:
        past = utc_now() - timedelta(seconds=61)
        await session.execute(
            update(AccessToken).where(AccessToken.user_id == person.user_id).values(last_used_at=past)
        )
    assert await use_in_a_fresh_process() > first


async def test_an_expired_token_does_not_work(
    accounts: AccountsService, accounts_database: Database, new_person: Any
) -> None:
    person = await new_person()
    made = (await person.send("POST", "/tokens", NEW)).json()
    async with accounts_database.system_session() as session:
        await session.execute(
            update(AccessToken).where(AccessToken.user_id == person.user_id).values(expires_at=utc_now())
        )
    with pytest.raises(TokenRefused):
        await accounts.authenticate(made["token"])


async def test_the_command_lines_token_replaces_the_last_one(
    accounts: AccountsService, new_person: Any
) -> None:
    person = await new_person()
    first = await accounts.local_token(person.user_id, "this machine")
    second = await accounts.local_token(person.user_id, "this machine")
    assert (await accounts.authenticate(second)).user_id == person.user_id
    with pytest.raises(TokenRefused):
        await accounts.authenticate(first)


async def test_a_caller_who_is_known_is_not_looked_up_again(
    accounts: AccountsService, accounts_database: Database, new_person: Any
) -> None:
    queries: list[str] = []

    @event.listens_for(accounts_database.engine.sync_engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *others: object) -> None:
        queries.append(statement)

    person = await new_person()
    personal = (await person.send("POST", "/tokens", NEW)).json()["token"]
    for token in (person.pair.access_token, personal):
        await accounts.authenticate(token)
        queries.clear()
        for _ in range(KNOWN_AGAIN):
            await accounts.authenticate(token)
        # On a very slow machine what is known becomes old in between, and is looked up once more.
        assert len(queries) < KNOWN_AGAIN / 4


async def test_a_rotated_key_signs_at_once_and_other_processes_learn_of_it(
    accounts: AccountsService,
    accounts_database: Database,
    accounts_settings: AccountsSettings,
    valkey: Valkey,
    new_person: Any,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = (await new_person()).pair.access_token
    other = AccountsService(accounts_database, valkey, accounts_settings)
    await other.open()
    await other.keyring.rotate()
    user = await other.create_user(f"{before[-20:]}@example.com", "Ada")
    after = (await other.redeem_link(await other.one_time_link(user))).access_token
    monkeypatch.setattr("raptorflow.accounts.tokens.keyring.UNKNOWN_KEY_SECONDS", 0.0)
    for service in (accounts, other):
        for token in (before, after):
            assert await service.authenticate(token)
    published = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert len(published) >= 2
    assert all("d" not in key and key["kty"] == "OKP" for key in published)


async def test_an_old_key_makes_room_and_a_long_retired_one_goes(
    accounts_database: Database, accounts_settings: AccountsSettings, valkey: Valkey
) -> None:
    def service() -> AccountsService:
        return AccountsService(accounts_database, valkey, accounts_settings)

    await service().open()
    await service().keyring.rotate()
    async with accounts_database.system_session() as session:
        before = list(await session.scalars(select(SigningKey.id).order_by(SigningKey.id)))
        # The program's role cannot change keys; a negative age has the same effect on this process.
    accounts_settings.key_days = -1
    await service().open()
    async with accounts_database.system_session() as session:
        after = list(await session.scalars(select(SigningKey.id).order_by(SigningKey.id)))
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1


async def test_keys_need_the_secret_they_were_made_under(
    accounts_database: Database, accounts: AccountsService, valkey: Valkey
) -> None:
    other = AccountsSettings.model_validate({"secret": "another secret"})
    for settings in (other, AccountsSettings()):
        with pytest.raises(SigningKeysUnreadable):
            await AccountsService(accounts_database, valkey, settings).open()
