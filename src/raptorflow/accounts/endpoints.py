"""The accounts' API, put together."""

from fastapi import APIRouter

from raptorflow.accounts.organisations.endpoints import router as organisations
from raptorflow.accounts.published_keys import router as keys
from raptorflow.accounts.publishers.endpoints import router as publishers
from raptorflow.accounts.sessions.endpoints import router as sessions
from raptorflow.accounts.tokens.endpoints import router as tokens
from raptorflow.accounts.users.endpoints import router as users

router = APIRouter()
for _part in (sessions, users, tokens, organisations, publishers, keys):
    router.include_router(_part)
