"""The plain pages of signing in by a link, and the published keys. No script, no outside resource."""

import base64
import hashlib
from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from raptorflow.accounts.browser import keep_session, refuse_foreign_page
from raptorflow.accounts.permissions import Accounts
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject

router = APIRouter(include_in_schema=False)

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
main { max-width: 26rem; padding: 1rem; }
button { font: inherit; padding: .6rem 1.2rem; border-radius: .5rem; border: 1px solid; cursor: pointer; }
code { font-size: .9em; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · RaptorFlow</title>
<style>{style}</style>
</head>
<body><main><h1>{title}</h1>{body}</main></body>
</html>
"""
_FORM = """<p>This link works once.</p>
<form method="post" action="/sign-in"><input type="hidden" name="token" value="{token}">
<button type="submit" autofocus>Sign in</button></form>"""
_DONE = """<p>You are signed in in this browser.</p>
<p>Ask a question in a terminal: <code>raptorflow ask "..." --file data.csv</code>,
or try the API on its <a href="/docs">own page</a>.</p>"""
_CUT_OFF = """<p>The link's token is missing: open the whole link, up to its end.</p>"""

SECURITY_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    # The link's token stands in the address. Not `no-referrer`: the form's Origin would then be `null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
KEYS_FRESH = "public, max-age=300"


@router.get("/.well-known/jwks.json")
async def jwks(accounts: Accounts, response: Response) -> JsonObject:
    """The keys that verify access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = KEYS_FRESH
    return await accounts.keyring.jwks()


@router.get("/sign-in")
async def show_sign_in(token: str = "") -> HTMLResponse:
    """A page with one button: a link preview that opens the page does not use up the link."""
    form = _FORM.format(token=escape(token, quote=True)) if token else _CUT_OFF
    return _page("Sign in to RaptorFlow", form)


@router.post("/sign-in")
async def redeem_in_browser(
    token: Annotated[str, Form()], accounts: Accounts, request: Request
) -> HTMLResponse:
    """Redeem the link and keep the session in cookies."""
    try:
        refuse_foreign_page(request, accounts.settings)
        pair = await accounts.redeem_link(token)
    except RaptorFlowError as error:
        return _page(error.title(), _failure(error), status=error.status)
    answer = _page("Signed in", _DONE)
    keep_session(pair, request, answer, accounts.settings)
    return answer


def _failure(error: RaptorFlowError) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in (error.message, error.hint) if text)


def _page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    html = _PAGE.format(title=escape(title), style=_STYLE, body=body)
    return HTMLResponse(html, status_code=status, headers=SECURITY_HEADERS)
