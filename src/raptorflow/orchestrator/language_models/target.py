"""Which model is asked, and where: from the settings, or from a connection."""

from dataclasses import dataclass, field

import httpx2


@dataclass(frozen=True)
class ModelTarget:
    """A provider's model.

    Attributes:
        base_url: where it answers; None is the provider's own address.
        key: the provider's key, empty when there is none.
        client: what carries the requests; None is the client that the provider's library brings.
    """

    provider: str
    name: str
    base_url: str | None
    key: str = field(default="", repr=False)
    client: httpx2.AsyncClient | None = None
