"""Signing in and out over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Request, Response

from raptorflow.accounts.browser import (
    API_PATH,
    REFRESH_COOKIE,
    answer_session,
    forget_session,
    refuse_cross_site,
    refuse_foreign_page,
)
from raptorflow.accounts.permissions import Accounts, AccountsSession
from raptorflow.accounts.schemas import (
    LinkRedemption,
    NewPassword,
    OrganisationChoice,
    Refresh,
    SignedInAnswer,
    SignIn,
)
from raptorflow.base.errors import NotAuthenticated

router = APIRouter(prefix=API_PATH, tags=["accounts"])
NO_CONTENT = 204
RefreshCookie = Annotated[str | None, Cookie(alias=REFRESH_COOKIE, include_in_schema=False)]


@router.post("/links/redeem")
async def redeem_link(
    link: LinkRedemption, accounts: Accounts, request: Request, response: Response
) -> SignedInAnswer:
    """Sign in by a one-time link, or join by an invitation."""
    refuse_foreign_page(request, accounts.settings)
    pair = await accounts.redeem_link(link.token.get_secret_value())
    return answer_session(pair, request, response, accounts.settings)


@router.post("/sign-in")
async def sign_in(given: SignIn, accounts: Accounts, request: Request, response: Response) -> SignedInAnswer:
    """Sign in by a password."""
    refuse_foreign_page(request, accounts.settings)
    address = request.client.host if request.client else "unknown"
    pair = await accounts.sessions.sign_in(given.email, given.password.get_secret_value(), address)
    return answer_session(pair, request, response, accounts.settings)


@router.post("/refresh")
async def refresh(
    given: Refresh, accounts: Accounts, request: Request, response: Response, cookie: RefreshCookie = None
) -> SignedInAnswer:
    """Renew a session; each refresh token works once."""
    token = _refresh_token(given, cookie, request, accounts)
    if not token:
        raise NotAuthenticated("No refresh token was sent.")
    return answer_session(await accounts.sessions.refresh(token), request, response, accounts.settings)


@router.post("/sign-out", status_code=NO_CONTENT)
async def sign_out(
    given: Refresh, accounts: Accounts, request: Request, response: Response, cookie: RefreshCookie = None
) -> None:
    """End this session."""
    await accounts.sessions.sign_out(_refresh_token(given, cookie, request, accounts))
    forget_session(response)


@router.post("/sign-out-everywhere", status_code=NO_CONTENT)
async def sign_out_everywhere(caller: AccountsSession, accounts: Accounts, response: Response) -> None:
    """End every session of the caller."""
    await accounts.sessions.sign_out_everywhere(caller.user_id)
    forget_session(response)


@router.put("/me/password")
async def set_password(
    change: NewPassword, caller: AccountsSession, accounts: Accounts, request: Request, response: Response
) -> SignedInAnswer:
    """Set or change the caller's password. Every session ends; the answer is a new one."""
    pair = await accounts.sessions.set_password(caller, change)
    return answer_session(pair, request, response, accounts.settings)


@router.post("/organisations/switch")
async def switch_organisation(
    choice: OrganisationChoice,
    caller: AccountsSession,
    accounts: Accounts,
    request: Request,
    response: Response,
    cookie: RefreshCookie = None,
) -> SignedInAnswer:
    """Act for another of the caller's organisations, in a session of its own.

    A browser's session so far ends; a program keeps both.
    """
    pair = await accounts.sessions.switch(caller, choice.organisation_id)
    if cookie and "origin" in request.headers:
        await accounts.sessions.sign_out(cookie)
    return answer_session(pair, request, response, accounts.settings)


def _refresh_token(given: Refresh, cookie: str | None, request: Request, accounts: Accounts) -> str:
    if given.refresh_token:
        return given.refresh_token.get_secret_value()
    refuse_cross_site(request, accounts.settings)
    return cookie or ""
