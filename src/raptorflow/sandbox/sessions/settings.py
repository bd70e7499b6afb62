"""The sessions' branch of the settings."""

from pydantic import BaseModel, Field

from raptorflow.sandbox.pool.settings import all_but_a_quarter

KIB = 1024


class SessionSettings(BaseModel):
    """How long a session may last, and how much of it is kept."""

    max_open: int = Field(default=4, ge=0)
    """How many are open at once; each holds a sandbox for all of its life."""
    tenant_open: int | None = Field(default=None, ge=1)
    """Of one organisation at once; all but a quarter of them, so that others find room, when not given."""
    max_seconds: float = Field(default=3600.0, gt=0)
    """After this a session is ended, whatever it does; pauses count."""
    idle_seconds: float = Field(default=600.0, gt=0)
    """After this without a cell, a program or a file a session is ended; pauses do not count."""
    max_cells: int = Field(default=1000, ge=1)
    max_code_bytes: int = Field(default=256 * KIB, ge=1)
    """Of one cell."""
    kept_bytes: int = Field(default=256 * KIB, ge=1024)
    """Of what a cell or a program prints, for each of its two outputs: the beginning and the end."""
    interrupt_seconds: float = Field(default=2.0, gt=0)
    """How long a cell past its time may take to end once interrupted; then its interpreter is ended."""
    start_seconds: float = Field(default=20.0, gt=0)
    """How long an interpreter may take to start."""

    def open_cap(self) -> int:
        """How many one organisation may have open at once."""
        return self.tenant_open or all_but_a_quarter(self.max_open)
