"""What every table shares: ids that sort by time, aware times, and an owner on each tenant row."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from raptorflow.base.ids import new_id

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base; `dict[str, Any]` columns are JSONB, datetimes carry their zone."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        datetime: DateTime(timezone=True),
        UUID: Uuid(as_uuid=True),
    }


class IdMixin:
    """A UUIDv7 primary key, made by the program."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class CreatedMixin:
    """When the row was made."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OrgMixin:
    """The organisation that owns the row; row-level security compares it with the session's."""

    org_id: Mapped[UUID] = mapped_column(index=True)
