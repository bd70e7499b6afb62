"""What is special about browsers: cookies, and pages of other sites that make them send requests.

A request with an `Origin` header comes from a page. A page of ours keeps its session in cookies that no
script can read and never sees a token; a program without an `Origin` gets tokens and no cookies.
"""

from urllib.parse import urlsplit

from fastapi import Response
from fastapi.requests import HTTPConnection

from raptorflow.accounts.errors import CrossSiteRefused
from raptorflow.accounts.schemas import SignedInAnswer, TokenPair
from raptorflow.accounts.settings import AccountsSettings

ACCESS_COOKIE = "rf_access"
REFRESH_COOKIE = "rf_refresh"
API_PATH = "/api/v1/accounts"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def refuse_cross_site(connection: HTTPConnection, settings: AccountsSettings) -> None:
    """Cookies are sent by browsers on behalf of any page; only our own pages may change things with them.

    Raises:
        CrossSiteRefused: the request changes something (or opens a socket) and its Origin is not ours.
    """
    if connection.scope.get("method") in SAFE_METHODS:
        return
    origin = connection.headers.get("origin")
    if origin is None or not _is_ours(origin, connection, settings):
        raise CrossSiteRefused("A request from another site's page was refused.")


def refuse_foreign_page(connection: HTTPConnection, settings: AccountsSettings) -> None:
    """Nobody is signed in by a page of another site (to an account of its choice).

    Raises:
        CrossSiteRefused: the request comes from such a page.
    """
    if "origin" in connection.headers:
        refuse_cross_site(connection, settings)


def answer_session(
    pair: TokenPair, connection: HTTPConnection, response: Response, settings: AccountsSettings
) -> SignedInAnswer:
    """A session for a program, or, with cookies, for a page of ours."""
    response.headers["Cache-Control"] = "no-store"
    if "origin" not in connection.headers:
        return SignedInAnswer.model_validate(pair.model_dump())
    keep_session(pair, connection, response, settings)
    return SignedInAnswer(access_token=None, refresh_token=None, expires_in=pair.expires_in)


def keep_session(
    pair: TokenPair, connection: HTTPConnection, response: Response, settings: AccountsSettings
) -> None:
    """Let the browser keep a session."""
    public = settings.public_url or ""
    secure = connection.url.scheme in {"https", "wss"} or public.startswith("https:")
    cookies = (
        (ACCESS_COOKIE, pair.access_token, "/", pair.expires_in),
        (REFRESH_COOKIE, pair.refresh_token, API_PATH, settings.refresh_seconds),
    )
    for name, value, path, seconds in cookies:
        response.set_cookie(
            name, value, max_age=seconds, path=path, httponly=True, samesite="lax", secure=secure
        )


def forget_session(response: Response) -> None:
    """Let the browser forget its session."""
    response.delete_cookie(ACCESS_COOKIE, httponly=True, samesite="lax")
    response.delete_cookie(REFRESH_COOKIE, path=API_PATH, httponly=True, samesite="lax")


def _is_ours(origin: str, connection: HTTPConnection, settings: AccountsSettings) -> bool:
    """Whether a page is of the host that was asked, or of the public address before a proxy."""
    page = urlsplit(origin.lower())
    public = urlsplit((settings.public_url or "").lower())
    host = connection.headers.get("host", "").lower()
    return bool(page.netloc) and (
        page.netloc == host or (page.scheme, page.netloc) == (public.scheme, public.netloc)
    )
