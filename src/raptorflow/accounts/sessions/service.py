"""Signing in by link or password, renewing, switching organisation, signing out."""

from datetime import datetime, timedelta
from uuid import UUID

from raptorflow.accounts.errors import AccountNotFound, LinkSpent, SignInRefused
from raptorflow.accounts.identity import Caller
from raptorflow.accounts.models import OneTimeLink, User
from raptorflow.accounts.parts import Parts
from raptorflow.accounts.schemas import NewPassword, TokenPair
from raptorflow.accounts.sessions.attempts import Attempts
from raptorflow.accounts.sessions.chain import open_chain
from raptorflow.accounts.sessions.passwords import Passwords, check_strength
from raptorflow.accounts.sessions.repository import SessionsRepository
from raptorflow.accounts.tokens.secrets import new_token, token_hash
from raptorflow.base.clock import utc_now
from raptorflow.base.errors import Conflict, RaptorFlowError
from raptorflow.core.telemetry import logger

log = logger(__name__)

MICROSECONDS_OF_A_MILLISECOND = 1000


class Sessions:
    """Sessions. Each call is one transaction, but for the two around the hashing of a password."""

    def __init__(self, parts: Parts, passwords: Passwords) -> None:
        self._parts = parts
        self._passwords = passwords
        self._attempts = Attempts(parts.valkey, parts.settings)

    async def redeem_link(self, token: str) -> TokenPair:
        """Sign in by a one-time link.

        Raises:
            LinkSpent: it was used, is too old, or was never made.
        """
        async with open_chain(self._parts) as (session, chain):
            repository = SessionsRepository(session)
            user_id = await repository.spend_link(token_hash(token), utc_now())
            user = await repository.user(user_id) if user_id else None
            if user is None:
                raise LinkSpent("This sign-in link does not work any more.")
            pair = await chain.begin(user.id, user.personal_org_id)
        log.info("signed in by link", user_id=str(user.id))
        return pair

    async def sign_in(self, email: str, password: str, address: str) -> TokenPair:
        """Sign in by a password.

        Raises:
            SignInRefused: the address or the password is wrong.
            TooManySignIns: too many failures; `details` say when to come back.
        """
        async with self._attempts.counted(email.lower(), address):
            user = await self._user_by_email(email)
            known_hash = user.password_hash if user else None
            if not await self._passwords.verify(known_hash, password) or user is None or known_hash is None:
                log.warning("sign-in refused", user_id=str(user.id) if user else None, address=address)
                raise SignInRefused("The address or the password is wrong.")
        fresh = await self._passwords.hash(password) if self._passwords.is_outdated(known_hash) else None
        async with open_chain(self._parts) as (session, chain):
            repository = SessionsRepository(session)
            if not await repository.still_has_password(user.id, known_hash):
                raise SignInRefused("The password was changed a moment ago.")
            if fresh:
                await repository.set_password_hash(user.id, known_hash, fresh)
            pair = await chain.begin(user.id, user.personal_org_id)
        log.info("signed in by password", user_id=str(user.id), address=address)
        return pair

    async def refresh(self, token: str) -> TokenPair:
        """Renew a session.

        Raises:
            TokenRefused: the refresh token is not valid any more.
            RefreshReused: it was used before; its session has been ended.
        """
        async with open_chain(self._parts) as (_, chain):
            outcome = await chain.renew(token)
        if isinstance(outcome, RaptorFlowError):
            self._parts.forget()
            log.warning("refresh token reused")
            raise outcome
        return outcome

    async def switch(self, caller: Caller, org_id: UUID) -> TokenPair:
        """A session that acts for another of the caller's organisations.

        Raises:
            AccountNotFound: the caller has no such organisation.
        """
        async with open_chain(self._parts) as (session, chain):
            if await SessionsRepository(session).role(org_id, caller.user_id) is None:
                raise AccountNotFound("You have no such organisation.")
            return await chain.begin(caller.user_id, org_id)

    async def sign_out(self, token: str) -> None:
        """End the session of a refresh token; its access tokens stop within seconds."""
        async with open_chain(self._parts) as (_, chain):
            await chain.end(token)
        self._parts.forget()

    async def sign_out_everywhere(self, user_id: UUID) -> None:
        """End every session of a user; personal access tokens are not sessions and stay."""
        async with self._parts.database.system_session() as session:
            await SessionsRepository(session).end_sessions(user_id, _moment())
        self._parts.forget()
        log.info("signed out everywhere", user_id=str(user_id))

    async def set_password(self, caller: Caller, change: NewPassword) -> TokenPair:
        """Set or change the caller's password; every session ends but the one that is returned.

        Raises:
            PasswordTooWeak: it would be guessed.
            SignInRefused: there is a password and the given present one is not it.
            TooManySignIns: the present one was guessed at too often.
        """
        user = await self._user(caller.user_id)
        password = change.password.get_secret_value()
        check_strength(password, email=user.email)
        if user.password_hash:
            await self._check_current(user, change)
        fresh = await self._passwords.hash(password)
        async with open_chain(self._parts) as (session, chain):
            repository = SessionsRepository(session)
            if not await repository.set_password_hash(user.id, user.password_hash, fresh):
                raise Conflict("The password was just changed by another request.", hint="Sign in again.")
            await repository.end_sessions(user.id, _moment())
            pair = await chain.begin(user.id, caller.org_id)
        self._parts.forget()
        log.info("password changed", user_id=str(user.id))
        return pair

    async def make_link(self, user_id: UUID) -> str:
        """A token that signs a user in once.

        Raises:
            AccountNotFound: there is no such user.
        """
        token = new_token()
        expires_at = utc_now() + timedelta(seconds=self._parts.settings.link_seconds)
        await self._user(user_id)
        async with self._parts.database.system_session() as session:
            await SessionsRepository(session).add(
                OneTimeLink(user_id=user_id, token_hash=token_hash(token), expires_at=expires_at)
            )
        return token

    async def forget_expired(self) -> None:
        """Delete links and refresh tokens that have ended."""
        async with self._parts.database.system_session() as session:
            await SessionsRepository(session).forget_expired(utc_now())

    async def _check_current(self, user: User, change: NewPassword) -> None:
        current = change.current_password.get_secret_value() if change.current_password else ""
        async with self._attempts.counted(f"present password of {user.id}", None):
            if not await self._passwords.verify(user.password_hash, current):
                raise SignInRefused("The present password is wrong.", hint="Send it as `current_password`.")

    async def _user(self, user_id: UUID) -> User:
        async with self._parts.database.system_session() as session:
            user = await SessionsRepository(session).user(user_id)
        if user is None:
            raise AccountNotFound("There is no such user.")
        return user

    async def _user_by_email(self, email: str) -> User | None:
        async with self._parts.database.system_session() as session:
            return await SessionsRepository(session).user_by_email(email)


def _moment() -> datetime:
    """Now, to the millisecond, as access tokens say when they were issued."""
    now = utc_now()
    return now.replace(microsecond=now.microsecond // 1000 * MICROSECONDS_OF_A_MILLISECOND)
