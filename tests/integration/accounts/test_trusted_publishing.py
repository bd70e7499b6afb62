"""A build publishes by its CI provider's token: for whom, once, for minutes, and nothing else."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import update
from tests.ci_issuer import AUDIENCE, CiIssuer, ci_issuer

from raptorflow.accounts.identity import Role
from raptorflow.accounts.models import AccessToken, Membership, TrustedPublisher
from raptorflow.accounts.service import AccountsService
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.clock import utc_now
from raptorflow.core.db import Database

TRUSTED = {"repository": "Octo/Skills", "workflow": "publish.yml"}


@pytest.fixture
async def provider() -> AsyncGenerator[CiIssuer]:
    async with ci_issuer() as running:
        yield running


@pytest.fixture
def accounts_settings(provider: CiIssuer) -> AccountsSettings:
    return AccountsSettings(
        secret=SecretStr("a secret of the tests"),
        public_url=AUDIENCE + "/",
        ci_issuers={provider.url: "github"},
        ci_local_issuers=True,
    )


class Site:
    """An organisation's administrator, and the provider whose builds it may trust."""

    def __init__(self, person: Any, provider: CiIssuer, slug: str) -> None:
        self.person, self.provider, self.slug = person, provider, slug

    async def trust(self, **rule: Any) -> httpx.Response:
        return await self.person.send("POST", "/publishers", {"issuer": self.provider.url, **TRUSTED, **rule})

    async def trade(self, token: str | None = None, **claims: Any) -> httpx.Response:
        body = {"token": token or self.provider.token(**claims), "organisation": self.slug}
        return await self.person.client.post("/api/v1/accounts/ci/exchange", json=body)


@pytest.fixture
async def site(new_person: Any, provider: CiIssuer) -> Site:
    person = await new_person()
    me = (await person.send("GET", "/me")).json()
    return Site(person, provider, me["organisations"][0]["slug"])


async def test_a_trusted_build_gets_a_token_for_minutes(site: Site, accounts: AccountsService) -> None:
    assert (await site.trust(skill="greet")).status_code == 201
    answer = await site.trade()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    access = answer.json()
    assert (access["organisation"], access["skills"], access["expires_in"]) == (site.slug, ["greet"], 900)
    caller = await accounts.authenticate(access["access_token"])
    assert (caller.role, caller.scopes) == (Role.MEMBER, {"registry:read", "registry:write"})
    assert caller.build
    assert caller.build.provenance.run_url == f"{site.provider.url}/octo/skills/actions/runs/77/attempts/1"
    assert caller.build.provenance.commit == "a" * 40


async def test_its_token_opens_no_door_of_the_accounts(site: Site) -> None:
    await site.trust()
    token = (await site.trade()).json()["access_token"]
    for method, path in (("GET", "/me"), ("GET", "/members"), ("GET", "/publishers"), ("POST", "/tokens")):
        refused = await site.person.send(
            method, path, {"name": "x", "scopes": ["registry:read"]}, token=token
        )
        assert refused.json()["code"] == "scope-missing", path
    assert (await site.person.send("GET", "/tokens")).json() == []


async def test_a_providers_token_is_traded_once(site: Site) -> None:
    await site.trust()
    token = site.provider.token()
    answers = await asyncio.gather(*(site.trade(token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    assert (await site.trade(token)).json()["code"] == "build-token-used"


@pytest.mark.parametrize(
    ("rule", "claims"),
    [
        ({}, {"repository": "octo/other"}),
        ({}, {"repository": "eve/skills"}),
        ({}, {"workflow_ref": "octo/skills/.github/workflows/test.yml@refs/heads/main"}),
        ({}, {"workflow_ref": "eve/skills/.github/workflows/publish.yml@refs/heads/main"}),
        ({"environment": "release"}, {}),
        ({"environment": "release"}, {"environment": "test"}),
        ({"ref": "refs/tags/*"}, {}),
        ({"ref": "refs/heads/main"}, {"ref": "refs/heads/mainly"}),
        ({"owner_id": "7"}, {}),
    ],
)
async def test_another_build_is_not_trusted(site: Site, rule: dict[str, str], claims: dict[str, str]) -> None:
    assert (await site.trust(**rule)).status_code == 201
    refused = await site.trade(**claims)
    assert (refused.status_code, refused.json()["code"]) == (403, "publisher-not-trusted")


async def test_what_is_asked_for_may_be_met(site: Site) -> None:
    await site.trust(environment="release", ref="refs/tags/v*")
    assert (await site.trade(environment="release", ref="refs/tags/v1.0.0")).status_code == 200


async def test_a_name_that_went_to_another_owner_is_not_trusted(site: Site) -> None:
    """Whoever registers a repository's given-up name gets its tokens: the owner's number tells them apart."""
    await site.trust()
    assert (await site.trade()).status_code == 200
    refused = await site.trade(repository_owner_id="666")
    assert refused.json()["code"] == "publisher-not-trusted"


async def test_an_organisation_that_trusts_a_stranger_is_not_sent_its_skills(
    site: Site, new_person: Any
) -> None:
    """A build says for whom it publishes; whoever trusts it unasked gets nothing."""
    eve = await new_person()
    await eve.send("POST", "/publishers", {"issuer": site.provider.url, **TRUSTED})
    assert (await site.trade()).json()["code"] == "publisher-not-trusted"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "https://other.example"}, "build-token-refused"),
        ({"exp": 1_000_000_000}, "build-token-refused"),
        ({"iss": "https://other.example"}, "issuer-not-allowed"),
        ({"event_name": "pull_request_target"}, "build-token-refused"),
    ],
)
async def test_a_token_that_does_not_hold(site: Site, claims: dict[str, Any], code: str) -> None:
    await site.trust()
    refused = await site.trade(**claims)
    assert (refused.status_code, refused.json()["code"]) == (401, code)


