"""Authentication as a type: an endpoint's signature says who may call it.

async def publish(caller: Annotated[Caller, Depends(Requires("registry:write"))]) -> ...
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.requests import HTTPConnection

from raptorflow.accounts.errors import CrossSiteRefused, RoleTooLow, ScopeMissing
from raptorflow.accounts.identity import Caller, Role
from raptorflow.accounts.service import AccountsService
from raptorflow.base.errors import NotAuthenticated

ACCESS_COOKIE = "rf_access"
REFRESH_COOKIE = "rf_refresh"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


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
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        token = connection.cookies.get(ACCESS_COOKIE, "")
        if not token:
            raise NotAuthenticated("Nobody is signed in.")
        refuse_cross_site(connection)
    return await accounts_of(connection).authenticate(token.strip())


def refuse_cross_site(connection: HTTPConnection) -> None:
    """Cookies are sent by browsers on behalf of any page; only our own pages may change things with them.

    Raises:
        CrossSiteRefused: the request changes something (or opens a socket) and its Origin is not ours.
    """
    if connection.scope.get("method") in SAFE_METHODS:
        return
    origin = connection.headers.get("origin")
    if origin is None or urlsplit(origin).netloc != connection.headers.get("host"):
        raise CrossSiteRefused(f"A request from {origin or 'an unknown page'} was refused.")


SignedIn = Annotated[Caller, Depends(caller_of)]


class Requires:
    """A caller with a scope and, where it matters, a role: `Depends(Requires("registry:write"))`.

    Args:
        scope: `accounts:read`, `registry:write`, ...
        role: the least role in the caller's organisation.
    """

    def __init__(self, scope: str, role: Role = Role.MEMBER) -> None:
        self._scope = scope
        self._role = role

    async def __call__(self, caller: SignedIn) -> Caller:
        """The caller, when allowed.

        Raises:
            ScopeMissing: the token was not given the scope.
            RoleTooLow: the role does not suffice.
        """
        if self._scope not in caller.scopes:
            raise ScopeMissing(f"The token lacks the scope {self._scope}.")
        if not caller.role.at_least(self._role):
            raise RoleTooLow(f"This needs the role {self._role}; yours is {caller.role}.")
        return caller


AccountsRead = Annotated[Caller, Depends(Requires("accounts:read"))]
AccountsWrite = Annotated[Caller, Depends(Requires("accounts:write"))]
AccountsAdmin = Annotated[Caller, Depends(Requires("accounts:write", Role.ADMIN))]
Accounts = Annotated[AccountsService, Depends(accounts_of)]
