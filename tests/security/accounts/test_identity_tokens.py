"""What a stranger may try with a CI provider's token, against a provider that runs."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncGenerator
from ipaddress import ip_address
from typing import Any

import pytest
from fastapi.responses import RedirectResponse, Response
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from tests.ci_issuer import AUDIENCE, CiIssuer, ci_issuer

from raptorflow.accounts.publishers import issuers
from raptorflow.accounts.publishers.builds import read_build
from raptorflow.accounts.publishers.claims import read_unverified, verify
from raptorflow.accounts.publishers.errors import BuildTokenRefused, IssuerNotAllowed, IssuerUnavailable
from raptorflow.accounts.publishers.issuers import Issuers
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.json import JsonObject, dumps
from raptorflow.core.addresses import Address

DISCOVERY = ".well-known/openid-configuration"


@pytest.fixture
async def provider() -> AsyncGenerator[CiIssuer]:
    async with ci_issuer() as running:
        yield running


# Small, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:Key size should be")


def settings_for(provider: CiIssuer, *, local: bool = True) -> AccountsSettings:
    return AccountsSettings(
        secret=SecretStr("x"), ci_issuers={provider.url: "github"}, ci_local_issuers=local
    )


async def claims_of(provider: CiIssuer, token: str, known: Issuers | None = None) -> JsonObject:
    told = read_unverified(token)
    key = await (known or Issuers(settings_for(provider))).key(told.issuer, told.key_id)
    return verify(token, key, told.issuer, AUDIENCE)


def part(value: JsonObject) -> str:
    return base64.urlsafe_b64encode(dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("kind", ["RSA", "EC"])
async def test_an_honest_token_is_taken(provider: CiIssuer, kind: str) -> None:
    provider.rotate(kind)
    claims = await claims_of(provider, provider.token())
    assert read_build("github", provider.url, claims).provenance.workflow == "publish.yml"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://other.example"},
        {"aud": [AUDIENCE, "https://other.example"]},
        {"aud": None},
        {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 3700},
        {"exp": None},
        {"exp": "soon"},
        {"exp": int(time.time()) + 86_400},
        {"iat": None},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700},
        {"nbf": int(time.time()) + 3600},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 256},
        {"jti": "a\0b"},
        {"iat": -(10**30)},
        {"exp": float("1e308")},
        {"exp": float("nan")},
        {"iat": float("nan")},
        {"iat": True},
    ],
)
async def test_a_token_that_is_not_for_here_and_now_is_refused(
    provider: CiIssuer, changed: dict[str, Any]
) -> None:
    with pytest.raises(BuildTokenRefused):
        await claims_of(provider, provider.token(**changed))


async def test_a_changed_token_is_refused(provider: CiIssuer) -> None:
    header, _, signature = provider.token().split(".")
    with pytest.raises(BuildTokenRefused):
        await claims_of(provider, f"{header}.{part(provider.claims(repository='eve/skills'))}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "PS256", "EdDSA", "ES256"])
async def test_another_algorithm_is_refused(provider: CiIssuer, algorithm: str) -> None:
    """`HS256` over the public key, which everybody has, is the classic confusion."""
    key = provider.keys[0]
    signed = f"{part({'alg': algorithm, 'kid': key.kid})}.{part(provider.claims())}"
    secret = dumps(key.as_dict(private=False)).encode()
    mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256)).decode()
    for signature in ("", mac.rstrip("=")):
        with pytest.raises(BuildTokenRefused):
            await claims_of(provider, f"{signed}.{signature}")


async def test_a_key_in_the_token_itself_is_not_looked_at(provider: CiIssuer) -> None:
    key = RSAKey.generate_key(2048, {"kid": provider.keys[0].kid or ""})
    stranger = CiIssuer(provider.url, [key])
    with pytest.raises(BuildTokenRefused):
        await claims_of(provider, stranger.token())


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "e30.e30.e30", "a.b.c.d", "é.é.é", "." * 3, "x" * 20_000]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BuildTokenRefused):
        read_unverified(token)


async def test_an_issuer_that_is_not_allowed_is_never_asked(provider: CiIssuer) -> None:
    for issuer in ("http://169.254.169.254", provider.url + "/", provider.url.upper(), "file:///etc/passwd"):
        with pytest.raises(IssuerNotAllowed):
            await claims_of(provider, provider.token(iss=issuer))
    assert provider.asked == []


async def test_an_issuer_inside_the_network_needs_the_operators_word(provider: CiIssuer) -> None:
    with pytest.raises(IssuerUnavailable, match="https"):
        await claims_of(provider, provider.token(), Issuers(settings_for(provider, local=False)))
    assert provider.asked == []


async def test_a_name_that_leads_inside_is_refused() -> None:
    async def inside(host: str, port: int) -> list[Address]:
        return [ip_address("169.254.169.254")]

    provider = CiIssuer("https://ci.example")
    for local in (True, False):
        with pytest.raises(IssuerUnavailable, match=r"ci\.example"):
            await Issuers(settings_for(provider, local=local), inside).key(provider.url, "any")


@pytest.mark.parametrize(
    "answer",
    [
        {"issuer": "https://other.example", "jwks_uri": "https://other.example/jwks"},
        [],
        RedirectResponse("http://169.254.169.254/"),
        Response("x" * 300_000),
        Response("{"),
        Response(status_code=500),
    ],
)
async def test_a_provider_that_leads_elsewhere_is_not_followed(provider: CiIssuer, answer: Any) -> None:
    provider.documents[DISCOVERY] = answer
    with pytest.raises(IssuerUnavailable):
        await claims_of(provider, provider.token())
    assert provider.asked == [DISCOVERY]


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:1/jwks", "http://169.254.169.254/latest", "file:///etc/passwd", "", None, 7]
)
async def test_keys_are_fetched_from_the_issuer_alone(provider: CiIssuer, place: Any) -> None:
    provider.documents[DISCOVERY] = {"issuer": provider.url, "jwks_uri": place}
    with pytest.raises(IssuerUnavailable, match="another host"):
        await claims_of(provider, provider.token())
    assert provider.asked == [DISCOVERY]


@pytest.mark.parametrize(
    "keys",
    [
        None,
        "keys",
        [7, "key", {}],
        [OctKey.generate_key(256, {"kid": "x"}).as_dict()],
        [RSAKey.generate_key(1024, {"kid": "x"}).as_dict(private=False)],
        [RSAKey.generate_key(2048, {"kid": "x"}).as_dict(private=False) | {"use": "enc"}],
        [{"kty": "RSA", "kid": "x", "n": "!", "e": 3}],
        [{"kty": "EC", "crv": "P-256", "kid": "x", "x": "AA", "y": "AA"}],
    ],
)
async def test_keys_that_cannot_sign_are_passed_over(provider: CiIssuer, keys: Any) -> None:
    provider.documents["jwks"] = {"keys": keys}
    with pytest.raises(BuildTokenRefused, match="does not have"):
        await Issuers(settings_for(provider)).key(provider.url, "x")


async def test_keys_are_kept_and_a_new_one_is_looked_for(
    provider: CiIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Issuers(settings_for(provider))
    for _ in range(3):
        await claims_of(provider, provider.token(), known)
    assert provider.asked == [DISCOVERY, "jwks"]
    old = provider.token()
    provider.rotate("EC")
    # A thousand tokens with made-up keys do not make a thousand requests.
    for _ in range(3):
        with pytest.raises(BuildTokenRefused):
            await claims_of(provider, provider.token(), known)
    assert provider.asked == [DISCOVERY, "jwks"]
    monkeypatch.setattr(issuers, "AGAIN_SECONDS", 0.0)
    await claims_of(provider, provider.token(), known)
    with pytest.raises(BuildTokenRefused):
        await claims_of(provider, old, known)


async def test_a_provider_that_fails_is_not_asked_for_every_token(provider: CiIssuer) -> None:
    provider.documents[DISCOVERY] = Response(status_code=500)
    known = Issuers(settings_for(provider))
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            await known.key(provider.url, "made-up")
    assert provider.asked == [DISCOVERY]


STRANGERS = [
    "pull_request",
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "fork",
    "watch",
]


@pytest.mark.parametrize("event", STRANGERS)
def test_a_build_that_a_stranger_can_start_does_not_publish(event: str) -> None:
    provider = CiIssuer("https://ci.example")
    with pytest.raises(BuildTokenRefused, match=event):
        read_build("github", provider.url, provider.claims(event_name=event))


@pytest.mark.parametrize(
    "changed", [{"repository": None}, {"ref": {}}, {"sha": "a\nb"}, {"run_id": True, "ref": []}]
)
def test_claims_that_are_no_plain_text_are_refused(changed: JsonObject) -> None:
    provider = CiIssuer("https://ci.example")
    with pytest.raises(BuildTokenRefused):
        read_build("github", provider.url, provider.claims(**changed))


def test_a_file_whose_name_begins_like_the_trusted_one_is_another() -> None:
    provider = CiIssuer("https://ci.example")
    place = "octo/skills/.github/workflows/publish.yml@x.yml@refs/heads/main"
    told = read_build("github", provider.url, provider.claims(workflow_ref=place))
    assert told.provenance.workflow == "publish.yml@x.yml"


GITLAB: JsonObject = {
    "project_path": "octo/skills",
    "ci_config_ref_uri": "gitlab.example/octo/skills//.gitlab-ci.yml@refs/heads/main",
    "ref": "main",
    "ref_type": "branch",
    "sha": "a" * 40,
    "job_id": "7",
    "namespace_id": "4242",
    "pipeline_source": "push",
}


def test_a_build_of_gitlab_is_read_unless_a_merge_request_started_it() -> None:
    told = read_build("gitlab", "https://gitlab.example", GITLAB).provenance
    assert (told.workflow, told.ref) == (".gitlab-ci.yml", "refs/heads/main")
    assert told.run_url == "https://gitlab.example/octo/skills/-/jobs/7"
    for source in ("merge_request_event", "external_pull_request_event", None):
        with pytest.raises(BuildTokenRefused):
            read_build("gitlab", "https://gitlab.example", GITLAB | {"pipeline_source": source})


def test_a_configuration_of_another_project_is_told_whole() -> None:
    place = "gitlab.example/octo/skills//.gitlab-ci.yml@other/project@refs/heads/main"
    told = read_build("gitlab", "https://gitlab.example", GITLAB | {"ci_config_ref_uri": place})
    assert told.provenance.workflow == ".gitlab-ci.yml@other/project"
