"""`AccountsService`: users, organisations, sessions and tokens. Each call is one transaction."""

import time
from datetime import timedelta
from uuid import UUID

from raptorflow.accounts.errors import (
    AccountNotFound,
    EmailTaken,
    LastOwner,
    RoleTooLow,
    ScopeMissing,
    SignInRefused,
    SlugTaken,
    TokenRefused,
    TooManySignIns,
)
from raptorflow.accounts.identity import ALL_SCOPES, Caller, Role
from raptorflow.accounts.issuer import Issuer
from raptorflow.accounts.keyring import load_issuer
from raptorflow.accounts.models import AccessToken, Membership, Organisation, User
from raptorflow.accounts.passwords import check_strength, hash_password, verify_password
from raptorflow.accounts.repository import AccountsRepository
from raptorflow.accounts.schemas import (
    AccessTokenView,
    Invitation,
    MadeAccessToken,
    Me,
    MemberView,
    NewAccessToken,
    NewMember,
    NewOrganisation,
    NewPassword,
    OrganisationView,
    TokenPair,
)
from raptorflow.accounts.secrets import PAT_PREFIX, new_token, token_hash
from raptorflow.accounts.sessions import Sessions
from raptorflow.accounts.settings import AccountsSettings
from raptorflow.base.clock import utc_now
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.ids import new_id
from raptorflow.base.json import JsonObject
from raptorflow.core.db import Database
from raptorflow.core.valkey import Valkey

# How long a removed member or a deleted token may still be believed.
STANDING_SECONDS = 5.0
MAX_CACHED = 10_000
LAST_USED_SECONDS = 60.0


