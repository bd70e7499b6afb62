"""The one token issuer of the product: short-lived Ed25519 JWTs and the keys that others verify them with."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import GuestProtocol, OKPKey

from raptorflow.accounts.errors import TokenRefused, UnknownKey
from raptorflow.accounts.identity import ALL_SCOPES, Caller, Role
from raptorflow.base.ids import new_id

ALGORITHM = "Ed25519"
TYPE = "at+jwt"
AUDIENCE = "raptorflow"
CACHED_TOKENS = 4096
LONGEST_TOKEN = 4096
# Clocks of two servers differ a little; a token just issued by one must not be too young for the other.
LEEWAY_SECONDS = 5


@dataclass(frozen=True)
class Session:
    """A verified access token: who calls, by which sign-in, since when (Unix seconds)."""

    caller: Caller
    family: UUID
    issued_at: float
    expires_at: int


class Issuer:
    """Signs and verifies access tokens (RFC 9068).

    Args:
        keys: private keys, the newest last; the newest signs, all verify.
        issuer: the `iss` claim.
        lifetime_seconds: how long a token is valid.
    """

    def __init__(self, keys: Sequence[OKPKey], issuer: str, lifetime_seconds: int) -> None:
        self._signing = keys[-1]
        self._keys = {key.kid: key for key in keys}
        self._issuer = issuer
        self._lifetime = lifetime_seconds
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            nbf={"essential": True},
            sub={"essential": True},
        )
        # Verifying costs a tenth of a millisecond and the same token comes with every request.
        self._verified: dict[str, Session] = {}

    def issue(self, caller: Caller, family: UUID) -> str:
        """An access token for a signed-in caller; `family` is the sign-in it belongs to."""
        moment = time.time()
        now = int(moment)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(caller.user_id),
            "org": str(caller.org_id),
            "role": caller.role.value,
            "scope": " ".join(sorted(caller.scopes)),
            "sid": str(family),
            "iat": now,
            # To the millisecond: a sign-out ends what was issued before it, in the same second too.
            "issued_ms": int(moment * 1000),
            "nbf": now,
            "exp": now + self._lifetime,
            "jti": str(new_id()),
        }
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": TYPE}
        return jwt.encode(header, claims, self._signing, algorithms=[ALGORITHM])

    def verify(self, token: str) -> Session:
        """Who a token speaks for.

        Raises:
            TokenRefused: it was not signed here, is for somebody else, or is too old.
            UnknownKey: it names a key that is not among ours.
        """
        session = self._verified.get(token) or self._verify(token)
        if session.expires_at <= time.time():
            self._verified.pop(token, None)
            raise _expired()
        return session

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {"keys": [key.as_dict(private=False, use="sig", alg=ALGORITHM) for key in self._keys.values()]}

    def _verify(self, token: str) -> Session:
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("The access token is not valid.")
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            self._claims.validate(decoded.claims)
            session = _session(decoded)
        except ExpiredTokenError as error:
            raise _expired() from error
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TokenRefused("The access token is not valid.") from error
        if len(self._verified) >= CACHED_TOKENS:
            self._verified.clear()
        self._verified[token] = session
        return session

    def _key(self, token: GuestProtocol) -> OKPKey:
        """The key a token names. Only ours count: what else its header offers is not looked at."""
        kid = token.headers().get("kid")
        if not isinstance(kid, str) or kid not in self._keys:
            raise UnknownKey("The access token was signed with an unknown key.", hint="Sign in again.")
        return self._keys[kid]


def new_key() -> OKPKey:
    """A fresh Ed25519 key with an id of its own."""
    return OKPKey.generate_key("Ed25519", {"kid": str(new_id())})


def _session(decoded: jwt.Token) -> Session:
    claims = decoded.claims
    if decoded.header.get("typ") != TYPE:
        raise ValueError("not an access token")
    scopes = ALL_SCOPES.intersection(str(claims["scope"]).split())
    caller = Caller(
        UUID(str(claims["sub"])), UUID(str(claims["org"])), Role(claims["role"]), scopes, "session"
    )
    return Session(caller, UUID(str(claims["sid"])), claims["issued_ms"] / 1000, int(claims["exp"]))


def _expired() -> TokenRefused:
    return TokenRefused("The access token has expired.", hint="Refresh it, or sign in again.")
