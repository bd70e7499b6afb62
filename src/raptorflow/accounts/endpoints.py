"""The accounts' API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Form, Request, Response
from fastapi.responses import HTMLResponse

from raptorflow.accounts.identity import Role
from raptorflow.accounts.pages import SECURITY_HEADERS, sign_in_page, signed_in_page
from raptorflow.accounts.permissions import (
    ACCESS_COOKIE,
    REFRESH_COOKIE,
    Accounts,
    AccountsAdmin,
    AccountsRead,
    AccountsWrite,
    refuse_cross_site,
)
from raptorflow.accounts.schemas import (
    AccessTokenView,
    Invitation,
    LinkRedemption,
    MadeAccessToken,
    Me,
    MemberView,
    NewAccessToken,
    NewMember,
    NewOrganisation,
    NewPassword,
    OrganisationChoice,
    OrganisationView,
    Refresh,
    RoleChange,
    SignIn,
    TokenPair,
)
from raptorflow.base.errors import NotAuthenticated
from raptorflow.base.json import JsonObject

api = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
pages = APIRouter(include_in_schema=False)
REFRESH_PATH = "/api/v1/accounts"
NO_CONTENT = 204
RefreshCookie = Annotated[str | None, Cookie(alias=REFRESH_COOKIE)]


@api.post("/links/redeem")
async def redeem_link(
    link: LinkRedemption, accounts: Accounts, request: Request, response: Response
) -> TokenPair:
    """Sign in by a one-time link."""
    pair = await accounts.redeem_link(link.token.get_secret_value())
    return _with_cookies(pair, request, response)


@api.post("/sign-in")
async def sign_in(given: SignIn, accounts: Accounts, request: Request, response: Response) -> TokenPair:
    """Sign in by a password."""
    address = request.client.host if request.client else "unknown"
    pair = await accounts.sign_in(given.email, given.password.get_secret_value(), address)
    return _with_cookies(pair, request, response)


@api.post("/refresh")
async def refresh(
    given: Refresh, accounts: Accounts, request: Request, response: Response, cookie: RefreshCookie = None
) -> TokenPair:
    """Renew a session; each refresh token works once."""
    if given.refresh_token is None:
        refuse_cross_site(request)
    token = given.refresh_token.get_secret_value() if given.refresh_token else cookie
    if not token:
        raise NotAuthenticated("No refresh token was sent.")
    return _with_cookies(await accounts.refresh(token), request, response)


@api.post("/sign-out", status_code=NO_CONTENT)
async def sign_out(
    given: Refresh, accounts: Accounts, request: Request, response: Response, cookie: RefreshCookie = None
) -> None:
    """End this session."""
    if given.refresh_token is None:
        refuse_cross_site(request)
    token = given.refresh_token.get_secret_value() if given.refresh_token else cookie
    await accounts.sign_out(token or "")
    _forget_cookies(response)


@api.post("/sign-out-everywhere", status_code=NO_CONTENT)
async def sign_out_everywhere(caller: AccountsWrite, accounts: Accounts, response: Response) -> None:
    """End every session of the caller."""
    await accounts.sign_out_everywhere(caller.user_id)
    _forget_cookies(response)


@api.get("/me")
async def me(caller: AccountsRead, accounts: Accounts) -> Me:
    """The caller."""
    return await accounts.me(caller)


@api.put("/me/password", status_code=NO_CONTENT)
async def set_password(change: NewPassword, caller: AccountsWrite, accounts: Accounts) -> None:
    """Set or change the caller's password."""
    await accounts.set_password(caller, change)


@api.get("/tokens")
async def access_tokens(caller: AccountsRead, accounts: Accounts) -> list[AccessTokenView]:
    """The caller's personal access tokens in this organisation."""
    return await accounts.access_tokens(caller)


@api.post("/tokens", status_code=201)
async def create_access_token(
    new: NewAccessToken, caller: AccountsWrite, accounts: Accounts
) -> MadeAccessToken:
    """Make a personal access token; only this answer shows it."""
    return await accounts.create_access_token(caller, new)


@api.delete("/tokens/{token_id}", status_code=NO_CONTENT)
async def delete_access_token(token_id: UUID, caller: AccountsWrite, accounts: Accounts) -> None:
    """Forget one of the caller's tokens."""
    await accounts.delete_access_token(caller, token_id)


@api.post("/organisations", status_code=201)
async def create_organisation(
    new: NewOrganisation, caller: AccountsWrite, accounts: Accounts
) -> OrganisationView:
    """Make an organisation; the caller becomes its owner."""
    return await accounts.create_organisation(caller, new)


@api.post("/organisations/switch")
async def switch_organisation(
    choice: OrganisationChoice,
    caller: AccountsWrite,
    accounts: Accounts,
    request: Request,
    response: Response,
) -> TokenPair:
    """Act for another of the caller's organisations."""
    pair = await accounts.switch_organisation(caller, choice.organisation_id)
    return _with_cookies(pair, request, response)


@api.get("/members")
async def members(caller: AccountsRead, accounts: Accounts) -> list[MemberView]:
    """The members of the caller's organisation."""
    return await accounts.members(caller)


@api.post("/members", status_code=201)
async def add_member(new: NewMember, caller: AccountsAdmin, accounts: Accounts) -> Invitation:
    """Take somebody in."""
    return await accounts.add_member(caller, new)


@api.put("/members/{user_id}", status_code=NO_CONTENT)
async def change_role(user_id: UUID, change: RoleChange, caller: AccountsAdmin, accounts: Accounts) -> None:
    """Give a member another role."""
    await accounts.change_role(caller, user_id, Role(change.role))


@api.delete("/members/{user_id}", status_code=NO_CONTENT)
async def remove_member(user_id: UUID, caller: AccountsAdmin, accounts: Accounts) -> None:
    """End a membership."""
    await accounts.change_role(caller, user_id, None)


@pages.get("/.well-known/jwks.json")
async def jwks(accounts: Accounts) -> JsonObject:
    """The keys that verify access tokens (RFC 7517)."""
    return accounts.jwks()


@pages.get("/sign-in")
async def show_sign_in(token: str = "") -> HTMLResponse:
    """A page with one button: a link preview that opens the page does not use up the link."""
    return HTMLResponse(sign_in_page(token), headers=SECURITY_HEADERS)


@pages.post("/sign-in")
async def redeem_in_browser(
    token: Annotated[str, Form()], accounts: Accounts, request: Request
) -> HTMLResponse:
    """Redeem the link and keep the session in cookies."""
    pair = await accounts.redeem_link(token)
    answer = HTMLResponse(signed_in_page(), headers=SECURITY_HEADERS)
    _with_cookies(pair, request, answer)
    return answer


def _with_cookies(pair: TokenPair, request: Request, response: Response) -> TokenPair:
    secure = request.url.scheme == "https"
    response.set_cookie(
        ACCESS_COOKIE,
        pair.access_token,
        max_age=pair.expires_in,
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    response.set_cookie(
        REFRESH_COOKIE, pair.refresh_token, path=REFRESH_PATH, httponly=True, samesite="lax", secure=secure
    )
    response.headers["Cache-Control"] = "no-store"
    return pair


def _forget_cookies(response: Response) -> None:
    response.delete_cookie(ACCESS_COOKIE)
    response.delete_cookie(REFRESH_COOKIE, path=REFRESH_PATH)


router = APIRouter()
router.include_router(api)
router.include_router(pages)