class AccountsService:
    """The facade of the accounts room.

    Args:
        database: where everything is.
        valkey: counts failed sign-ins.
        settings: lifetimes and the secret.
    """

    def __init__(self, database: Database, valkey: Valkey, settings: AccountsSettings) -> None:
        self._database = database
        self._valkey = valkey
        self._settings = settings
        self._issuer: Issuer | None = None
        self._standings: dict[tuple[UUID, UUID], tuple[float, Role, float]] = {}
        self._tokens: dict[str, tuple[float, Caller]] = {}
        self._slugs: dict[UUID, str] = {}

    async def open(self) -> None:
        """Load the signing keys, once, before the first request."""
        if self._issuer is None:
            self._issuer = await load_issuer(self._database, self._settings)

    @property
    def issuer(self) -> Issuer:
        """The token issuer.

        Raises:
            TokenRefused: `open` has not been called.
        """
        if self._issuer is None:
            raise TokenRefused("The signing keys are not loaded yet.")
        return self._issuer

    async def ensure_user(self, email: str, name: str, *, admin: bool = False) -> UUID:
        """The id of the user with an address; made, with a personal organisation, when there is none."""
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            known = await repository.user_by_email(email)
            return known.id if known else await _add_user(repository, email, name, admin=admin)

    async def create_user(self, email: str, name: str, *, admin: bool = False) -> UUID:
        """Make a user and a personal organisation.

        Raises:
            EmailTaken: the address has an account.
        """
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            if await repository.user_by_email(email):
                raise EmailTaken(f"{email} has an account already.")
            return await _add_user(repository, email, name, admin=admin)

    async def ensure_organisation(self, slug: str, name: str) -> UUID:
        """The id of the organisation with a slug; made when there is none."""
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            await repository.add_organisation_once(
                Organisation(org_id=new_id(), slug=slug, name=name, is_personal=False)
            )
            organisation = await repository.organisation_by_slug(slug)
            if organisation is None:
                raise AccountNotFound(f"There is no organisation {slug}.")
            return organisation.org_id

    async def slug_of(self, org_id: UUID) -> str:
        """An organisation's slug: the namespace of its skills.

        Raises:
            AccountNotFound: there is no such organisation.
        """
        if org_id not in self._slugs:
            async with self._database.system_session() as session:
                organisation = await AccountsRepository(session).organisation(org_id)
            if organisation is None:
                raise AccountNotFound("There is no such organisation.")
            self._slugs[org_id] = organisation.slug
        return self._slugs[org_id]

    async def personal_organisation(self, user_id: UUID) -> UUID:
        """The organisation that a user has of their own.

        Raises:
            AccountNotFound: there is no such user.
        """
        async with self._database.system_session() as session:
            return (await _known(AccountsRepository(session), user_id)).personal_org_id

    async def one_time_link(self, user_id: UUID) -> str:
        """A token that signs a user in once."""
        async with self._database.system_session() as session:
            return await Sessions(session, self.issuer, self._settings).make_link(user_id)

    async def redeem_link(self, token: str) -> TokenPair:
        """Sign in by a one-time link.

        Raises:
            LinkSpent: it does not work any more.
        """
        async with self._database.system_session() as session:
            return await Sessions(session, self.issuer, self._settings).redeem_link(token)

    async def sign_in(self, email: str, password: str, address: str) -> TokenPair:
        """Sign in by a password; failures are counted for the account and for the network address.

        Raises:
            SignInRefused: the address or the password is wrong.
            TooManySignIns: too many failures; `details` say when to come back.
        """
        counters = [f"accounts:sign-in:{token_hash(key)}" for key in (email.lower(), address)]
        for counter in counters:
            if int(await self._valkey.get(counter) or 0) >= self._settings.sign_in_attempts:
                raise TooManySignIns(
                    "Too many failed sign-ins.",
                    hint="Wait a few minutes, or use a one-time link.",
                    details={"retry_after_seconds": self._settings.sign_in_window_seconds},
                )
        try:
            async with self._database.system_session() as session:
                return await Sessions(session, self.issuer, self._settings).sign_in(email, password)
        except SignInRefused:
            for counter in counters:
                if await self._valkey.incr(counter) == 1:
                    await self._valkey.expire(counter, self._settings.sign_in_window_seconds)
            raise

    async def refresh(self, token: str) -> TokenPair:
        """Renew a session.

        Raises:
            TokenRefused: the refresh token is not valid any more.
            RefreshReused: it was used before; its session has been ended.
        """
        async with self._database.system_session() as session:
            outcome = await Sessions(session, self.issuer, self._settings).refresh(token)
        if isinstance(outcome, RaptorFlowError):
            raise outcome
        return outcome

    async def sign_out(self, token: str) -> None:
        """End one session."""
        async with self._database.system_session() as session:
            await Sessions(session, self.issuer, self._settings).sign_out(token)

    async def sign_out_everywhere(self, user_id: UUID) -> None:
        """End every session of a user; access tokens stop within seconds."""
        async with self._database.system_session() as session:
            await AccountsRepository(session).end_sessions(user_id, utc_now())
        self._standings.clear()

    async def switch_organisation(self, caller: Caller, org_id: UUID) -> TokenPair:
        """A session that acts for another of the caller's organisations.

        Raises:
            TokenRefused: the caller is no member.
        """
        async with self._database.system_session() as session:
            return await Sessions(session, self.issuer, self._settings).switch(caller.user_id, org_id)

    async def set_password(self, caller: Caller, change: NewPassword) -> None:
        """Set or change the caller's password.

        Raises:
            PasswordTooWeak: it would be guessed.
            SignInRefused: there is a password and the given present one is not it.
        """
        password = change.password.get_secret_value()
        check_strength(password)
        current = change.current_password.get_secret_value() if change.current_password else ""
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            user = await _known(repository, caller.user_id)
            if user.password_hash and not await verify_password(user.password_hash, current):
                raise SignInRefused("The present password is wrong.", hint="Send it as `current_password`.")
            await repository.set_password(user.id, await hash_password(password))

    async def authenticate(self, bearer: str) -> Caller:
        """Who a bearer token speaks for; a session's JWT or a personal access token.

        Raises:
            TokenRefused: it is not valid, or not any more.
        """
        if bearer.startswith(PAT_PREFIX):
            return await self._token_caller(bearer)
        session = self.issuer.verify(bearer)
        role, valid_after = await self._standing(session.caller)
        if session.issued_at < valid_after:
            raise TokenRefused("This session was signed out.", hint="Sign in again.")
        return Caller(session.caller.user_id, session.caller.org_id, role, ALL_SCOPES, "session")

    async def me(self, caller: Caller) -> Me:
        """The caller, with all organisations."""
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            user = await _known(repository, caller.user_id)
            views = [_view(org, role) for org, role in await repository.organisations_of(user.id)]
            return Me(
                id=user.id,
                email=user.email,
                name=user.name,
                is_admin=user.is_admin,
                organisation_id=caller.org_id,
                organisations=views,
            )

    async def create_organisation(self, caller: Caller, new: NewOrganisation) -> OrganisationView:
        """Make an organisation whose owner is the caller.

        Raises:
            SlugTaken: the slug is in use.
        """
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            if await repository.organisation_by_slug(new.slug):
                raise SlugTaken(f"There is an organisation {new.slug} already.", hint="Choose another slug.")
            organisation = Organisation(org_id=new_id(), slug=new.slug, name=new.name, is_personal=False)
            await repository.add(organisation)
            await repository.add(
                Membership(org_id=organisation.org_id, user_id=caller.user_id, role=Role.OWNER)
            )
            return _view(organisation, Role.OWNER)

    async def members(self, caller: Caller) -> list[MemberView]:
        """The members of the caller's organisation."""
        async with self._database.session(caller.org_id) as session:
            found = await AccountsRepository(session).members(caller.org_id)
        return [
            MemberView(user_id=user.id, email=user.email, name=user.name, role=role) for user, role in found
        ]

    async def add_member(self, caller: Caller, new: NewMember) -> Invitation:
        """Take somebody into the caller's organisation; new accounts get a one-time link.

        Raises:
            RoleTooLow: the caller would give a role above their own.
            EmailTaken: the person is a member already.
        """
        if not caller.role.at_least(Role(new.role)):
            raise RoleTooLow(f"A {caller.role} cannot make somebody {new.role}.")
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            known = await repository.user_by_email(new.email)
            user_id = known.id if known else await _add_user(repository, new.email, new.name or new.email)
            if await repository.membership(caller.org_id, user_id):
                raise EmailTaken(f"{new.email} is a member already.")
            await repository.add(Membership(org_id=caller.org_id, user_id=user_id, role=new.role))
            link = None
            if known is None:
                link = await Sessions(session, self.issuer, self._settings).make_link(user_id)
        return Invitation(user_id=user_id, link_token=link)

    async def change_role(self, caller: Caller, user_id: UUID, role: Role | None) -> None:
        """Give a member another role, or none: that removes the member.

        Raises:
            AccountNotFound: there is no such member.
            RoleTooLow: the change reaches above the caller's own role.
            LastOwner: the organisation would be left without an owner.
        """
        async with self._database.session(caller.org_id) as session:
            repository = AccountsRepository(session)
            membership = await repository.membership(caller.org_id, user_id)
            if membership is None:
                raise AccountNotFound("There is no such member.")
            now = Role(membership.role)
            if not (caller.role.at_least(now) and caller.role.at_least(role or Role.MEMBER)):
                raise RoleTooLow(f"A {caller.role} cannot change this role.")
            if now is Role.OWNER and role is not Role.OWNER and await repository.owners(caller.org_id) == 1:
                raise LastOwner("This is the organisation's last owner.")
            if role is None:
                await repository.remove_member(caller.org_id, user_id)
            else:
                membership.role = role
        self._forget()

    async def access_tokens(self, caller: Caller) -> list[AccessTokenView]:
        """The caller's personal access tokens in this organisation."""
        async with self._database.session(caller.org_id) as session:
            found = await AccountsRepository(session).access_tokens(caller.org_id, caller.user_id)
        return [AccessTokenView.model_validate(row) for row in found]

    async def create_access_token(self, caller: Caller, new: NewAccessToken) -> MadeAccessToken:
        """Make a personal access token; only this answer shows it.

        Raises:
            ScopeMissing: a scope is unknown or not the caller's own.
        """
        beyond = set(new.scopes) - caller.scopes
        if beyond:
            raise ScopeMissing(f"You cannot give the scopes {', '.join(sorted(beyond))}.")
        days = new.expires_in_days
        token = new_token(PAT_PREFIX)
        row = AccessToken(
            org_id=caller.org_id,
            user_id=caller.user_id,
            name=new.name,
            token_hash=token_hash(token),
            scopes=sorted(set(new.scopes)),
            expires_at=utc_now() + timedelta(days=days) if days else None,
            created_at=utc_now(),
        )
        async with self._database.session(caller.org_id) as session:
            await AccountsRepository(session).add(row)
        return MadeAccessToken(**AccessTokenView.model_validate(row).model_dump(), token=token)

    async def delete_access_token(self, caller: Caller, token_id: UUID) -> None:
        """Forget one of the caller's tokens; it stops within seconds.

        Raises:
            AccountNotFound: there is no such token.
        """
        async with self._database.session(caller.org_id) as session:
            repository = AccountsRepository(session)
            if not await repository.delete_access_token(caller.org_id, caller.user_id, token_id):
                raise AccountNotFound("There is no such token.")
        self._forget()

    async def local_token(self, user_id: UUID, name: str) -> str:
        """A fresh token for the command line of this machine; those of the same name are forgotten."""
        async with self._database.system_session() as session:
            repository = AccountsRepository(session)
            user = await _known(repository, user_id)
            await repository.delete_tokens_named(user.personal_org_id, user_id, name)
        caller = Caller(user_id, user.personal_org_id, Role.OWNER, ALL_SCOPES, "session")
        scopes = sorted(ALL_SCOPES)
        return (await self.create_access_token(caller, NewAccessToken(name=name, scopes=scopes))).token

    def jwks(self) -> JsonObject:
        """The public keys that verify access tokens."""
        return self.issuer.jwks()

    async def _standing(self, caller: Caller) -> tuple[Role, float]:
        """A member's role and since when sessions are valid, at most a few seconds old."""
        key, now = (caller.org_id, caller.user_id), time.monotonic()
        cached = self._standings.get(key)
        if cached and cached[0] > now:
            return cached[1], cached[2]
        async with self._database.system_session() as session:
            found = await AccountsRepository(session).standing(*key)
        if found is None:
            raise TokenRefused("You are not a member of this organisation any more.")
        role, valid_after = Role(found[0]), found[1].timestamp()
        self._make_room()
        self._standings[key] = (now + STANDING_SECONDS, role, valid_after)
        return role, valid_after

    async def _token_caller(self, token: str) -> Caller:
        hashed, now = token_hash(token), time.monotonic()
        cached = self._tokens.get(hashed)
        if cached and cached[0] > now:
            return cached[1]
        moment = utc_now()
        async with self._database.system_session() as session:
            found = await AccountsRepository(session).access_token(hashed, moment)
            if found is None:
                raise TokenRefused("The access token is not valid.", hint="Make a new one.")
            row, role = found
            if row.last_used_at is None or (moment - row.last_used_at).total_seconds() > LAST_USED_SECONDS:
                row.last_used_at = moment
        scopes = frozenset(str(scope) for scope in row.scopes)
        caller = Caller(row.user_id, row.org_id, Role(role), scopes, "token")
        self._make_room()
        self._tokens[hashed] = (now + STANDING_SECONDS, caller)
        return caller

    def _make_room(self) -> None:
        if len(self._tokens) + len(self._standings) >= MAX_CACHED:
            self._forget()

    def _forget(self) -> None:
        self._tokens.clear()
        self._standings.clear()


