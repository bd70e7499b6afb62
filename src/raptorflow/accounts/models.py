"""The accounts' tables."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from raptorflow.core.tables import Base, CreatedMixin, IdMixin, OrgMixin


class User(Base, IdMixin, CreatedMixin):
    """A person. `tokens_valid_after` ends every session issued before it."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(default=False)
    personal_org_id: Mapped[UUID]
    tokens_valid_after: Mapped[datetime]


class Organisation(Base, CreatedMixin):
    """A tenant; `org_id` is its own id, so that one rule holds every tenant table."""

    __tablename__ = "organisations"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    is_personal: Mapped[bool] = mapped_column(default=False)


class Membership(Base, IdMixin, CreatedMixin, OrgMixin):
    """A user's role in an organisation."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("org_id", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="cascade"), index=True)
    role: Mapped[str]


class Invitation(Base, IdMixin, CreatedMixin, OrgMixin):
    """A role that waits for the person with an address, by the hash of its link's token."""

    __tablename__ = "invitations"

    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="cascade"))
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OneTimeLink(Base, IdMixin, CreatedMixin):
    """A sign-in link, by the hash of its token."""

    __tablename__ = "one_time_links"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="cascade"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RefreshToken(Base, IdMixin, CreatedMixin):
    """A refresh token: `parent_id` was exchanged for it; all of one sign-in share its family."""

    __tablename__ = "refresh_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="cascade"), index=True)
    active_org_id: Mapped[UUID]
    family: Mapped[UUID] = mapped_column(index=True)
    parent_id: Mapped[UUID | None]
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AccessToken(Base, IdMixin, CreatedMixin, OrgMixin):
    """A personal access token, or that of a `build`, by its hash."""

    __tablename__ = "access_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="cascade"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    build: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class TrustedPublisher(Base, IdMixin, CreatedMixin, OrgMixin):
    """A repository whose builds may publish; `user_id` is the administrator who said so."""

    __tablename__ = "trusted_publishers"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="cascade"), index=True)
    issuer: Mapped[str]
    repository: Mapped[str]
    workflow: Mapped[str]
    environment: Mapped[str | None]
    ref: Mapped[str | None]
    owner_id: Mapped[str | None]
    skill: Mapped[str | None]


class BuildToken(Base):
    """A CI provider's token that was traded; `token_id` is its `jti`."""

    __tablename__ = "build_tokens"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class SigningKey(Base, IdMixin, CreatedMixin):
    """An Ed25519 key: the public half as JWK, the private half encrypted."""

    __tablename__ = "signing_keys"

    public_jwk: Mapped[dict[str, Any]]
    encrypted_private: Mapped[str]
