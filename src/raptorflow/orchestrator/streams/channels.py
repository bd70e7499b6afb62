"""The names under which web processes and workers meet in Valkey."""

from uuid import UUID

QUEUE = "orchestrator:queue"
"""A list of run ids: wake-up calls for workers. What is to be done stands in PostgreSQL."""
CANCEL = "orchestrator:cancel"
"""A channel of run ids that somebody wants to end."""
ACCEPTED = "orchestrator:accepted"
"""A channel of `<session id> <run id>`: a session got a new run, perhaps from another window."""


def stream_of(run_id: UUID | str) -> str:
    """The stream that a run's events travel on."""
    return f"orchestrator:run:{run_id}"


def wake_of(process: str) -> str:
    """The stream that ends a web process's own waiting read, so that it reads more streams."""
    return f"orchestrator:wake:{process}"