async def _known(repository: AccountsRepository, user_id: UUID) -> User:
    user = await repository.user(user_id)
    if user is None:
        raise AccountNotFound("There is no such user.")
    return user


async def _add_user(repository: AccountsRepository, email: str, name: str, *, admin: bool = False) -> UUID:
    user_id, org_id = new_id(), new_id()
    await repository.add(
        User(
            id=user_id,
            email=email.lower(),
            name=name,
            is_admin=admin,
            personal_org_id=org_id,
            tokens_valid_after=utc_now(),
        )
    )
    # The id's end is random: a slug nobody else has, and no address in it.
    slug = f"{_slug_of(email)}-{user_id.hex[-6:]}"
    await repository.add(Organisation(org_id=org_id, slug=slug, name=name, is_personal=True))
    await repository.add(Membership(org_id=org_id, user_id=user_id, role=Role.OWNER))
    return user_id


def _slug_of(email: str) -> str:
    local = email.partition("@")[0].lower()
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in local)
    return "-".join(part for part in kept.split("-") if part) or "user"


def _view(organisation: Organisation, role: str) -> OrganisationView:
    return OrganisationView(
        id=organisation.org_id,
        slug=organisation.slug,
        name=organisation.name,
        is_personal=organisation.is_personal,
        role=role,
    )