async def test_what_is_no_token_is_refused_with_a_code(site: Site) -> None:
    for token in ("x", "a.b.c", "\0.\0.\0", "é" * 100):
        refused = await site.trade(token)
        assert (refused.status_code, refused.json()["code"]) == (401, "build-token-refused")


async def test_who_trusted_it_has_to_be_an_administrator_still(
    site: Site, accounts_database: Database
) -> None:
    await site.trust()
    token = (await site.trade()).json()["access_token"]
    async with accounts_database.system_session() as session:
        member = Membership.user_id == site.person.user_id
        await session.execute(update(Membership).where(member).values(role="member"))
    assert (await site.trade()).json()["code"] == "publisher-not-trusted"
    assert (await site.person.send("GET", "/members", token=token)).json()["code"] == "token-refused"


async def test_another_administrator_takes_over_what_nobody_stands_for(
    site: Site, new_person: Any, accounts_database: Database
) -> None:
    """Whoever trusted it left; the rule is still there, and holds again once somebody stands for it."""
    await site.trust()
    gone = (await new_person()).user_id
    async with accounts_database.system_session() as session:
        mine = TrustedPublisher.user_id == site.person.user_id
        await session.execute(update(TrustedPublisher).where(mine).values(user_id=gone))
    assert (await site.trade()).json()["code"] == "publisher-not-trusted"
    assert (await site.trust()).status_code == 201
    assert (await site.trade()).status_code == 200
    assert (await site.trust()).json()["code"] == "publisher-known"


async def test_a_publisher_taken_back_ends_its_tokens(site: Site, accounts: AccountsService) -> None:
    made = (await site.trust()).json()
    token = (await site.trade()).json()["access_token"]
    assert (await accounts.authenticate(token)).build
    assert (await site.person.send("DELETE", f"/publishers/{made['id']}")).status_code == 204
    assert (await site.person.send("GET", "/members", token=token)).json()["code"] == "token-refused"
    assert (await site.trade()).json()["code"] == "publisher-not-trusted"
    again = await site.person.send("DELETE", f"/publishers/{made['id']}")
    assert again.json()["code"] == "account-not-found"


async def test_a_builds_token_ends(site: Site, accounts_database: Database) -> None:
    await site.trust()
    token = (await site.trade()).json()["access_token"]
    async with accounts_database.system_session() as session:
        past = utc_now() - timedelta(seconds=1)
        mine = AccessToken.user_id == site.person.user_id
        await session.execute(update(AccessToken).where(mine).values(expires_at=past))
    assert (await site.person.send("GET", "/members", token=token)).json()["code"] == "token-refused"


async def test_the_same_is_trusted_once_and_seen_by_its_own_administrators(
    site: Site, new_person: Any
) -> None:
    await site.trust()
    assert (await site.trust()).json()["code"] == "publisher-known"
    assert len((await site.person.send("GET", "/publishers")).json()) == 1
    other = await new_person()
    assert (await other.send("GET", "/publishers")).json() == []
    assert (await other.send("DELETE", f"/publishers/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    "rule",
    [
        {"issuer": "https://unknown.example"},
        {"repository": ""},
        {"repository": "octo/*"},
        {"repository": "octo/sk\u0456lls"},
        {"workflow": "a b"},
        {"ref": "main"},
        {"ref": "refs/*/x"},
        {"skill": "../x"},
        {"owner_id": "x"},
    ],
)
async def test_a_rule_that_says_nothing_clear_is_refused(site: Site, rule: dict[str, str]) -> None:
    assert (await site.trust(**rule)).status_code == 422


async def test_a_server_without_its_own_url_trades_nothing(site: Site, accounts: AccountsService) -> None:
    accounts.settings.public_url = None
    assert (await site.trade()).json()["code"] == "public-url-missing"
