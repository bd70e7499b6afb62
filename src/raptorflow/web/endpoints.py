"""The web interface over HTTP: one page for every address that is not the API's, and its files."""

from html import escape

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from raptorflow.base.errors import NotFound
from raptorflow.web.errors import InterfaceNotBuilt
from raptorflow.web.headers import FOREVER, page_headers
from raptorflow.web.interface import Interface

NOT_PAGES = frozenset(
    {"api", "ws", "mcp", ".well-known", "assets", "docs", "redoc", "openapi.json", "metrics"}
)
"""First parts of addresses that programs ask for: those need a true 404, never a page."""

_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>RaptorFlow</title></head>
<body><main><h1>{title}</h1><p>{message}</p><p>{hint}</p>
<p>The API: <a href="/docs">/docs</a></p></main></body></html>
"""


class Assets(StaticFiles):
    """Files named by their content: whoever has one never asks for it again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = FOREVER
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def install_interface(app: FastAPI, interface: Interface) -> None:
    """Serve the interface at every address that nothing before it has taken."""
    files = Assets(directory=interface.folder / "assets", check_dir=False)
    app.mount("/assets", GZipMiddleware(files, minimum_size=1024))
    app.include_router(_pages(interface))


def _pages(interface: Interface) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/{path:path}")
    async def page(path: str, request: Request) -> Response:
        """The page, a file beside it, or a 404 for programs."""
        first = path.split("/", 1)[0]
        if file := interface.file(path):
            return FileResponse(file, headers={"Cache-Control": "public, max-age=3600"})
        if first in NOT_PAGES or not _wants_page(request):
            raise NotFound(f"There is nothing at {request.url.path}.", hint="See /docs.")
        try:
            built = interface.page()
        except InterfaceNotBuilt as error:
            return _not_built(error)
        return HTMLResponse(built.html, headers=page_headers(built.nonce))

    return router


def _wants_page(request: Request) -> bool:
    """Browsers name HTML; programs ask for anything, or for JSON."""
    return "text/html" in request.headers.get("accept", "")


def _not_built(error: InterfaceNotBuilt) -> HTMLResponse:
    words = {"title": error.title(), "message": error.message, "hint": error.hint or ""}
    html = _NOT_BUILT.format(**{name: escape(text) for name, text in words.items()})
    return HTMLResponse(html, status_code=error.status, headers={"Cache-Control": "no-store"})
