"""Trades the identity token of a CI provider for one that publishes: no secret is kept in the build.

GitHub Actions gives a token to a job with `permissions: id-token: write`; GitLab to one whose `id_tokens` has
`RAPTORFLOW_ID_TOKEN`. `RAPTORFLOW_ORGANISATION` says for whom the build publishes.
"""

import os
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from raptorflow.base.errors import PartUnavailable
from raptorflow.base.json import JsonObject
from raptorflow.cli.client import ServerRefused, ServerUnreachable

ORGANISATION = "RAPTORFLOW_ORGANISATION"
GITLAB_GRANT = "RAPTORFLOW_ID_TOKEN"
GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
GITHUB_GRANT = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
DEADLINE_SECONDS = 30.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class IdentityUnavailable(PartUnavailable):
    """The CI provider does not say who the build is."""

    code = "identity-unavailable"
    default_hint = "GitHub Actions: give the job `permissions: id-token: write`. GitLab: set `id_tokens`."


async def access_from_ci(url: str) -> SecretStr | None:
    """A token for the server at `url`, good for minutes; None outside of CI or without an organisation.

    Raises:
        IdentityUnavailable: the CI provider does not give an identity token.
        ServerRefused: the server does not trust the build.
        ServerUnreachable: it did not answer.
    """
    organisation, audience = os.environ.get(ORGANISATION), url.rstrip("/")
    if not organisation:
        return None
    async with httpx.AsyncClient(timeout=DEADLINE_SECONDS) as client:
        token = await _identity(client, audience)
        if token is None:
            return None
        body = {"token": token, "organisation": organisation}
        try:
            answer = await client.post(f"{audience}/api/v1/accounts/ci/exchange", json=body)
        except httpx.HTTPError as error:
            raise ServerUnreachable(f"{audience} does not answer: {error!r}") from error
    document = _object(answer)
    if answer.is_error or not isinstance(document.get("access_token"), str):
        told = {"title": f"HTTP {answer.status_code}", "detail": f"{audience} gives no token.", **document}
        raise ServerRefused(told)
    return SecretStr(document["access_token"])


async def _identity(client: httpx.AsyncClient, audience: str) -> str | None:
    """The provider's token, made out to the server; None where no provider is."""
    if given := os.environ.get(GITLAB_GRANT):
        return given
    place, secret = os.environ.get(GITHUB_URL), os.environ.get(GITHUB_GRANT)
    if not place or not secret:
        return None
    if not _is_private(place):
        raise IdentityUnavailable(f"{GITHUB_URL} is not https: the request's token would be readable.")
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        target = httpx.URL(place).copy_merge_params({"audience": audience})
        answer = await client.get(target, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise IdentityUnavailable(f"The CI provider does not answer: {error!r}") from error
    value = _object(answer).get("value")
    if answer.is_error or not isinstance(value, str):
        raise IdentityUnavailable(
            f"The CI provider gives no identity token: it answers {answer.status_code}."
        )
    return value


def _is_private(place: str) -> bool:
    """Whether nobody on the way reads what is sent to a URL."""
    try:
        parts = urlsplit(place)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _object(answer: httpx.Response) -> JsonObject:
    try:
        document: Any = answer.json()
    except ValueError:
        return {}
    return cast(JsonObject, document) if isinstance(document, dict) else {}
