"""Organisations, members, invitations, and what administrators of the server do."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import update

from raptorflow.accounts.models import User
from raptorflow.accounts.service import AccountsService
from raptorflow.core.db import Database

API = "/api/v1/accounts"


async def organisation_of(person: Any) -> tuple[str, str]:
    """A new organisation's id, and its owner's token for it."""
    new = {"slug": f"acme-{uuid4().hex[:8]}", "name": "Acme"}
    made = await person.send("POST", "/organisations", new)
    assert made.status_code == 201, made.text
    return made.json()["id"], await token_for(person, made.json()["id"])


async def token_for(person: Any, org_id: str, *, token: str | None = None) -> str:
    answer = await person.send("POST", "/organisations/switch", {"organisation_id": org_id}, token=token)
    return answer.json()["access_token"]


async def join(owner: Any, org_id: str, owner_token: str, person: Any, role: str) -> str:
    """Invite and accept; the new member's token."""
    invited = await owner.send(
        "POST", "/invitations", {"email": person.email, "role": role}, token=owner_token
    )
    accepted = await person.send("POST", "/invitations/accept", {"token": invited.json()["link_token"]})
    assert accepted.status_code == 200, accepted.text
    return await token_for(person, org_id)


async def test_an_invitation_makes_the_account_of_a_new_person(
    client: httpx.AsyncClient, new_person: Any
) -> None:
    owner = await new_person()
    org_id, token = await organisation_of(owner)
    email = f"new-{uuid4().hex}@example.com"
    invited = (
        await owner.send("POST", "/invitations", {"email": email, "role": "admin"}, token=token)
    ).json()
    waiting = await owner.send("GET", "/invitations", token=token)
    assert [invitation["email"] for invitation in waiting.json()] == [email]
    assert invited["link_token"] not in waiting.text
    joined = await client.post(f"{API}/links/redeem", json={"token": invited["link_token"]})
    me = (await owner.send("GET", "/me", token=joined.json()["access_token"])).json()
    assert (me["email"], me["organisation_id"]) == (email, org_id)
    members = (await owner.send("GET", "/members", token=token)).json()
    assert {member["email"]: member["role"] for member in members} == {owner.email: "owner", email: "admin"}
    again = await client.post(f"{API}/links/redeem", json={"token": invited["link_token"]})
    assert again.json()["code"] == "link-spent"


async def test_an_invitation_never_signs_in_to_an_account_that_exists(
    client: httpx.AsyncClient, new_person: Any
) -> None:
    owner, victim = await new_person(), await new_person()
    org_id, token = await organisation_of(owner)
    invited = (await owner.send("POST", "/invitations", {"email": victim.email}, token=token)).json()
    link = {"token": invited["link_token"]}
    kept = await client.post(f"{API}/links/redeem", json=link)
    assert (kept.status_code, kept.json()["code"]) == (409, "invitation-for-account")
    assert (await owner.send("POST", "/invitations/accept", link)).json()["code"] == "link-spent"
    assert (await victim.send("POST", "/invitations/accept", link)).json()["id"] == org_id


async def test_an_invitation_ends_when_it_is_taken_back_or_its_giver_leaves(
    client: httpx.AsyncClient, new_person: Any
) -> None:
    owner, admin = await new_person(), await new_person()
    org_id, token = await organisation_of(owner)
    admin_token = await join(owner, org_id, token, admin, "admin")
    links: list[str] = []
    for by in (token, admin_token):
        email = f"new-{uuid4().hex}@example.com"
        invited = (await owner.send("POST", "/invitations", {"email": email}, token=by)).json()
        links.append(invited["link_token"])
        if by == token:
            path = f"/invitations/{invited['id']}"
            assert (await owner.send("DELETE", path, token=token)).status_code == 204
    removed = await owner.send("DELETE", f"/members/{admin.user_id}", token=token)
    assert removed.status_code == 204
    for link in links:
        refused = await client.post(f"{API}/links/redeem", json={"token": link})
        assert refused.json()["code"] == "link-spent"


async def test_an_invitation_gives_no_role_that_its_giver_could_not_give_any_more(
    client: httpx.AsyncClient, new_person: Any
) -> None:
    owner, admin = await new_person(), await new_person()
    org_id, token = await organisation_of(owner)
    admin_token = await join(owner, org_id, token, admin, "admin")
    new = {"email": f"new-{uuid4().hex}@example.com", "role": "admin"}
    link = {"token": (await admin.send("POST", "/invitations", new, token=admin_token)).json()["link_token"]}
    lowered = await owner.send("PUT", f"/members/{admin.user_id}", {"role": "member"}, token=token)
    assert lowered.status_code == 204
    assert (await client.post(f"{API}/links/redeem", json=link)).json()["code"] == "link-spent"
    await owner.send("PUT", f"/members/{admin.user_id}", {"role": "admin"}, token=token)
    assert (await client.post(f"{API}/links/redeem", json=link)).status_code == 200


