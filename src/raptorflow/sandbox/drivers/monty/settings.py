"""The branch of the sandbox settings for the pure tier."""

from pydantic import BaseModel, Field

from raptorflow.sandbox.pool.settings import PoolSettings

MIB = 1024 * 1024


class MontySettings(BaseModel):
    """An interpreter of its own for actions that compute and need nothing else."""

    enabled: bool = True
    """Use it for actions that declare it, where it is installed and holds."""
    weaker_boundary: bool = False
    """Use it also where the sandbox in use puts more than this machine's kernel between code and it."""
    max_memory_bytes: int = Field(default=256 * MIB, ge=MIB)
    """Of objects, of one run; a larger limit is cut to this, and what needs more is run in a sandbox."""
    process_bytes: int = Field(default=1024 * MIB, ge=256 * MIB)
    """Address space of the process, which the kernel bounds: for what the interpreter does not count."""
    recursion: int = Field(default=1000, ge=10, le=10_000)
    """Calls within calls."""
    pool: PoolSettings = Field(default_factory=PoolSettings)
    """Interpreters that are kept ready; each is used once."""
