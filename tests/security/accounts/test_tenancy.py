"""One organisation's people try everything on another's ids; row-level security holds beneath."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from raptorflow.accounts.models import AccessToken, Invitation, Membership, Organisation, SigningKey
from raptorflow.accounts.service import AccountsService
from raptorflow.core.db import Database


async def belongings(person: Any) -> dict[str, Any]:
    new = {"slug": f"acme-{uuid4().hex[:8]}", "name": "Acme"}
    org_id = (await person.send("POST", "/organisations", new)).json()["id"]
    switched = await person.send("POST", "/organisations/switch", {"organisation_id": org_id})
    token = switched.json()["access_token"]
    made = await person.send("POST", "/tokens", {"name": "x", "scopes": ["accounts:read"]}, token=token)
    email = f"{uuid4().hex}@example.com"
    invited = await person.send("POST", "/invitations", {"email": email}, token=token)
    return {
        "org_id": org_id,
        "token": token,
        "token_id": made.json()["id"],
        "invitation": invited.json(),
        "email": email,
    }


async def test_another_organisations_ids_lead_nowhere(new_person: Any) -> None:
    owner, stranger = await new_person(), await new_person()
    theirs, own = await belongings(owner), await belongings(stranger)
    attacks = [
        ("DELETE", f"/tokens/{theirs['token_id']}", None),
        ("DELETE", f"/invitations/{theirs['invitation']['id']}", None),
        ("PUT", f"/members/{owner.user_id}", {"role": "member"}),
        ("DELETE", f"/members/{owner.user_id}", None),
        ("POST", "/organisations/switch", {"organisation_id": theirs["org_id"]}),
    ]
    for method, path, body in attacks:
        answer = await stranger.send(method, path, body, token=own["token"])
        assert answer.status_code == 404, f"{method} {path}: {answer.text}"
        assert answer.json()["code"] == "account-not-found"
    for path in ("/tokens", "/members", "/invitations", "/organisations", "/me"):
        seen = (await stranger.send("GET", path, token=own["token"])).text
        for secret in (owner.email, theirs["org_id"], theirs["token_id"], theirs["email"]):
            assert secret not in seen, path
    kept = await owner.send("GET", "/tokens", token=theirs["token"])
    assert [token["id"] for token in kept.json()] == [theirs["token_id"]]
    assert len((await owner.send("GET", "/members", token=theirs["token"])).json()) == 1
    assert len((await owner.send("GET", "/invitations", token=theirs["token"])).json()) == 1


async def test_a_colleagues_tokens_are_not_ones_own(new_person: Any) -> None:
    owner, colleague = await new_person(), await new_person()
    theirs = await belongings(owner)
    invited = await owner.send("POST", "/invitations", {"email": colleague.email}, token=theirs["token"])
    await colleague.send("POST", "/invitations/accept", {"token": invited.json()["link_token"]})
    switched = await colleague.send("POST", "/organisations/switch", {"organisation_id": theirs["org_id"]})
    token = switched.json()["access_token"]
    assert (await colleague.send("GET", "/tokens", token=token)).json() == []
    refused = await colleague.send("DELETE", f"/tokens/{theirs['token_id']}", token=token)
    assert refused.status_code == 404


async def test_an_invitation_is_for_its_address_alone(new_person: Any) -> None:
    owner, stranger = await new_person(), await new_person()
    theirs = await belongings(owner)
    link = {"token": theirs["invitation"]["link_token"]}
    assert (await stranger.send("POST", "/invitations/accept", link)).json()["code"] == "link-spent"


async def test_the_database_itself_keeps_organisations_apart(
    accounts: AccountsService, accounts_database: Database, new_person: Any
) -> None:
    owner, stranger = await new_person(), await new_person()
    theirs = await belongings(owner)
    own_org = await accounts.personal_organisation(stranger.user_id)
    tables = (Organisation, Membership, AccessToken, Invitation)
    async with accounts_database.system_session() as session:
        for table in tables:
            found = select(table).where(table.org_id == theirs["org_id"])
            assert (await session.scalars(found)).all(), table
    async with accounts_database.session(own_org) as session:
        for table in tables:
            assert not (await session.scalars(select(table).where(table.org_id != own_org))).all(), table
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with accounts_database.session(own_org) as session:
            session.add(Membership(org_id=theirs["org_id"], user_id=stranger.user_id, role="owner"))


async def test_the_programs_role_cannot_change_a_signing_key(accounts_database: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with accounts_database.system_session() as session:
            await session.execute(text("update signing_keys set encrypted_private = 'x'"))
    async with accounts_database.system_session() as session:
        rows = (await session.scalars(select(SigningKey))).all()
        assert rows
        assert all("d" not in row.public_jwk for row in rows)