async def test_an_invitation_is_redeemed_once_however_many_try_at_once(
    client: httpx.AsyncClient, new_person: Any
) -> None:
    owner = await new_person()
    _, token = await organisation_of(owner)
    new = {"email": f"new-{uuid4().hex}@example.com"}
    link = {"token": (await owner.send("POST", "/invitations", new, token=token)).json()["link_token"]}
    answers = await asyncio.gather(*(client.post(f"{API}/links/redeem", json=link) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    assert len((await owner.send("GET", "/members", token=token)).json()) == 2


async def test_members_act_within_their_role(new_person: Any) -> None:
    owner, admin, member = [await new_person() for _ in range(3)]
    org_id, token = await organisation_of(owner)
    admin_token = await join(owner, org_id, token, admin, "admin")
    member_token = await join(owner, org_id, token, member, "member")
    invitation = {"email": "x@example.com"}
    for method, path, body in (
        ("POST", "/invitations", invitation),
        ("GET", "/invitations", None),
        ("PUT", f"/members/{owner.user_id}", {"role": "member"}),
        ("DELETE", f"/members/{owner.user_id}", None),
    ):
        refused = await member.send(method, path, body, token=member_token)
        assert (refused.status_code, refused.json()["code"]) == (403, "role-too-low"), path
    for method, path, body in (
        ("POST", "/invitations", invitation | {"role": "owner"}),
        ("PUT", f"/members/{member.user_id}", {"role": "owner"}),
        ("PUT", f"/members/{owner.user_id}", {"role": "member"}),
        ("DELETE", f"/members/{owner.user_id}", None),
    ):
        refused = await admin.send(method, path, body, token=admin_token)
        assert refused.json()["code"] == "role-too-low", path
    changed = await admin.send("PUT", f"/members/{member.user_id}", {"role": "admin"}, token=admin_token)
    assert changed.status_code == 204
    assert (await member.send("GET", "/invitations", token=member_token)).status_code == 200


async def test_a_removed_member_and_its_tokens_are_out_at_once(new_person: Any) -> None:
    owner, member = await new_person(), await new_person()
    org_id, token = await organisation_of(owner)
    member_token = await join(owner, org_id, token, member, "member")
    new = {"name": "ci", "scopes": ["accounts:read"]}
    personal = (await member.send("POST", "/tokens", new, token=member_token)).json()["token"]
    for bearer in (member_token, personal):
        assert (await member.send("GET", "/members", token=bearer)).status_code == 200
    assert (await owner.send("DELETE", f"/members/{member.user_id}", token=token)).status_code == 204
    for bearer in (member_token, personal):
        assert (await member.send("GET", "/members", token=bearer)).status_code == 401


async def test_members_may_leave_but_not_the_last_owner(new_person: Any) -> None:
    owner, member = await new_person(), await new_person()
    org_id, token = await organisation_of(owner)
    member_token = await join(owner, org_id, token, member, "member")
    left = await member.send("DELETE", f"/members/{member.user_id}", token=member_token)
    assert left.status_code == 204
    for method, body in (("DELETE", None), ("PUT", {"role": "admin"})):
        refused = await owner.send(method, f"/members/{owner.user_id}", body, token=token)
        assert (refused.status_code, refused.json()["code"]) == (409, "last-owner")


async def test_two_owners_cannot_leave_at_once(new_person: Any) -> None:
    owner, other = await new_person(), await new_person()
    org_id, token = await organisation_of(owner)
    other_token = await join(owner, org_id, token, other, "owner")
    leaving: list[Any] = [
        owner.send("DELETE", f"/members/{owner.user_id}", token=token),
        other.send("DELETE", f"/members/{other.user_id}", token=other_token),
    ]
    answers = await asyncio.gather(*leaving)
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_nobody_is_put_out_of_the_personal_organisation(new_person: Any) -> None:
    person, guest = await new_person(), await new_person()
    org_id = (await person.send("GET", "/me")).json()["organisation_id"]
    guest_token = await join(person, org_id, person.pair.access_token, guest, "owner")
    for caller, token in ((guest, guest_token), (person, None)):
        refused = await caller.send("DELETE", f"/members/{person.user_id}", token=token)
        assert refused.json()["code"] == "last-owner"


async def test_a_slug_is_one_organisations(new_person: Any) -> None:
    one, two = await new_person(), await new_person()
    new = {"slug": f"acme-{uuid4().hex[:8]}", "name": "Acme"}
    answers = await asyncio.gather(*(who.send("POST", "/organisations", new) for who in (one, two)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    kept = await one.send("POST", "/organisations", {"slug": "raptorflow", "name": "Mine"})
    assert kept.json()["code"] == "slug-taken"
    listed = [len((await who.send("GET", "/organisations")).json()) for who in (one, two)]
    assert sorted(listed) == [1, 2]


async def test_people_change_their_name(new_person: Any) -> None:
    person = await new_person()
    assert (await person.send("PATCH", "/me", {"name": " Grace "})).json()["name"] == "Grace"
    assert (await person.send("GET", "/me")).json()["name"] == "Grace"


async def test_an_administrator_of_the_server_makes_accounts_and_links(
    client: httpx.AsyncClient, accounts: AccountsService, accounts_database: Database, new_person: Any
) -> None:
    admin, person = await new_person(), await new_person()
    async with accounts_database.system_session() as session:
        await session.execute(update(User).where(User.id == admin.user_id).values(is_admin=True))
    new = {"email": f"new-{uuid4().hex}@example.com", "name": "Grace"}
    for path, body in (("/users", new), ("/users/links", {"email": admin.email})):
        refused = await person.send("POST", path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "server-admin-needed")
    made = await admin.send("POST", "/users", new)
    assert made.status_code == 201
    again = await admin.send("POST", "/users", new)
    assert again.json()["code"] == "email-taken"
    link = await admin.send("POST", "/users/links", {"email": new["email"]})
    for token in (made.json()["link_token"], link.json()["link_token"]):
        assert (await client.post(f"{API}/links/redeem", json={"token": token})).status_code == 200
    unknown = await admin.send("POST", "/users/links", {"email": "nobody@example.com"})
    assert unknown.status_code == 404
