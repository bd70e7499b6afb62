"""`/docs`: the API's own page, to read and to try it. Nothing of it comes from elsewhere.

FastAPI's page loads Swagger UI from a content network, which a machine without a way out does not reach. Its
files (Swagger UI is Apache-2.0) are in the wheel `fastapi-offline`; the page around them is ours, so that
it needs no script or style of its own inside and can forbid all of them.
"""

from html import escape
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

PATH = "/docs"
FILES = f"{PATH}/files"
START = f"{PATH}/start.js"

HEADERS = {
    # Swagger UI has small pictures as data: URLs, and styles that it writes itself.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{root}{files}/swagger-ui.css">
</head>
<body>
<div id="api" data-document="{root}{document}"><noscript>The API's document is at
<a href="{root}{document}">{root}{document}</a>.</noscript></div>
<script src="{root}{files}/swagger-ui-bundle.js"></script>
<script src="{root}{start}"></script>
</body>
</html>
"""
_START = """\
const place = document.getElementById("api");
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset].filter(Boolean),
});
"""


def install_api_page(app: FastAPI) -> None:
    """Serve the page of an application that was made with `docs_url=None` and `redoc_url=None`."""
    folder = Path(str(files("fastapi_offline"))) / "static"

    @app.get(PATH, include_in_schema=False)
    async def page(request: Request) -> HTMLResponse:
        """The page."""
        root = request.scope.get("root_path", "")
        words = {"title": app.title, "root": root, "document": app.openapi_url or ""}
        html = _PAGE.format(**{name: escape(word) for name, word in words.items()}, files=FILES, start=START)
        return HTMLResponse(html, headers=HEADERS)

    @app.get(START, include_in_schema=False)
    async def start() -> Response:
        """What fills it."""
        return Response(_START, media_type="text/javascript", headers=HEADERS)

    app.mount(FILES, StaticFiles(directory=folder))
