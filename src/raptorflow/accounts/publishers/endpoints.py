"""Trusted publishing over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from raptorflow.accounts.browser import API_PATH
from raptorflow.accounts.permissions import Accounts, AccountsAdmin, AccountsAdminSession
from raptorflow.accounts.publishers.schemas import BuildAccess, BuildIdentity, NewPublisher, PublisherView

router = APIRouter(prefix=API_PATH, tags=["accounts"])


@router.get("/publishers")
async def publishers(caller: AccountsAdmin, accounts: Accounts) -> list[PublisherView]:
    """The repositories whose builds may publish for the organisation."""
    return await accounts.publishers.mine(caller)


@router.post("/publishers", status_code=201)
async def trust_publisher(
    new: NewPublisher, caller: AccountsAdminSession, accounts: Accounts
) -> PublisherView:
    """Let a repository's builds publish for the organisation."""
    return await accounts.publishers.add(caller, new)


@router.delete("/publishers/{publisher_id}", status_code=204)
async def distrust_publisher(publisher_id: UUID, caller: AccountsAdmin, accounts: Accounts) -> None:
    """Trust a publisher no more; the organisation's tokens of builds end with it."""
    await accounts.publishers.remove(caller, publisher_id)


@router.post("/ci/exchange")
async def exchange(identity: BuildIdentity, accounts: Accounts, response: Response) -> BuildAccess:
    """Trade a CI provider's identity token, once, for a token that publishes for 15 minutes."""
    response.headers["Cache-Control"] = "no-store"
    return await accounts.publishers.exchange(identity.token.get_secret_value(), identity.organisation)
