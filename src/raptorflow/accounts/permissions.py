"""Authentication as a type: an endpoint's signature says who may call it.

async def publish(caller: Annotated[Caller, Depends(Requires("registry:write"))]) -> ...
"""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from raptorflow.accounts.browser import ACCESS_COOKIE, refuse_cross_site
from raptorflow.accounts.errors import RoleTooLow, ScopeMissing, SessionNeeded
from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.service import AccountsService
from raptorflow.base.errors import NotAuthenticated

# Only to describe it in the API's document: `caller_of` reads the header itself, for WebSockets too.
_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A session's or a personal token.")


def accounts_of(connection: HTTPConnection) -> AccountsService:
    """The accounts facade of the running application."""
    return connection.app.state.accounts


async def caller_of(connection: HTTPConnection) -> Caller:
    """Who calls, by the Authorization header or the browser's cookie; for HTTP and WebSockets.

    Raises:
        NotAuthenticated: no token was sent.
        TokenRefused: the token is not valid.
        CrossSiteRefused: a cookie came with a request from another site.
    """
    accounts = accounts_of(connection)
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        token = connection.cookies.get(ACCESS_COOKIE, "")
        if not token:
            raise NotAuthenticated("Nobody is signed in.")
        refuse_cross_site(connection, accounts.settings)
    return await accounts.authenticate(token.strip())


async def signed_in(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    """Who calls an HTTP endpoint; fails as `caller_of` does."""
    return await caller_of(request)


SignedIn = Annotated[Caller, Depends(signed_in)]


class Requires:
    """A caller with a scope and, where it matters, a role: `Depends(Requires("registry:write"))`.

    Args:
        scope: `accounts:read`, `registry:write`, ...
        role: the least role in the caller's organisation.
        session: whether only a signed-in session will do. A personal access token makes no other
            credentials, or it could outgrow its scopes and its end.
        publishes: whether it is what builds are trusted to do; nothing else that writes is theirs.
    """

    def __init__(
        self, scope: str, role: Role = Role.MEMBER, *, session: bool = False, publishes: bool = False
    ) -> None:
        self._scope = scope
        self._role = role
        self._session = session
        self._is_for_builds = publishes or scope.endswith(":read")

    async def __call__(self, caller: SignedIn) -> Caller:
        """The caller, when allowed.

        Raises:
            ScopeMissing: the token was not given the scope.
            SessionNeeded: the caller came with a personal access token.
            RoleTooLow: the role does not suffice.
        """
        if self._scope not in caller.scopes:
            raise ScopeMissing(f"The token lacks the scope {self._scope}.")
        if caller.build and not self._is_for_builds:
            raise ScopeMissing("A build's token publishes, and does nothing else.")
        if self._session and caller.method != "session":
            raise SessionNeeded("A personal access token cannot do this.")
        if not caller.role.at_least(self._role):
            raise RoleTooLow(f"This needs the role {self._role}; yours is {caller.role}.")
        return caller


AccountsRead = Annotated[Caller, Depends(Requires("accounts:read"))]
AccountsWrite = Annotated[Caller, Depends(Requires("accounts:write"))]
AccountsAdmin = Annotated[Caller, Depends(Requires("accounts:write", Role.ADMIN))]
AccountsSession = Annotated[Caller, Depends(Requires("accounts:write", session=True))]
AccountsAdminSession = Annotated[Caller, Depends(Requires("accounts:write", Role.ADMIN, session=True))]
Accounts = Annotated[AccountsService, Depends(accounts_of)]
