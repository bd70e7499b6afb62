"""Personal access tokens, and who a bearer token of either kind speaks for."""

from datetime import datetime, timedelta
from uuid import UUID

from raptorflow.accounts.errors import AccountNotFound, ScopeMissing, TokenRefused
from raptorflow.accounts.identity import ALL_SCOPES, Caller, PublishingBuild, Role
from raptorflow.accounts.models import AccessToken
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.schemas import AccessTokenView, MadeAccessToken, NewAccessToken
from raptorflow.accounts.tokens.recent import believed_until
from raptorflow.accounts.tokens.repository import TokensRepository
from raptorflow.accounts.tokens.secrets import PAT_PREFIX, is_well_formed, new_access_token, token_hash
from raptorflow.base.clock import utc_now
from raptorflow.core.telemetry import logger

log = logger(__name__)

LAST_USED_INTERVAL = timedelta(minutes=1)
A_NEW_ONE = (
    "Start RaptorFlow again: `raptorflow run` gives this machine's command line a new one. "
    "Elsewhere sign in, and make one with POST /api/v1/accounts/tokens."
)


class Tokens:
    """Personal access tokens and authentication. Each call is one transaction."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def authenticate(self, bearer: str) -> Caller:
        """Who a bearer token speaks for; a session's JWT or a personal access token.

        Raises:
            TokenRefused: it is not valid, or not any more.
        """
        if bearer.startswith(PAT_PREFIX):
            return await self._owner(bearer)
        return await self._parts.standings.caller(await self._parts.keyring.verify(bearer))

    async def mine(self, caller: Caller) -> list[AccessTokenView]:
        """The caller's personal access tokens in this organisation."""
        async with self._parts.database.session(caller.org_id) as session:
            found = await TokensRepository(session).access_tokens(caller.org_id, caller.user_id)
        return [AccessTokenView.model_validate(row) for row in found]

    async def create(self, caller: Caller, new: NewAccessToken) -> MadeAccessToken:
        """Make a personal access token for the caller's organisation; only this answer shows it.

        Raises:
            ScopeMissing: a scope is unknown or not the caller's own.
        """
        if not caller.scopes.issuperset(new.scopes):
            known = ", ".join(sorted(caller.scopes))
            raise ScopeMissing("You cannot give a scope that you do not have.", hint=f"You have {known}.")
        token, now, days = new_access_token(), utc_now(), new.expires_in_days
        row = AccessToken(
            org_id=caller.org_id,
            user_id=caller.user_id,
            name=new.name,
            token_hash=token_hash(token),
            scopes=sorted(set(new.scopes)),
            expires_at=now + timedelta(days=days) if days else None,
            created_at=now,
        )
        async with self._parts.database.session(caller.org_id) as session:
            await TokensRepository(session).add(row)
        log.info("access token made", user_id=str(caller.user_id), token_id=str(row.id), scopes=row.scopes)
        return MadeAccessToken(**AccessTokenView.model_validate(row).model_dump(), token=token)

    async def delete(self, caller: Caller, token_id: UUID) -> None:
        """Forget one of the caller's tokens; here at once, elsewhere within seconds.

        Raises:
            AccountNotFound: there is no such token.
        """
        async with self._parts.database.session(caller.org_id) as session:
            repository = TokensRepository(session)
            if not await repository.delete_access_token(caller.org_id, caller.user_id, token_id):
                raise AccountNotFound("There is no such token.")
        self._parts.forget()

    async def renew_local(self, user_id: UUID, org_id: UUID, name: str) -> str:
        """A fresh token for the command line of this machine; those of the same name are forgotten."""
        async with self._parts.database.session(org_id) as session:
            await TokensRepository(session).delete_tokens_named(org_id, user_id, name)
        self._parts.forget()
        caller = Caller(user_id, org_id, Role.OWNER, ALL_SCOPES, "session")
        return (await self.create(caller, NewAccessToken(name=name, scopes=sorted(ALL_SCOPES)))).token

    async def _owner(self, token: str) -> Caller:
        hashed = token_hash(token)
        known = self._parts.token_owners.get(hashed)
        if known:
            return known
        if not is_well_formed(token):
            raise TokenRefused("The access token is not valid.", hint="It is mistyped or cut off.")
        deadline, now = believed_until(), utc_now()
        async with self._parts.database.system_session() as session:
            repository = TokensRepository(session)
            found = await repository.access_token(hashed, now)
            if found is None:
                raise TokenRefused("The access token is not valid.", hint=A_NEW_ONE)
            row, role = found
            if row.build and not Role(role).at_least(Role.ADMIN):
                raise TokenRefused("Whoever trusted this build is no administrator any more.")
            await repository.note_use(row.id, now, LAST_USED_INTERVAL)
        caller = _caller(row, Role(role))
        if not _expires_soon(row, now):
            self._parts.token_owners.put(hashed, caller, deadline)
        return caller


def _caller(row: AccessToken, role: Role) -> Caller:
    """A token's owner; a build acts as a member, whatever the role of who trusted it."""
    build = PublishingBuild.model_validate(row.build) if row.build else None
    scopes = ALL_SCOPES.intersection(row.scopes)
    return Caller(row.user_id, row.org_id, Role.MEMBER if build else role, scopes, "token", build)


def _expires_soon(row: AccessToken, now: datetime) -> bool:
    """Whether a token would end while it is still believed."""
    return row.expires_at is not None and row.expires_at - now < LAST_USED_INTERVAL
