"""The one token issuer of the product: short-lived Ed25519 JWTs and the keys that others verify them with."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from raptorflow.accounts.errors import TokenRefused
from raptorflow.accounts.identity import ALL_SCOPES, Caller, Role
from raptorflow.base.ids import new_id

ALGORITHM = "Ed25519"
AUDIENCE = "raptorflow"
CACHED_TOKENS = 4096


@dataclass(frozen=True)
class Session:
    """A verified access token: who calls, since when."""

    caller: Caller
    issued_at: float
    expires_at: int


class Issuer:
    """Signs and verifies access tokens.

    Args:
        keys: private keys, the newest last; the newest signs, all verify.
        issuer: the `iss` claim.
        lifetime_seconds: how long a token is valid.
    """

    def __init__(self, keys: Sequence[OKPKey], issuer: str, lifetime_seconds: int) -> None:
        self._signing = keys[-1]
        self._keys = KeySet(list(keys))
        self._issuer = issuer
        self._lifetime = lifetime_seconds
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )
        # Verifying costs a tenth of a millisecond and the same token comes with every request.
        self._verified: dict[str, Session] = {}

    def issue(self, caller: Caller) -> str:
        """An access token for a signed-in caller."""
        moment = time.time()
        now = int(moment)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(caller.user_id),
            "org": str(caller.org_id),
            "role": caller.role.value,
            "iat": now,
            # To the millisecond: a sign-out ends what was issued before it, in the same second too.
            "issued_ms": int(moment * 1000),
            "nbf": now,
            "exp": now + self._lifetime,
            "jti": str(new_id()),
        }
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._signing, algorithms=[ALGORITHM])

    def verify(self, token: str) -> Session:
        """Who a token speaks for.

        Raises:
            TokenRefused: it was not signed here, is for somebody else, or is too old.
        """
        session = self._verified.get(token) or self._verify(token)
        if session.expires_at <= time.time():
            self._verified.pop(token, None)
            raise TokenRefused("The access token has expired.", hint="Refresh it, or sign in again.")
        return session

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {"keys": [key.as_dict(private=False, use="sig", alg=ALGORITHM) for key in self._keys]}

    def _verify(self, token: str) -> Session:
        try:
            decoded = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
            self._claims.validate(decoded.claims)
            claims = decoded.claims
            caller = Caller(
                UUID(claims["sub"]), UUID(claims["org"]), Role(claims["role"]), ALL_SCOPES, "session"
            )
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TokenRefused("The access token is not valid.") from error
        session = Session(caller, claims["issued_ms"] / 1000, int(claims["exp"]))
        if len(self._verified) >= CACHED_TOKENS:
            self._verified.clear()
        self._verified[token] = session
        return session


def new_key() -> OKPKey:
    """A fresh Ed25519 key with an id of its own."""
    return OKPKey.generate_key("Ed25519", {"kid": str(new_id())})
