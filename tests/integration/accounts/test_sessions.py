"""Refresh tokens, signing out, switching organisation."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from raptorflow.accounts.errors import RefreshReused, TokenRefused
from raptorflow.accounts.models import User
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.clock import utc_now
from raptorflow.core.db import Database


async def test_a_lost_answer_is_given_again(accounts: AccountsService, new_person: Any) -> None:
    first = (await new_person()).pair.refresh_token
    lost, again = await accounts.sessions.refresh(first), await accounts.sessions.refresh(first)
    assert lost.refresh_token != again.refresh_token
    last = await accounts.sessions.refresh(again.refresh_token)
    assert await accounts.authenticate(last.access_token)


async def test_two_who_hold_successors_of_one_token_are_found_out(
    accounts: AccountsService, new_person: Any
) -> None:
    first = (await new_person()).pair.refresh_token
    thief, owner = await accounts.sessions.refresh(first), await accounts.sessions.refresh(first)
    gone_on = await accounts.sessions.refresh(thief.refresh_token)
    with pytest.raises(RefreshReused):
        await accounts.sessions.refresh(owner.refresh_token)
    with pytest.raises(TokenRefused):
        await accounts.sessions.refresh(gone_on.refresh_token)
    with pytest.raises(TokenRefused):
        await accounts.authenticate(gone_on.access_token)


async def test_a_token_whose_successor_was_used_is_reused_also_within_the_grace(
    accounts: AccountsService, new_person: Any
) -> None:
    first = (await new_person()).pair.refresh_token
    second = await accounts.sessions.refresh(first)
    third = await accounts.sessions.refresh(second.refresh_token)
    with pytest.raises(RefreshReused):
        await accounts.sessions.refresh(first)
    with pytest.raises(TokenRefused):
        await accounts.sessions.refresh(third.refresh_token)


async def test_a_late_reuse_ends_the_session(
    accounts: AccountsService, accounts_settings: AccountsSettings, new_person: Any
) -> None:
    first = (await new_person()).pair.refresh_token
    second = await accounts.sessions.refresh(first)
    accounts_settings.refresh_grace_seconds = 0
    with pytest.raises(RefreshReused):
        await accounts.sessions.refresh(first)
    with pytest.raises(TokenRefused):
        await accounts.sessions.refresh(second.refresh_token)


async def test_signing_out_ends_this_session_and_its_access_token(
    accounts: AccountsService, new_person: Any
) -> None:
    person = await new_person()
    other = await accounts.redeem_link(await accounts.one_time_link(person.user_id))
    answer = await person.send("POST", "/sign-out", {"refresh_token": person.pair.refresh_token})
    assert answer.status_code == 204
    assert (await person.send("GET", "/me")).json()["code"] == "token-refused"
    assert (await person.send("GET", "/me", token=other.access_token)).status_code == 200


async def test_signing_out_everywhere_ends_every_session_and_no_later_one(
    accounts: AccountsService, new_person: Any
) -> None:
    person = await new_person()
    other = await accounts.redeem_link(await accounts.one_time_link(person.user_id))
    assert (await person.send("POST", "/sign-out-everywhere")).status_code == 204
    for pair in (person.pair, other):
        assert (await person.send("GET", "/me", token=pair.access_token)).status_code == 401
        with pytest.raises(TokenRefused):
            await accounts.sessions.refresh(pair.refresh_token)
    later = await accounts.redeem_link(await accounts.one_time_link(person.user_id))
    assert (await person.send("GET", "/me", token=later.access_token)).status_code == 200


async def test_no_access_token_is_valid_from_before_the_moment_that_the_user_has(
    accounts: AccountsService, accounts_database: Database, new_person: Any
) -> None:
    person = await new_person()
    later = utc_now() + timedelta(seconds=1)
    async with accounts_database.system_session() as session:
        await session.execute(update(User).where(User.id == person.user_id).values(tokens_valid_after=later))
    with pytest.raises(TokenRefused):
        await accounts.authenticate(person.pair.access_token)


async def test_no_renewal_outlives_a_sign_out_everywhere_that_comes_at_the_same_time(
    accounts: AccountsService, new_person: Any
) -> None:
    for _ in range(10):
        person = await new_person()
        renewed, _ = await asyncio.gather(
            accounts.sessions.refresh(person.pair.refresh_token),
            accounts.sessions.sign_out_everywhere(person.user_id),
            return_exceptions=True,
        )
        if not isinstance(renewed, BaseException):
            with pytest.raises(TokenRefused):
                await accounts.sessions.refresh(renewed.refresh_token)
            with pytest.raises(TokenRefused):
                await accounts.authenticate(renewed.access_token)


async def test_switching_acts_for_the_other_organisation_and_stays_there(
    accounts: AccountsService, new_person: Any
) -> None:
    person = await new_person()
    new = {"slug": f"acme-{uuid4().hex[:8]}", "name": "Acme"}
    organisation = (await person.send("POST", "/organisations", new)).json()
    choice = {"organisation_id": organisation["id"]}
    pair = (await person.send("POST", "/organisations/switch", choice)).json()
    renewed = await accounts.sessions.refresh(pair["refresh_token"])
    me = (await person.send("GET", "/me", token=renewed.access_token)).json()
    assert me["organisation_id"] == organisation["id"]
    assert (await person.send("GET", "/me")).json()["organisation_id"] != organisation["id"]


async def test_expired_links_and_refresh_tokens_are_forgotten(
    accounts: AccountsService, accounts_settings: AccountsSettings, new_person: Any
) -> None:
    person = await new_person()
    accounts_settings.refresh_seconds = 0
    ended = await accounts.redeem_link(await accounts.one_time_link(person.user_id))
    await accounts.sessions.forget_expired()
    with pytest.raises(TokenRefused):
        await accounts.sessions.refresh(ended.refresh_token)
    assert await accounts.authenticate(person.pair.access_token)
