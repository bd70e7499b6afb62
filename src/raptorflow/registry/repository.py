"""The queries on skills, versions and installations. Each takes the owner, or what was found for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from raptorflow.core.tables import Base
from raptorflow.registry.models import InstallationRow, SkillRow, VersionRow


@dataclass(frozen=True)
class Pinned:
    """An installation with its skill and version."""

    installation: InstallationRow
    skill: SkillRow
    version: VersionRow


@dataclass(frozen=True)
class Listed:
    """A skill in a list.

    Attributes:
        installed_version: the version that the organisation uses, if any.
        updated_at: when a version was last published.
    """

    skill: SkillRow
    installed_version: str | None
    updated_at: datetime


class RegistryRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: Base) -> None:
        """Write a new row."""
        self._session.add(row)
        await self._session.flush()

    async def skill(self, org_id: UUID, namespace: str, name: str, *, lock: bool = False) -> SkillRow | None:
        """A skill the organisation may see."""
        query = select(SkillRow).where(
            SkillRow.namespace == namespace,
            SkillRow.name == name,
            or_(SkillRow.org_id == org_id, SkillRow.visibility == "public"),
        )
        return await self._session.scalar(query.with_for_update() if lock else query)

    async def upsert_skill(self, row: SkillRow) -> SkillRow:
        """The skill of a name, made when there is none; locked until the transaction ends."""
        values = {
            "id": row.id,
            "org_id": row.org_id,
            "namespace": row.namespace,
            "name": row.name,
            "visibility": row.visibility,
            "latest_version": row.latest_version,
            "description": row.description,
        }
        await self._session.execute(
            insert(SkillRow).values(**values).on_conflict_do_nothing(index_elements=["namespace", "name"])
        )
        found = await self.skill(row.org_id, row.namespace, row.name, lock=True)
        return found or row

    async def skills(self, org_id: UUID, after: str | None, limit: int) -> Sequence[Listed]:
        """Skills the organisation may see, by `namespace/name`."""
        ref = SkillRow.namespace + "/" + SkillRow.name
        newest = (
            select(func.max(VersionRow.created_at))
            .where(VersionRow.skill_id == SkillRow.id)
            .scalar_subquery()
        )
        pinned = aliased(VersionRow)
        query = (
            select(SkillRow, pinned.version, func.coalesce(newest, SkillRow.created_at))
            .outerjoin(
                InstallationRow,
                (InstallationRow.skill_id == SkillRow.id) & (InstallationRow.org_id == org_id),
            )
            .outerjoin(pinned, pinned.id == InstallationRow.version_id)
            .where(or_(SkillRow.org_id == org_id, SkillRow.visibility == "public"))
            .order_by(ref)
            .limit(limit)
        )
        rows = await self._session.execute(query.where(ref > after) if after else query)
        return [Listed(row[0], row[1], row[2]) for row in rows]

    async def versions(self, org_id: UUID, skill_id: UUID) -> Sequence[str]:
        """The versions of a skill that the organisation may see, what was published last first."""
        return [row.version for row in await self.history(org_id, skill_id)]

    async def history(self, org_id: UUID, skill_id: UUID) -> Sequence[Row[str, str, datetime]]:
        """`version`, `digest` and `published_at` of the same versions, in the same order."""
        found = await self._session.execute(
            select(VersionRow.version, VersionRow.digest, VersionRow.created_at.label("published_at"))
            .where(VersionRow.skill_id == skill_id, _may_see(org_id))
            .order_by(VersionRow.created_at.desc(), VersionRow.id.desc())
        )
        return found.all()

    async def version(self, org_id: UUID, skill_id: UUID, version: str) -> VersionRow | None:
        """One version of a skill, when the organisation may see it."""
        return await self._session.scalar(
            select(VersionRow).where(
                VersionRow.skill_id == skill_id, VersionRow.version == version, _may_see(org_id)
            )
        )

    async def version_of(self, org_id: UUID, namespace: str, name: str, version: str) -> VersionRow | None:
        """One version of a skill of the organisation, by names."""
        skill = await self.skill(org_id, namespace, name)
        return await self.version(org_id, skill.id, version) if skill else None

    async def put_installation(self, row: InstallationRow) -> None:
        """Install, or move an installation to another version and grant."""
        changed = {
            "version_id": row.version_id,
            "granted": row.granted,
            "installed_by": row.installed_by,
        }
        await self._session.execute(
            insert(InstallationRow)
            .values(id=row.id, org_id=row.org_id, skill_id=row.skill_id, **changed)
            .on_conflict_do_update(index_elements=["org_id", "skill_id"], set_=changed)
        )

    async def remove_installation(self, org_id: UUID, skill_id: UUID) -> bool:
        """Uninstall; False when it was not installed."""
        row = await self._session.scalar(
            select(InstallationRow).where(
                InstallationRow.org_id == org_id, InstallationRow.skill_id == skill_id
            )
        )
        if row:
            await self._session.delete(row)
        return row is not None

    async def installations(self, org_id: UUID) -> Sequence[Pinned]:
        """What an organisation has installed, by name."""
        rows = await self._session.execute(
            _pinned().where(InstallationRow.org_id == org_id).order_by(SkillRow.name, SkillRow.namespace)
        )
        return [_as_pinned(row) for row in rows]

    async def installed(self, org_id: UUID, namespace: str | None, name: str) -> Pinned | None:
        """An installed skill by its name; without a namespace the organisation's own comes first."""
        query = _pinned().where(InstallationRow.org_id == org_id, SkillRow.name == name)
        if namespace:
            query = query.where(SkillRow.namespace == namespace)
        own_first = func.nullif(SkillRow.org_id == org_id, False).asc().nulls_last()
        row = (await self._session.execute(query.order_by(own_first, SkillRow.namespace).limit(1))).first()
        return _as_pinned(row) if row else None


def _may_see(org_id: UUID) -> ColumnElement[bool]:
    return or_(VersionRow.org_id == org_id, VersionRow.visibility == "public")


def _pinned() -> Select[InstallationRow, SkillRow, VersionRow]:
    return (
        select(InstallationRow, SkillRow, VersionRow)
        .join(SkillRow, SkillRow.id == InstallationRow.skill_id)
        .join(VersionRow, VersionRow.id == InstallationRow.version_id)
    )


def _as_pinned(row: Row[InstallationRow, SkillRow, VersionRow]) -> Pinned:
    return Pinned(row[0], row[1], row[2])
