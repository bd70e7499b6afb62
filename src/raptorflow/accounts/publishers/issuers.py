"""The keys of the issuers that the operator allows: fetched with care, kept for an hour.

No token chooses an address: an issuer's URL stands in the settings, its keys are fetched from its own host
and nowhere else, no redirect is followed, and the addresses are judged as in `core/dialing.py`.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from raptorflow.accounts.publishers.claims import Key
from raptorflow.accounts.publishers.errors import BuildTokenRefused, IssuerNotAllowed, IssuerUnavailable
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.json import JsonObject, loads
from raptorflow.core.dialing import GuardedNetwork, GuardedTransport, Resolve, look_up

DISCOVERY = "/.well-known/openid-configuration"
FRESH_SECONDS = 3600.0
# A key that is not known is looked for again, but not for each of a thousand made-up tokens.
AGAIN_SECONDS = 10.0
DEADLINE_SECONDS = 10.0
MOST_BYTES = 256 * 1024
MOST_KEYS = 100
LEAST_RSA_BITS = 2048
OK = 200


@dataclass
class _Known:
    keys: Mapping[str, Key] = field(default_factory=dict[str, Key])
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def age(self) -> float:
        return time.monotonic() - self.fetched_at


class Issuers:
    """Finds keys.

    Args:
        settings: which issuers are allowed, and whether they may be in the server's own network.
        resolve: looks names up.
    """

    def __init__(self, settings: AccountsSettings, resolve: Resolve = look_up) -> None:
        self._allowed = settings.ci_issuers
        self._local = settings.ci_local_issuers
        self._resolve = resolve
        self._known: dict[str, _Known] = {}

    async def key(self, issuer: str, key_id: str) -> Key:
        """An issuer's key.

        Raises:
            IssuerNotAllowed: the operator takes no tokens from this issuer.
            IssuerUnavailable: its keys cannot be had.
            BuildTokenRefused: it has no such key.
        """
        if issuer not in self._allowed:
            raise IssuerNotAllowed("The token comes from an issuer that this server takes no tokens from.")
        known = self._known.setdefault(issuer, _Known())
        # Whoever has a key that is known does not wait behind those who made theirs up.
        if key_id not in known.keys or known.age() > FRESH_SECONDS:
            async with known.lock:
                await self._refresh(issuer, known, key_id)
        if key_id not in known.keys:
            raise BuildTokenRefused("The token was signed with a key that its issuer does not have.")
        return known.keys[key_id]

    async def _refresh(self, issuer: str, known: _Known, key_id: str) -> None:
        is_stale, since_try = known.age() > FRESH_SECONDS, time.monotonic() - known.tried_at
        if not is_stale and (key_id in known.keys or since_try <= AGAIN_SECONDS):
            return
        if is_stale and since_try <= AGAIN_SECONDS:
            raise IssuerUnavailable(f"{issuer} did not give its keys a moment ago.")
        known.tried_at = time.monotonic()
        known.keys = await self._fetch(issuer)
        known.fetched_at = time.monotonic()

    async def _fetch(self, issuer: str) -> dict[str, Key]:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._client() as client:
                document = await _read(client, self._checked(issuer.rstrip("/") + DISCOVERY, issuer))
                if document.get("issuer") != issuer:
                    raise IssuerUnavailable(f"{issuer} says that it is another issuer.")
                keys = await _read(client, self._checked(str(document.get("jwks_uri")), issuer))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise IssuerUnavailable(f"{issuer} does not give its keys: {error!r}.") from error
        return _usable(keys)

    def _checked(self, url: str, issuer: str) -> str:
        place, home = urlsplit(url), urlsplit(issuer)
        if (place.scheme, place.netloc) != (home.scheme, home.netloc):
            raise IssuerUnavailable(f"{issuer} names keys at another host.")
        if place.scheme != "https" and not (self._local and place.scheme == "http"):
            raise IssuerUnavailable(f"{issuer} is not reached by https.")
        return url

    def _client(self) -> httpx2.AsyncClient:
        def refusal(host: str) -> IssuerUnavailable:
            return IssuerUnavailable(f"{host} leads to an address that issuers may not be at.")

        network = GuardedNetwork(local=self._local, refusal=refusal, resolve=self._resolve)
        transport, plain = GuardedTransport(network), {"accept-encoding": "identity"}
        return httpx2.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, headers=plain)


async def _read(client: httpx2.AsyncClient, url: str) -> JsonObject:
    content = bytearray()
    async with client.stream("GET", url) as answer:
        if answer.status_code != OK:
            raise IssuerUnavailable(f"{url} answers {answer.status_code}.")
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > MOST_BYTES:
                raise IssuerUnavailable(f"{url} answers with over {MOST_BYTES:,} bytes.")
    try:
        document = loads(bytes(content))
    except ValueError as error:
        raise IssuerUnavailable(f"{url} does not answer with JSON.") from error
    if not isinstance(document, dict):
        raise IssuerUnavailable(f"{url} does not answer with an object.")
    return cast(JsonObject, document)


def _usable(document: JsonObject) -> dict[str, Key]:
    """The keys that sign with RS256 or ES256; others are passed over, as RFC 7517 (5) wants."""
    listed = document.get("keys")
    found: dict[str, Key] = {}
    for each in cast("list[Any]", listed)[:MOST_KEYS] if isinstance(listed, list) else []:
        key = _key(cast(JsonObject, each)) if isinstance(each, dict) else None
        if key and isinstance(key.kid, str):
            found[key.kid] = key
    return found


def _key(each: JsonObject) -> Key | None:
    if each.get("use", "sig") != "sig" or each.get("alg", "RS256") not in ("RS256", "ES256"):
        return None
    try:
        if each.get("kty") == "RSA":
            key = RSAKey.import_key(each)
            return key if key.raw_value.key_size >= LEAST_RSA_BITS else None
        if each.get("kty") == "EC" and each.get("crv") == "P-256":
            return ECKey.import_key(each)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None
