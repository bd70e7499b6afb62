"""The registry's tables."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from raptorflow.core.tables import Base, CreatedMixin, IdMixin, OrgMixin

DIMENSIONS = 384


class SkillRow(Base, IdMixin, CreatedMixin, OrgMixin):
    """A skill: a name in a namespace, owned by the organisation whose slug the namespace is."""

    __tablename__ = "skills"
    __table_args__ = (UniqueConstraint("namespace", "name"),)

    namespace: Mapped[str]
    name: Mapped[str]
    visibility: Mapped[str]
    latest_version: Mapped[str]
    description: Mapped[str]


class VersionRow(Base, IdMixin, CreatedMixin, OrgMixin):
    """One immutable version; its files are blobs under their SHA-256."""

    __tablename__ = "skill_versions"
    __table_args__ = (UniqueConstraint("skill_id", "version"),)

    skill_id: Mapped[UUID] = mapped_column(ForeignKey("skills.id", ondelete="cascade"))
    visibility: Mapped[str]
    version: Mapped[str]
    digest: Mapped[str]
    description: Mapped[str]
    files: Mapped[list[Any]]
    capabilities: Mapped[dict[str, Any]]
    actions: Mapped[list[Any]]
    lock_digest: Mapped[str | None]
    published_by: Mapped[UUID | None]
    provenance: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class PublishRow(Base, IdMixin, CreatedMixin, OrgMixin):
    """A publish on its way: the archive's blob, the state of the job, and how it ended."""

    __tablename__ = "publishes"
    __table_args__ = (UniqueConstraint("org_id", "idempotency_key"),)

    user_id: Mapped[UUID | None]
    build: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    visibility: Mapped[str]
    install: Mapped[bool]
    archive_key: Mapped[str]
    idempotency_key: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="queued")
    step: Mapped[str | None]
    skill: Mapped[str | None]
    version: Mapped[str | None]
    digest: Mapped[str | None]
    problem: Mapped[dict[str, Any] | None]
    finished_at: Mapped[datetime | None]


class InstallationRow(Base, IdMixin, CreatedMixin, OrgMixin):
    """A skill in use by an organisation, at a pinned version, with what was granted."""

    __tablename__ = "installations"
    __table_args__ = (UniqueConstraint("org_id", "skill_id"),)

    skill_id: Mapped[UUID] = mapped_column(ForeignKey("skills.id", ondelete="cascade"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("skill_versions.id"))
    granted: Mapped[dict[str, Any]]
    installed_by: Mapped[UUID | None]


class SearchDocument(Base, OrgMixin):
    """What is searched of a skill's newest version."""

    __tablename__ = "search_documents"

    skill_id: Mapped[UUID] = mapped_column(ForeignKey("skills.id", ondelete="cascade"), primary_key=True)
    visibility: Mapped[str]
    length: Mapped[int]
    embedding: Mapped[Any] = mapped_column(Vector(DIMENSIONS))


class SearchPosting(Base, OrgMixin):
    """A stem in a document, and how often it stands there, weighted by field."""

    __tablename__ = "search_postings"

    lexeme: Mapped[str] = mapped_column(primary_key=True)
    skill_id: Mapped[UUID] = mapped_column(
        ForeignKey("search_documents.skill_id", ondelete="cascade"), primary_key=True
    )
    visibility: Mapped[str]
    length: Mapped[int]
    frequency: Mapped[float]
