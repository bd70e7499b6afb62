"""Queries on trusted publishers and on the tokens they have used."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.accounts.identity import Role
from raptorflow.accounts.models import AccessToken, BuildToken, Membership, Organisation, TrustedPublisher

MAY_TRUST = (Role.ADMIN.value, Role.OWNER.value)
RULE = ("issuer", "repository", "workflow", "environment", "ref", "skill")


def _is_administrator() -> tuple[ColumnElement[bool], ...]:
    """Whether whoever trusted a publisher is an administrator of its organisation."""
    return (
        Membership.org_id == TrustedPublisher.org_id,
        Membership.user_id == TrustedPublisher.user_id,
        Membership.role.in_(MAY_TRUST),
    )


class PublishersRepository:
    """The queries, over one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def publishers(self, org_id: UUID) -> Sequence[TrustedPublisher]:
        """Whom an organisation trusts, the oldest first."""
        found = await self._session.scalars(
            select(TrustedPublisher).where(TrustedPublisher.org_id == org_id).order_by(TrustedPublisher.id)
        )
        return found.all()

    async def add(self, values: Mapping[str, object]) -> TrustedPublisher | None:
        """Write a publisher; None when exactly this one is there."""
        return await self._session.scalar(
            insert(TrustedPublisher).values(**values).on_conflict_do_nothing().returning(TrustedPublisher)
        )

    async def adopt(self, values: Mapping[str, object]) -> TrustedPublisher | None:
        """Take over a publisher whose administrator is none any more; None when there is no such one."""
        rule = {name: values[name] for name in RULE}
        row = await self._session.scalar(
            select(TrustedPublisher)
            .filter_by(org_id=values["org_id"], **rule)
            .where(~exists().where(*_is_administrator()))
            .with_for_update()
        )
        if row:
            row.user_id = cast(UUID, values["user_id"])
        return row

    async def delete(self, org_id: UUID, publisher_id: UUID) -> bool:
        """Trust a publisher no more, and end the tokens of builds; False when there is no such one."""
        found = await self._session.scalar(
            delete(TrustedPublisher)
            .where(TrustedPublisher.org_id == org_id, TrustedPublisher.id == publisher_id)
            .returning(TrustedPublisher.id)
        )
        await self._session.execute(
            delete(AccessToken).where(AccessToken.org_id == org_id, AccessToken.build.is_not(None))
        )
        return found is not None

    async def of_repository(
        self, organisation: str, issuer: str, repository: str
    ) -> Sequence[TrustedPublisher]:
        """What an organisation, by its slug, trusts of a repository.

        Whoever trusted it has to be an administrator still. It runs before anybody is signed in.
        """
        found = await self._session.scalars(
            select(TrustedPublisher)
            .join(Organisation, Organisation.org_id == TrustedPublisher.org_id)
            .join(Membership, and_(*_is_administrator()))
            .where(
                Organisation.slug == organisation,
                TrustedPublisher.issuer == issuer,
                func.lower(TrustedPublisher.repository) == repository.lower(),
            )
            .order_by(TrustedPublisher.id)
            # Who takes its trust back meanwhile waits, and then ends the token that came of it.
            .with_for_update(of=TrustedPublisher)
        )
        return found.all()

    async def use_token(self, issuer: str, token_id: str, expires_at: datetime, now: datetime) -> bool:
        """Remember a provider's token until it has expired; False when it was used before."""
        await self._session.execute(delete(BuildToken).where(BuildToken.expires_at < now))
        await self._session.execute(
            delete(AccessToken).where(AccessToken.build.is_not(None), AccessToken.expires_at < now)
        )
        values = {"issuer": issuer, "token_id": token_id, "expires_at": expires_at}
        used = await self._session.scalar(
            insert(BuildToken).values(**values).on_conflict_do_nothing().returning(BuildToken.token_id)
        )
        return used is not None

    async def add_token(self, token: AccessToken) -> None:
        """Write a build's access token."""
        self._session.add(token)
        await self._session.flush()
