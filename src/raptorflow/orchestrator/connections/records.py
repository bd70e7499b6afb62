"""A connection as a worker works with it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class ConnectedModel:
    """A language model that an organisation has connected; its key is sealed.

    Attributes:
        updated_at: with the id, what tells whether a client made earlier still fits.
    """

    id: UUID
    org_id: UUID
    provider: str
    model: str
    base_url: str | None
    sealed_key: bytes | None = field(repr=False)
    updated_at: datetime
