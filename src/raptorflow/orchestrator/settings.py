"""The orchestrator's branch of the settings."""

import os
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr

from raptorflow.skills.capabilities import Capabilities

MIB = 1024 * 1024


def _model_name() -> str:
    return os.environ.get("RAPTORFLOW_MODEL") or "offline"


def _model_base_url() -> str | None:
    return os.environ.get("RAPTORFLOW_MODEL_BASE_URL") or None


def _model_api_key() -> SecretStr | None:
    key = os.environ.get("RAPTORFLOW_MODEL_API_KEY")
    return SecretStr(key) if key else None


class OrchestratorSettings(BaseModel):
    """Sessions, runs and the language model.

    The three settings of the model may also be given by their short names `RAPTORFLOW_MODEL`,
    `RAPTORFLOW_MODEL_BASE_URL` and `RAPTORFLOW_MODEL_API_KEY`.
    """

    model: str = Field(default_factory=_model_name)
    """`offline`, `anthropic:<name>`, `openai:<name>` or `openai-compatible:<name>` (needs the base URL)."""
    model_base_url: str | None = Field(default_factory=_model_base_url)
    """Where the model answers; by default the provider's own address."""
    model_api_key: SecretStr | None = Field(default_factory=_model_api_key)
    """The provider's key; by default its own variable (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`)."""
    model_first_event_seconds: float = Field(default=60.0, gt=0)
    model_request_seconds: float = Field(default=600.0, gt=0)
    model_rate_limit_retries: int = Field(default=3, ge=0, le=20)
    model_max_wait_seconds: float = Field(default=60.0, gt=0)
    """A provider that asks for a longer wait than this ends the run instead."""
    model_local_addresses: bool = False
    """Whether connected models may be on this machine or in its network; `raptorflow run` allows it."""
    model_test_seconds: float = Field(default=60.0, gt=0)
    """What testing a connected model may take."""
    offline_min_score: float = Field(default=0.2, ge=0, le=1)
    """From here the offline model takes a skill for the right one: the greater of the part of the question's
    words that the skill holds and of the similarity of their meaning."""

    context_tokens: int = Field(default=100_000, ge=2_000)
    """The prompt's budget: system text, loaded skills and history, without tool definitions."""
    tool_result_tokens: int = Field(default=8_000, ge=200)
    """A longer tool result is cut for the model; the step keeps the whole."""
    max_active_skills: int = Field(default=5, ge=1, le=50)
    policy: Capabilities | None = None
    """What actions may do at most, whatever was granted; None leaves it to manifest and grant."""
    max_steps: int = Field(default=40, ge=2)
    """Model and tool steps of one run."""
    history_turns: int = Field(default=50, ge=1)
    """Earlier turns read for the prompt."""
    system_text: str | None = None
    """Replaces the built-in system text."""

    cache_dir: Path | None = None
    """Where actions' input files are laid out; a temporary folder when not given."""
    max_message_bytes: int = Field(default=256 * 1024, ge=1024)
    max_file_bytes: int = Field(default=100 * MIB, ge=1)
    max_message_files: int = Field(default=20, ge=0)

    lease_seconds: float = Field(default=30.0, gt=0)
    heartbeat_seconds: float = Field(default=8.0, gt=0)
    poll_seconds: float = Field(default=1.0, gt=0)
    """How often a worker looks for work that no wake-up call announced."""
    concurrency: int = Field(default=32, ge=1)
    """Runs of one worker at a time."""
    max_attempts: int = Field(default=5, ge=1)
    """Workers that may die over one run before it is given up."""
    drain_seconds: float = Field(default=20.0, ge=0)

    delta_seconds: float = Field(default=0.02, ge=0)
    """Text that arrives within this time travels as one delta."""
    live_stream_entries: int = Field(default=2_000, ge=10)
    live_stream_seconds: int = Field(default=900, ge=10)
    socket_seconds: float = Field(default=3600.0, gt=0)
    """After this a WebSocket is closed, to be opened again: its caller is asked for a token anew."""
    socket_queue: int = Field(default=2_000, ge=1)
    """Events that wait for a slow client before it is dropped."""
    stream_poll_seconds: float = Field(default=2.0, gt=0)
    """How often running streams are compared with PostgreSQL, should Valkey have lost something."""
