"""What can go wrong: all of it is a `RaptorFlowError`, with one sentence and often a hint."""

from collections.abc import Mapping
from typing import Any


class RaptorFlowError(Exception):
    """A failure, in one sentence.

    Args:
        message: the fact.
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConnectionUnknown(RaptorFlowError):
    """Nobody said where the server is, or as whom to call it."""


class ServerUnreachable(RaptorFlowError):
    """No answer came; whether the request took effect is not known."""


class RequestRefused(RaptorFlowError):
    """The server answered with a problem (RFC 9457).

    Attributes:
        code: stable, `skill-not-found`.
        status: the HTTP status.
        details: machine-readable extras.
    """

    def __init__(self, problem: Mapping[str, Any], status: int) -> None:
        message = problem.get("detail") or problem.get("message") or problem.get("title")
        super().__init__(str(message or f"The server said {status}."), problem.get("hint"))
        self.code = str(problem.get("code") or f"http-{status}")
        self.status = status
        self.details: dict[str, Any] = problem.get("details") or {}


class RunFailed(RequestRefused):
    """A run or a publish ended in a failure; `code`, `message` and `hint` say which."""
