"""Connections as the API shows them. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from raptorflow.base.clock import utc_now
from raptorflow.orchestrator.connections.errors import ModelTestOverdue
from raptorflow.orchestrator.connections.models import ModelConnectionRow
from raptorflow.orchestrator.connections.providers import PROVIDERS
from raptorflow.orchestrator.connections.schemas import (
    ModelConnection,
    ModelInUse,
    ModelProvider,
    ModelTest,
)

OFFLINE = "offline"
GRACE_SECONDS = 60.0
"""What a test may wait for a worker, besides its own time."""


def connection_view(row: ModelConnectionRow, test_seconds: float) -> ModelConnection:
    """A connection without its key; a test that nobody ended has failed."""
    test = ModelTest.model_validate(row.test) if row.test else None
    if test and test.status == "running":
        limit = timedelta(seconds=test_seconds + GRACE_SECONDS)
        if utc_now() - test.tested_at > limit:
            overdue = ModelTestOverdue(f"No worker has ended the test within {limit.total_seconds():g} s.")
            test = ModelTest(status="failed", tested_at=test.tested_at, problem=overdue.problem())
    return ModelConnection.model_validate(
        {
            "id": row.id,
            "provider": row.provider,
            "model": row.model,
            "base_url": row.base_url,
            "key_hint": row.key_hint,
            "chosen": bool(row.chosen),
            "created_at": row.created_at,
            "test": test,
        }
    )


def in_use(rows: Sequence[ModelConnectionRow], default: str) -> ModelInUse:
    """The model of the next run: the chosen connection's, or the one of the settings.

    Args:
        rows: the organisation's connections.
        default: the setting, `provider:name` or `offline`.
    """
    chosen = next((row for row in rows if row.chosen), None)
    if chosen:
        return ModelInUse(
            connection_id=chosen.id,
            provider=chosen.provider,
            model=chosen.model,
            offline=False,
            source="connection",
        )
    provider, _, name = default.partition(":")
    return ModelInUse(
        connection_id=None,
        provider=provider,
        model=name or provider,
        offline=default == OFFLINE,
        source="settings",
    )


def provider_views() -> list[ModelProvider]:
    """The providers that can be connected."""
    return [ModelProvider.model_validate(asdict(provider)) for provider in PROVIDERS.values()]
