"""The table of connected language models."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from raptorflow.core.tables import Base, CreatedMixin, IdMixin, OrgMixin


class ModelConnectionRow(Base, IdMixin, CreatedMixin, OrgMixin):
    """A language model that an organisation has connected.

    Attributes:
        sealed_key: the provider's key in an envelope of this row; None when it needs none.
        key_hint: the end of the key, for people to tell two apart.
        chosen: whether runs use it; one of an organisation at most.
        updated_at: when what is asked was last changed; being chosen or tested is no change.
        test: the newest test, as `schemas.ModelTest`.
    """

    __tablename__ = "model_connections"

    provider: Mapped[str]
    model: Mapped[str]
    base_url: Mapped[str | None]
    sealed_key: Mapped[bytes | None]
    key_hint: Mapped[str | None]
    chosen: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]
    test: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
