"""Signing in by a password; limits; what a change of the password ends."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from raptorflow.accounts.errors import SignInRefused, TooManySignIns
from raptorflow.accounts.models import User
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.sessions.attempts import Attempts
from raptorflow.accounts.sessions.passwords import Passwords
from raptorflow.accounts.sessions.service import Sessions
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.accounts.tokens.keyring import Keyring
from raptorflow.accounts.tokens.standings import Standings
from raptorflow.core.db import Database
from raptorflow.core.errors import ValkeyUnavailable
from raptorflow.core.valkey import Valkey, open_valkey

API = "/api/v1/accounts"
PASSWORD = "four unrelated plain words"


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post(f"{API}/sign-in", json={"email": email, "password": password})


async def with_password(new_person: Any) -> Any:
    person = await new_person()
    answer = await person.send("PUT", "/me/password", {"password": PASSWORD})
    assert answer.status_code == 200
    return person


async def test_a_password_signs_in_whatever_the_letters_of_the_address(
    client: httpx.AsyncClient, new_person: Any
) -> None:
    person = await with_password(new_person)
    answer = await sign_in(client, person.email.upper())
    assert answer.status_code == 200
    me = await person.send("GET", "/me", token=answer.json()["access_token"])
    assert (me.json()["email"], me.json()["has_password"]) == (person.email, True)


async def test_weak_passwords_are_refused(new_person: Any) -> None:
    person = await new_person()
    for weak in ("short", "password1234", "PassWord1234", "aaaaaaaaaaaaaaaa", person.email, "x" * 257):
        answer = await person.send("PUT", "/me/password", {"password": weak})
        assert (answer.status_code, answer.json()["code"]) == (422, "password-too-weak"), weak
        assert weak not in answer.text


async def test_failures_are_limited_also_when_they_come_at_once(
    client: httpx.AsyncClient, new_person: Any, accounts_settings: AccountsSettings
) -> None:
    person = await with_password(new_person)
    answers = await asyncio.gather(
        *(sign_in(client, person.email, f"wrong guess number {i}") for i in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9
    limited = await sign_in(client, person.email)
    assert limited.status_code == 429
    assert 0 < int(limited.headers["retry-after"]) <= accounts_settings.sign_in_window_seconds
    other = await with_password(new_person)
    assert (await sign_in(client, other.email)).status_code == 200


async def test_right_passwords_do_not_count(client: httpx.AsyncClient, new_person: Any) -> None:
    person = await with_password(new_person)
    codes = [(await sign_in(client, person.email)).status_code for _ in range(5)]
    assert codes == [200] * 5


async def test_one_network_address_may_not_try_many_accounts(
    client: httpx.AsyncClient, accounts_settings: AccountsSettings
) -> None:
    accounts_settings.sign_in_attempts_per_address = 2
    # Every test comes from this address; the limit is met at once, or after two.
    answers = [await sign_in(client, f"{uuid4().hex}@example.com") for _ in range(3)]
    assert answers[-1].status_code == 429


async def test_a_changed_password_needs_the_present_one_and_ends_other_sessions(new_person: Any) -> None:
    person = await new_person()
    stolen = person.pair.access_token
    first = (await person.send("PUT", "/me/password", {"password": PASSWORD})).json()["access_token"]
    assert (await person.send("GET", "/me", token=stolen)).json()["code"] == "token-refused"
    change = {"password": "another four plain words"}
    refused = await person.send("PUT", "/me/password", change, token=first)
    assert refused.json()["code"] == "sign-in-refused"
    changed = await person.send("PUT", "/me/password", {**change, "current_password": PASSWORD}, token=first)
    assert changed.status_code == 200
    assert (await person.send("GET", "/me", token=first)).status_code == 401
    assert (await person.send("GET", "/me", token=changed.json()["access_token"])).status_code == 200


async def test_the_present_password_cannot_be_guessed_at_from_a_session(new_person: Any) -> None:
    person = await new_person()
    token = (await person.send("PUT", "/me/password", {"password": PASSWORD})).json()["access_token"]
    guess = {"password": "another four plain words", "current_password": "a wrong guess"}
    codes = [(await person.send("PUT", "/me/password", guess, token=token)).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]


async def test_a_hash_of_older_parameters_is_renewed_on_signing_in(
    client: httpx.AsyncClient, new_person: Any, accounts_database: Database
) -> None:
    person = await new_person()
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    async with accounts_database.system_session() as session:
        await session.execute(update(User).where(User.id == person.user_id).values(password_hash=weak))
    assert (await sign_in(client, person.email)).status_code == 200
    async with accounts_database.system_session() as session:
        now = await session.scalar(select(User.password_hash).where(User.id == person.user_id))
    assert now
    assert not PasswordHasher().check_needs_rehash(now)
    assert (await sign_in(client, person.email)).status_code == 200


async def test_a_password_that_changes_while_it_is_verified_begins_no_session(
    accounts_database: Database, valkey: Valkey, accounts_settings: AccountsSettings, new_person: Any
) -> None:
    person = await with_password(new_person)

    class Slow(Passwords):
        async def verify(self, known_hash: str | None, password: str) -> bool:
            is_right = await super().verify(known_hash, password)
            async with accounts_database.system_session() as session:
                changed = update(User).where(User.id == person.user_id).values(password_hash="another")
                await session.execute(changed)
            return is_right

    keyring, standings = Keyring(accounts_database, accounts_settings), Standings(accounts_database)
    parts = Parts(accounts_database, valkey, accounts_settings, keyring, standings)
    with pytest.raises(SignInRefused):
        await Sessions(parts, Slow()).sign_in(person.email, PASSWORD, "192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("198.51.100.1", "198.51.100.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:9:2::1", "2001:db8:9:3::1", False),
        ("unknown", "unknown", True),
    ],
)
async def test_who_shares_a_network_address(valkey: Valkey, one: str, other: str, shared: bool) -> None:
    settings = AccountsSettings(sign_in_attempts_per_address=1, sign_in_window_seconds=10)
    attempts = Attempts(valkey, settings)
    refused = 0
    for address in (one, other):
        try:
            async with attempts.counted(uuid4().hex, address):
                raise SignInRefused("wrong")
        except TooManySignIns:
            refused += 1
        except SignInRefused:
            continue
    assert (refused == 1) is shared


async def test_sign_ins_that_cannot_be_counted_are_not_allowed(
    accounts_database: Database, accounts_settings: AccountsSettings
) -> None:
    nowhere = open_valkey("redis://127.0.0.1:1/0")
    accounts = AccountsService(accounts_database, nowhere, accounts_settings)
    with pytest.raises(ValkeyUnavailable):
        await accounts.sessions.sign_in("ada@example.com", PASSWORD, "198.51.100.9")
    await nowhere.aclose()
