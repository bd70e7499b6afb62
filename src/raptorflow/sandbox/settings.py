"""The sandbox's branch of the settings."""

from pathlib import Path

from pydantic import BaseModel, Field

MIB = 1024 * 1024


class SandboxSettings(BaseModel):
    """How skills are held."""

    driver: str = "local"
    allow_supervised: bool = False
    """Run also where the kernel cannot hold memory and processes for this user, and only supervision does."""
    python: Path | None = None
    """The interpreter inside; a system Python of 3.11 or later when not given."""
    max_concurrent: int = Field(default=8, ge=1)
    max_artifact_bytes: int = Field(default=10 * MIB, ge=1)
    max_artifacts_bytes: int = Field(default=100 * MIB, ge=1)
    max_artifacts: int = Field(default=100, ge=0)
