"""The published keys: whoever has them can verify the tokens of this server."""

from fastapi import APIRouter, Response

from raptorflow.accounts.permissions import Accounts
from raptorflow.base.json import JsonObject

router = APIRouter(include_in_schema=False)
KEYS_FRESH = "public, max-age=300"


@router.get("/.well-known/jwks.json")
async def jwks(accounts: Accounts, response: Response) -> JsonObject:
    """The keys that verify access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = KEYS_FRESH
    return await accounts.keyring.jwks()
