"""What can go wrong with sessions, runs, files and models."""

from uuid import UUID

from raptorflow.base.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    PartUnavailable,
    RaptorFlowError,
    TooLarge,
)
from raptorflow.base.json import JsonObject


class SessionNotFound(NotFound):
    """There is no such session, or it is somebody else's."""

    code = "session-not-found"
    default_hint = "List yours with GET /api/v1/orchestrator/sessions."


class RunNotFound(NotFound):
    """There is no such run, or it is somebody else's."""

    code = "run-not-found"


class FileNotFound(NotFound):
    """There is no such file, or it is somebody else's."""

    code = "file-not-found"
    default_hint = "Upload it again with POST /api/v1/orchestrator/files."


class ActionNotFound(NotFound):
    """The installed skill has no such action."""

    code = "action-not-found"


class SessionBusy(Conflict):
    """New messages keep coming into a session that is to be deleted."""

    code = "session-busy"
    default_hint = "Try again when nobody writes to it."


class MessageTooLarge(TooLarge):
    """A message is longer than the limit."""

    code = "message-too-large"
    default_hint = "Send long texts as a file."


class FileTooLarge(TooLarge):
    """A file is larger than the limit."""

    code = "file-too-large"
    default_hint = "Send a smaller part of it, or raise RAPTORFLOW_ORCHESTRATOR__MAX_FILE_BYTES."


class InvalidUpload(InvalidInput):
    """An upload has no usable name or no content."""

    code = "invalid-upload"


class InvalidFrame(InvalidInput):
    """A WebSocket frame is not a command."""

    code = "invalid-frame"
    default_hint = 'Send JSON such as {"type": "message", "text": "..."}.'


class IdempotencyKeyReused(Conflict):
    """The same key came with another message."""

    code = "idempotency-key-reused"
    default_hint = "Use a fresh key for each message."


class LeaseLost(Conflict):
    """Another worker has the run now; what this one did since its last commit does not count."""

    code = "lease-lost"


class JournalUnavailable(PartUnavailable):
    """PostgreSQL did not take a step; what was not committed did not happen."""

    code = "journal-unavailable"


class RunAbandoned(RaptorFlowError):
    """Worker after worker died over a run."""

    code = "run-abandoned"
    default_hint = "See the workers' logs; send the message again when they are well."


class TrialFailed(RaptorFlowError):
    """A trial's action, or the loading of its skill, came to an error: the run ends with that error.

    Args:
        told: the tool's error: `code`, `message` and perhaps `hint`.
    """

    code = "trial-failed"

    def __init__(self, told: JsonObject) -> None:
        hint = told.get("hint")
        super().__init__(str(told.get("message", "It gave no reason.")), hint=str(hint) if hint else None)
        self.tool_code = str(told.get("code", self.code))


class TooManySteps(RaptorFlowError):
    """A run went on for longer than it may."""

    code = "too-many-steps"
    default_hint = "Ask for less at once, or raise RAPTORFLOW_ORCHESTRATOR__MAX_STEPS."


class ModelUnknown(PartUnavailable):
    """The model's setting names no provider that this program knows."""

    code = "model-unknown"
    default_hint = (
        "Set RAPTORFLOW_MODEL to offline, anthropic:<name>, openai:<name> or openai-compatible:<name>."
    )


class ModelKeyRefused(PartUnavailable):
    """The provider does not accept the key."""

    code = "model-key-refused"
    default_hint = "Set RAPTORFLOW_MODEL_API_KEY to a valid key, and start the worker again."


class ModelUnreachable(PartUnavailable):
    """The model does not answer, or its answer broke off."""

    code = "model-unreachable"
    default_hint = "Check the network and RAPTORFLOW_MODEL_BASE_URL, then send the message again."


class ModelBusy(PartUnavailable):
    """The provider limits the rate, and waiting did not help."""

    code = "model-busy"
    default_hint = "Send the message again later."


class ModelFailed(PartUnavailable):
    """The provider refused the request."""

    code = "model-failed"
    default_hint = "See the provider's message; RAPTORFLOW_MODEL may name a model that the key cannot use."


def no_session(session_id: UUID) -> SessionNotFound:
    """There is none, or it is somebody else's: the answer is the same."""
    return SessionNotFound(f"There is no session {session_id}.")


def no_run(run_id: UUID) -> RunNotFound:
    """There is none, or it is somebody else's: the answer is the same."""
    return RunNotFound(f"There is no run {run_id}.")


def no_file(file_id: UUID) -> FileNotFound:
    """There is none, or it is somebody else's: the answer is the same."""
    return FileNotFound(f"There is no file {file_id}.")
