"""A build's token publishes and reads; whatever else writes is closed to it, scopes and roles or not."""

import pytest
from tests.ci_issuer import BUILT

from raptorflow.accounts.errors import ScopeMissing
from raptorflow.accounts.identity import ALL_SCOPES, Caller, PublishingBuild, Role
from raptorflow.accounts.permissions import Requires
from raptorflow.base.ids import new_id

# More than any build has: only its being a build must stop it.
BUILD = Caller(
    new_id(), new_id(), Role.OWNER, ALL_SCOPES, "token", PublishingBuild(provenance=BUILT, skills=None)
)


async def test_a_build_may_read_and_publish() -> None:
    assert await Requires("registry:read")(BUILD) is BUILD
    assert await Requires("registry:write", publishes=True)(BUILD) is BUILD


@pytest.mark.parametrize("scope", sorted(scope for scope in ALL_SCOPES if scope.endswith(":write")))
async def test_a_build_may_change_nothing_else(scope: str) -> None:
    with pytest.raises(ScopeMissing, match="publishes, and does nothing else"):
        await Requires(scope)(BUILD)
