"""What every HTTP answer shares: problem details, request ids, metrics and health."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import InvalidInput, NotFound, PartUnavailable, RaptorFlowError
from raptorflow.base.ids import new_id
from raptorflow.core.telemetry import HTTP_REQUESTS, HTTP_SECONDS, logger

log = logger(__name__)

PROBLEM = "application/problem+json"
REQUEST_ID = "x-request-id"
PART_SECONDS = 3.0
"""How long a part may take to say that it is there."""
_ACCEPTABLE_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Check = Callable[[], Awaitable[None]]


class Problem(JSONResponse):
    """An RFC 9457 answer."""

    media_type = PROBLEM


def install_http(app: FastAPI) -> None:
    """Give an application problem details for every failure, request ids and metrics."""
    app.add_exception_handler(RaptorFlowError, _known_failure)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_failure)
    app.add_middleware(RequestContext)


def _answer(request: Request, error: RaptorFlowError, headers: Mapping[str, str] | None = None) -> Problem:
    problem = error.problem(instance=request.url.path)
    problem["request_id"] = structlog.contextvars.get_contextvars().get("request_id")
    extra = dict(headers or {})
    if "retry_after_seconds" in error.details:
        extra["Retry-After"] = str(error.details["retry_after_seconds"])
    return Problem(problem, status_code=error.status, headers=extra)


async def _known_failure(request: Request, error: Exception) -> Response:
    if not isinstance(error, RaptorFlowError):
        return await _unknown_failure(request, error)
    return _answer(request, error)


async def _invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        return await _unknown_failure(request, error)
    fields = [
        {"field": ".".join(str(part) for part in issue["loc"]), "problem": issue["msg"]}
        for issue in error.errors()
    ]
    first = fields[0] if fields else {"field": "body", "problem": "does not fit"}
    message = f"{first['field']}: {first['problem']}"
    return _answer(request, InvalidInput(message, hint="Compare with /docs.", details={"fields": fields}))


class _HttpProblem(RaptorFlowError):
    """What the framework itself refused, such as a wrong method."""

    code = "http-error"


async def _http_failure(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return await _unknown_failure(request, error)
    if error.status_code == NotFound.status:
        return _answer(request, NotFound(f"There is nothing at {request.url.path}.", hint="See /docs."))
    problem = _HttpProblem(str(error.detail)).problem(request.url.path) | {"status": error.status_code}
    return Problem(problem, status_code=error.status_code, headers=error.headers)


async def _unknown_failure(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    hidden = RaptorFlowError(
        "The server failed in a way it did not expect.",
        hint="Search the server's log for the request id.",
    )
    return _answer(request, hidden)


class RequestContext:
    """Binds a request id to every log line, answers with it, measures each request, answers for a crash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request or WebSocket; other scopes pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        request_id = _request_id(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        watch, status = Stopwatch(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((REQUEST_ID.encode(), request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # Answered here and not further out, where the answer would have no request id and no metrics.
            if scope["type"] != "http" or status:
                raise
            answer = await _unknown_failure(Request(scope), error)
            await answer(scope, receive, send_with_id)
        finally:
            _measure(scope, status, watch.elapsed_ms())


def _request_id(scope: Scope) -> str:
    sent = next(
        (value.decode("latin-1") for key, value in scope["headers"] if key == REQUEST_ID.encode()), ""
    )
    return sent if _ACCEPTABLE_REQUEST_ID.fullmatch(sent) else str(new_id())


def _measure(scope: Scope, status: int, elapsed_ms: float) -> None:
    if scope["type"] != "http":
        return
    # The route's template, never the raw path: metrics must not grow with what callers send.
    route = getattr(scope.get("route"), "path", "unmatched")
    HTTP_REQUESTS.labels(scope["method"], route, str(status)).inc()
    HTTP_SECONDS.labels(scope["method"], route).observe(elapsed_ms / 1000)
    log.debug("request", method=scope["method"], route=route, status=status, ms=elapsed_ms)


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`/healthz` (alive), `/readyz` (every part answers) and `/metrics`.

    Args:
        checks: by part, an awaitable that raises `RaptorFlowError` when the part does not answer.
    """
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Every part answers; 503 and the reasons when one does not."""
        states = await asyncio.gather(*(_part_state(name, check) for name, check in checks.items()))
        parts = dict(zip(checks, states, strict=True))
        ready = all(part["status"] == "ok" for part in parts.values())
        body = {"status": "ok" if ready else "unavailable", "parts": parts}
        return JSONResponse(body, status_code=200 if ready else 503)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _part_state(name: str, check: Check) -> dict[str, Any]:
    try:
        async with asyncio.timeout(PART_SECONDS):
            await check()
    except TimeoutError:
        error = PartUnavailable(f"The part `{name}` did not answer within {PART_SECONDS:.0f} s.")
    except RaptorFlowError as found:
        error = found
    else:
        return {"status": "ok"}
    code = error.problem()["code"]
    return {"status": "unavailable", "code": code, "problem": error.message, "hint": error.hint}
