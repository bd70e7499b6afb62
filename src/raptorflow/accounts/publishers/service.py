"""Trusted publishing: a build proves who it is by its CI provider's token, and keeps no secret of ours.

A build acts for the administrator who trusted it, as a member: once that person is no administrator of the
organisation any more, its builds publish no more.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from raptorflow.accounts.errors import AccountNotFound
from raptorflow.accounts.identity import Caller, PublishingBuild
from raptorflow.accounts.models import AccessToken, TrustedPublisher
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.publishers.builds import Build, fits, read_build
from raptorflow.accounts.publishers.claims import LEEWAY_SECONDS, read_unverified, verify
from raptorflow.accounts.publishers.errors import (
    BuildTokenUsed,
    IssuerUnknown,
    PublicUrlMissing,
    PublisherKnown,
    PublisherNotTrusted,
)
from raptorflow.accounts.publishers.issuers import Issuers
from raptorflow.accounts.publishers.repository import PublishersRepository
from raptorflow.accounts.publishers.schemas import BuildAccess, NewPublisher, PublisherView
from raptorflow.accounts.tokens.secrets import new_access_token, token_hash
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.telemetry import logger

log = logger(__name__)

LIFE = timedelta(minutes=15)
SCOPES = ("registry:read", "registry:write")


class TrustedPublishing:
    """Publishers and the trade of tokens. Each call is one transaction."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._issuers = Issuers(parts.settings)

    async def mine(self, caller: Caller) -> list[PublisherView]:
        """Whom the caller's organisation trusts."""
        async with self._parts.database.session(caller.org_id) as session:
            found = await PublishersRepository(session).publishers(caller.org_id)
        return [PublisherView.model_validate(row) for row in found]

    async def add(self, caller: Caller, new: NewPublisher) -> PublisherView:
        """Trust a repository's builds.

        What is trusted already, by somebody who is no administrator any more, becomes the caller's.

        Raises:
            IssuerUnknown: the operator takes no tokens from the issuer.
            PublisherKnown: exactly this is trusted already.
        """
        if new.issuer not in self._parts.settings.ci_issuers:
            raise IssuerUnknown(f"This server takes no tokens from {new.issuer}.")
        values = {"id": new_id(), "org_id": caller.org_id, "user_id": caller.user_id, **new.model_dump()}
        async with self._parts.database.session(caller.org_id) as session:
            repository = PublishersRepository(session)
            row = await repository.add(values) or await repository.adopt(values)
        if row is None:
            raise PublisherKnown("The organisation trusts exactly this already.")
        log.info("publisher trusted", org_id=str(caller.org_id), repository=new.repository)
        return PublisherView.model_validate(row)

    async def remove(self, caller: Caller, publisher_id: UUID) -> None:
        """Trust a publisher no more; the organisation's tokens of builds end with it.

        Raises:
            AccountNotFound: there is no such publisher.
        """
        async with self._parts.database.session(caller.org_id) as session:
            if not await PublishersRepository(session).delete(caller.org_id, publisher_id):
                raise AccountNotFound("There is no such publisher.")
        self._parts.forget()

    async def exchange(self, token: str, organisation: str) -> BuildAccess:
        """Trade a CI provider's token for one that publishes.

        Args:
            token: the provider's, made out to this server.
            organisation: the slug of the one to publish for. A build names it, or whoever first trusted a
                stranger's repository would be sent what it publishes.

        Raises:
            PublicUrlMissing: the server does not know its own URL.
            BuildTokenRefused: the token does not hold.
            IssuerNotAllowed: the operator takes no tokens from its issuer.
            IssuerUnavailable: the issuer's keys cannot be had.
            PublisherNotTrusted: the organisation does not trust the build.
        """
        claims = await self._verified(token)
        issuer = str(claims["iss"])
        build, now = read_build(self._parts.settings.ci_issuers[issuer], issuer, claims), utc_now()
        expires_at = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=2 * LEEWAY_SECONDS)
        async with self._parts.database.system_session() as session:
            repository = PublishersRepository(session)
            known = await repository.of_repository(organisation, issuer, build.provenance.repository)
            trusted = [publisher for publisher in known if fits(publisher, build)]
            if not trusted:
                raise _not_trusted(build, organisation)
            if not await repository.use_token(issuer, claims["jti"], expires_at, now):
                raise BuildTokenUsed("The token was traded before.")
            for publisher in trusted:
                # A name can be given up and taken by another: from its first build on, the owner counts.
                publisher.owner_id = build.owner_id
            token, row = _access(trusted, build, now)
            await repository.add_token(row)
        log.info("build trusted", organisation=organisation, **build.provenance.model_dump())
        skills, seconds = (row.build or {})["skills"], int(LIFE.total_seconds())
        return BuildAccess(access_token=token, expires_in=seconds, organisation=organisation, skills=skills)

    async def _verified(self, token: str) -> JsonObject:
        audience = (self._parts.settings.public_url or "").rstrip("/")
        if not audience:
            raise PublicUrlMissing("This server does not know its own URL.")
        told = read_unverified(token)
        return verify(token, await self._issuers.key(told.issuer, told.key_id), told.issuer, audience)


def _not_trusted(build: Build, organisation: str) -> PublisherNotTrusted:
    told = build.provenance
    where = f"environment {told.environment}" if told.environment else "no environment"
    return PublisherNotTrusted(
        f"The organisation {organisation} does not trust {told.workflow} of {told.repository} "
        f"at {told.ref} in {where}."
    )


def _access(trusted: Sequence[TrustedPublisher], build: Build, now: datetime) -> tuple[str, AccessToken]:
    """A token, and the row that keeps its hash; it may publish what any of its publishers allows."""
    named = [each.skill for each in trusted]
    skills = None if None in named else tuple(sorted({name for name in named if name}))
    token = new_access_token()
    row = AccessToken(
        org_id=trusted[0].org_id,
        user_id=trusted[0].user_id,
        name=f"build of {build.provenance.repository}",
        token_hash=token_hash(token),
        scopes=list(SCOPES),
        build=PublishingBuild(provenance=build.provenance, skills=skills).model_dump(mode="json"),
        expires_at=now + LIFE,
        created_at=now,
    )
    return token, row
