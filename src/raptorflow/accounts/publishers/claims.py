"""A CI provider's identity token (OpenID Connect), verified. Pure: keys come from `issuers.py`.

What makes a token count: RFC 7519 and 8725 (fixed algorithms, exact issuer, exact audience), and that it is
short-lived, as a stolen one of a year would be a password.
"""

import binascii
from dataclasses import dataclass
from typing import cast

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from raptorflow.accounts.publishers.errors import BuildTokenRefused
from raptorflow.base.json import JsonObject, loads

ALGORITHMS = ["RS256", "ES256"]
LEEWAY_SECONDS = 30
# GitLab's live as long as the job may run, an hour by default.
LONGEST_LIFE_SECONDS = 2 * 3600
LONGEST_TOKEN = 16 * 1024
LONGEST_ID = 255
PARTS = 3
Key = RSAKey | ECKey


@dataclass(frozen=True)
class Unverified:
    """What a token says of itself, to find the key that will tell whether it is true."""

    issuer: str
    key_id: str


def read_unverified(token: str) -> Unverified:
    """Who a token says it is from.

    Raises:
        BuildTokenRefused: it is no token.
    """
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or len(parts) != PARTS:
        raise BuildTokenRefused("What was sent is no identity token.")
    header, claims = _object(parts[0]), _object(parts[1])
    issuer, key_id = claims.get("iss"), header.get("kid")
    if header.get("alg") not in ALGORITHMS:
        raise BuildTokenRefused("The token's algorithm is none of RS256 and ES256.")
    if not isinstance(issuer, str) or not isinstance(key_id, str):
        raise BuildTokenRefused("The token does not name its issuer and key.")
    return Unverified(issuer, key_id)


def verify(token: str, key: Key, issuer: str, audience: str) -> JsonObject:
    """A token's claims, once it is known to be the issuer's, for this server, and of now.

    Raises:
        BuildTokenRefused: it is not.
    """
    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    )
    try:
        claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
        rules.validate(claims)
    except ExpiredTokenError as error:
        raise BuildTokenRefused("The token has expired.") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BuildTokenRefused("The token is not valid: it was not signed as its issuer does.") from error
    _check_use(claims, audience)
    return claims


def _check_use(claims: JsonObject, audience: str) -> None:
    given, ours = claims.get("aud"), (audience, f"{audience}/")
    if given not in (*ours, *([one] for one in ours)):
        message = f"The token is made out to {str(given)[:200]}, and this server is {audience}."
        raise BuildTokenRefused(message)
    begins, ends = claims["iat"], claims["exp"]
    # JSON's readers take NaN for a number, and it is neither early nor late.
    if type(begins) is not int or type(ends) is not int:
        raise BuildTokenRefused("The token does not say in whole seconds when it ends.")
    if ends - begins > LONGEST_LIFE_SECONDS:
        hint = "Shorten the job's time-out: its tokens live as long as the job may."
        raise BuildTokenRefused(
            f"The token lives longer than {LONGEST_LIFE_SECONDS // 3600} hours.", hint=hint
        )
    identifier = claims["jti"]
    if not isinstance(identifier, str) or not 0 < len(identifier) <= LONGEST_ID or "\0" in identifier:
        raise BuildTokenRefused("The token has no id that can be remembered.")


def _object(part: str) -> JsonObject:
    try:
        value = loads(urlsafe_b64decode(part.encode()))
    except (ValueError, binascii.Error) as error:
        raise BuildTokenRefused("What was sent is no identity token.") from error
    if not isinstance(value, dict):
        raise BuildTokenRefused("What was sent is no identity token.")
    return cast(JsonObject, value)
