"""Signing in by a password; limits; what a change of the password ends."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
from argon2 import PasswordHasher
from sqlalchemy import select, update

from raptorflow.accounts.models import User
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.core.db import Database

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
