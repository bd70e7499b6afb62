"""The one error base. An error states a fact, carries a stable code, and says what to do next.

    RaptorFlowError                 500  unexpected-failure
    ├── InvalidInput                422  invalid-input
    ├── NotAuthenticated            401  not-authenticated
    ├── NotPermitted                403  not-permitted
    ├── NotFound                    404  not-found
    ├── Conflict                    409  conflict
    ├── TooLarge                    413  too-large
    ├── RateLimited                 429  rate-limited
    └── PartUnavailable             503  part-unavailable

Rooms subclass these in their own `errors.py` and set `code`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class RaptorFlowError(Exception):
    """A failure that a person can act on; the API renders it as RFC 9457 problem details.

    Args:
        message: the fact, in one sentence, with the names and numbers involved.
        hint: what to do about it; the class's own hint when none is given.
        details: machine-readable extras (JSON-ready values).
    """

    code: ClassVar[str] = "unexpected-failure"
    status: ClassVar[int] = 500
    default_hint: ClassVar[str | None] = None

    def __init__(
        self, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        self.details: dict[str, Any] = dict(details or {})

    @classmethod
    def title(cls) -> str:
        """The code as words: `skill-not-found` -> `Skill not found`."""
        return cls.code.replace("-", " ").capitalize()

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """RFC 9457 problem details (https://www.rfc-editor.org/rfc/rfc9457) as a JSON-ready mapping."""
        document: dict[str, Any] = {
            "type": f"urn:raptorflow:error:{self.code}",
            "title": self.title(),
            "status": self.status,
            "code": self.code,
            "detail": self.message,
        }
        optional = {"hint": self.hint, "instance": instance, "details": self.details or None}
        return document | {key: value for key, value in optional.items() if value is not None}


class InvalidInput(RaptorFlowError):
    """What was sent does not fit; sending it again unchanged fails again."""

    code = "invalid-input"
    status = 422


class NotAuthenticated(RaptorFlowError):
    """The caller is not known."""

    code = "not-authenticated"
    status = 401
    default_hint = "Sign in again, or send a valid token as `Authorization: Bearer ...`."


class NotPermitted(RaptorFlowError):
    """The caller is known and may not do this."""

    code = "not-permitted"
    status = 403


class NotFound(RaptorFlowError):
    """There is no such thing, or the caller may not know of it."""

    code = "not-found"
    status = 404


class Conflict(RaptorFlowError):
    """The thing is in a state that forbids this."""

    code = "conflict"
    status = 409


class TooLarge(RaptorFlowError):
    """A size limit was passed."""

    code = "too-large"
    status = 413


class RateLimited(RaptorFlowError):
    """Too many requests; `details["retry_after_seconds"]` says when to come back."""

    code = "rate-limited"
    status = 429


class PartUnavailable(RaptorFlowError):
    """A part the product needs (database, Valkey, sandbox, model) does not answer or is missing."""

    code = "part-unavailable"
    status = 503
    default_hint = "Run `raptorflow doctor` to see which part is missing and how to mend it."
