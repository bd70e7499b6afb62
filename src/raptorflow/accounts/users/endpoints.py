"""Oneself, and what an administrator of the server does for others."""

from uuid import UUID

from fastapi import APIRouter, Response

from raptorflow.accounts.browser import API_PATH
from raptorflow.accounts.permissions import Accounts, AccountsRead, AccountsSession, AccountsWrite
from raptorflow.accounts.schemas import EmailChoice, Me, MeChange, NewUser, UserLink

router = APIRouter(prefix=API_PATH, tags=["accounts"])


@router.get("/me")
async def me(caller: AccountsRead, accounts: Accounts) -> Me:
    """The caller."""
    return await accounts.users.me(caller)


@router.patch("/me")
async def change_me(change: MeChange, caller: AccountsWrite, accounts: Accounts) -> Me:
    """Change the caller's name."""
    return await accounts.users.change(caller, change)


@router.post("/users", status_code=201)
async def create_user(
    new: NewUser, caller: AccountsSession, accounts: Accounts, response: Response
) -> UserLink:
    """Make an account (server administrators); hand the one-time link over."""
    return await _link(await accounts.users.create_by(caller, new), accounts, response)


@router.post("/users/links", status_code=201)
async def make_link(
    choice: EmailChoice, caller: AccountsSession, accounts: Accounts, response: Response
) -> UserLink:
    """Make a one-time link for somebody who cannot sign in any more (server administrators)."""
    return await _link(await accounts.users.find_by(caller, choice.email), accounts, response)


async def _link(user_id: UUID, accounts: Accounts, response: Response) -> UserLink:
    response.headers["Cache-Control"] = "no-store"
    return UserLink(user_id=user_id, link_token=await accounts.one_time_link(user_id))
