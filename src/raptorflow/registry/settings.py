"""The registry's branch of the settings."""

from pathlib import Path

from pydantic import BaseModel, Field

MIB = 1024 * 1024


class RegistrySettings(BaseModel):
    """Publishing, environments and search."""

    data_dir: Path | None = None
    """Where skills and environments are laid out; below the data folder when not given."""
    python: Path | None = None
    """The interpreter that environments are built for; the sandbox's when not given."""
    max_archive_bytes: int = Field(default=50 * MIB, ge=1024)
    build_seconds: float = Field(default=600.0, gt=0)
    """How long resolving or installing a skill's dependencies may take."""
    cached_skills: int = Field(default=2_000, ge=1)
    suggestions: int = Field(default=3, ge=0)
    """Skills that are not installed and may be suggested with a search's answer."""
