"""The pool's branches of the sandbox settings: the queue, and what is kept ready."""

from pydantic import BaseModel, Field, PositiveFloat

MIB = 1024 * 1024


def all_but_a_quarter(most: int) -> int:
    """What one organisation gets of so many, so that others find room: one at least is left, or is given."""
    return max(1, most - max(1, most // 4))


class QueueSettings(BaseModel):
    """Who waits for a sandbox, and how many."""

    tenant_running: int | None = Field(default=None, ge=1)
    """Sandboxes of one organisation at once; all but a quarter of them, so that others find room, when not
    given."""
    tenant_waiting: int = Field(default=64, ge=0)
    """Runs of one organisation that wait at once; one more is refused."""
    max_waiting: int = Field(default=256, ge=0)
    """Runs that wait at once, of all organisations; one more is refused."""
    tenant_weights: dict[str, PositiveFloat] = Field(default_factory=dict[str, PositiveFloat])
    """An organisation of weight 2 gets twice the share of one of weight 1, which is everybody's."""

    def running_cap(self, max_concurrent: int) -> int:
        """How many sandboxes one organisation may have at once."""
        return self.tenant_running or all_but_a_quarter(max_concurrent)


class PoolSettings(BaseModel):
    """Sandboxes that are kept ready, so that a run need not wait for one to be made."""

    min_ready: int = Field(default=0, ge=0)
    """Of each kind that is in use."""
    max_ready: int = Field(default=8, ge=0)
    """Of each kind; 0 keeps none."""
    max_total: int = Field(default=16, ge=0)
    """Of all kinds; those asked for least recently give way."""
    window_seconds: float = Field(default=60.0, gt=0)
    """Over how long the rate of requests is averaged."""
    margin: float = Field(default=1.65, ge=0)
    """Standard deviations kept above the mean demand; 1.65 is enough nineteen times out of twenty."""
    idle_seconds: float = Field(default=300.0, gt=0)
    """A kind that nobody asked for in so long is kept no more."""
    max_age_seconds: float = Field(default=600.0, gt=0)
    """A ready sandbox that is older is replaced."""
    ping_seconds: float = Field(default=0.05, gt=0)
    """What a ready sandbox has to answer in when it is claimed; it is thrown away when it does not."""
    max_snapshots: int = Field(default=4, ge=0, le=64)
    """Frozen sandboxes that are kept of a driver whose sandboxes can go on from them; 0 keeps none. Each
    takes up to as much room on disk as its machine has memory."""
    refill_at_once: int = Field(default=2, ge=1)
    """Sandboxes that are made ahead at the same time."""
    refill_delay_seconds: float = Field(default=0.02, ge=0)
    """How long after a claim the next one is begun, so that making it does not slow the run that claimed."""
    retry_seconds: float = Field(default=1.0, gt=0)
    """The pause after one could not be made ahead; each further pause is twice as long, up to a minute."""
    look_seconds: float = Field(default=1.0, gt=0)
    """How often ages and demand are looked at when nothing happens."""
    spare_memory_bytes: int = Field(default=512 * MIB, ge=0)
    """Nothing is made ahead while the machine has less memory to give."""
    stall_percent: float = Field(default=20.0, gt=0)
    """Nothing is made ahead while programs wait for memory for more of the last ten seconds."""


# For runs that come one by one and seldom, such as a developer's.
NONE_READY = PoolSettings(max_total=0, max_snapshots=0)
