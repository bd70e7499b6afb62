"""The two plain pages of signing in by a link. No script, no outside resource."""

from html import escape

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · RaptorFlow</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 100vh; margin: 0; }}
main {{ max-width: 26rem; padding: 1rem; }}
button {{ font: inherit; padding: .6rem 1.2rem; border-radius: .5rem; border: 1px solid; cursor: pointer; }}
code {{ font-size: .9em; }}
</style>
</head>
<body><main><h1>{title}</h1>{body}</main></body>
</html>
"""
_FORM = """<p>This link signs you in once.</p>
<form method="post" action="/sign-in"><input type="hidden" name="token" value="{token}">
<button type="submit" autofocus>Sign in</button></form>"""
_DONE = """<p>You are signed in in this browser.</p>
<p>Ask a question in a terminal: <code>raptorflow ask "..." --file data.csv</code>,
or try the API on its <a href="/docs">own page</a>.</p>"""


def sign_in_page(token: str) -> str:
    """The page a one-time link leads to."""
    return _PAGE.format(title="Sign in to RaptorFlow", body=_FORM.format(token=escape(token, quote=True)))


def signed_in_page() -> str:
    """What follows a redeemed link."""
    return _PAGE.format(title="Signed in", body=_DONE)
