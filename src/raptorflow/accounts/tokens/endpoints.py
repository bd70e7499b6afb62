"""Personal access tokens over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from raptorflow.accounts.browser import API_PATH
from raptorflow.accounts.permissions import Accounts, AccountsRead, AccountsSession, AccountsWrite
from raptorflow.accounts.schemas import AccessTokenView, MadeAccessToken, NewAccessToken

router = APIRouter(prefix=API_PATH, tags=["accounts"])


@router.get("/tokens")
async def access_tokens(caller: AccountsRead, accounts: Accounts) -> list[AccessTokenView]:
    """The caller's personal access tokens in this organisation."""
    return await accounts.tokens.mine(caller)


@router.post("/tokens", status_code=201)
async def create_access_token(
    new: NewAccessToken, caller: AccountsSession, accounts: Accounts, response: Response
) -> MadeAccessToken:
    """Make a personal access token; only this answer shows it."""
    response.headers["Cache-Control"] = "no-store"
    return await accounts.tokens.create(caller, new)


@router.delete("/tokens/{token_id}", status_code=204)
async def delete_access_token(token_id: UUID, caller: AccountsWrite, accounts: Accounts) -> None:
    """Forget one of the caller's tokens."""
    await accounts.tokens.delete(caller, token_id)
