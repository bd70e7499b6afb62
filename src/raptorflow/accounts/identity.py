"""Who calls: the one type that every endpoint's signature names."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID


class Role(StrEnum):
    """What a member may do in an organisation; a later one may do all that an earlier one may."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    def at_least(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


ALL_SCOPES = frozenset(
    f"{area}:{verb}" for area in ("accounts", "registry", "orchestrator") for verb in ("read", "write")
)
"""What a personal access token can be limited to; a session has all of them."""


@dataclass(frozen=True)
class Caller:
    """A known caller, acting for one organisation.

    Attributes:
        org_id: whose rows the request sees.
        method: `session` (signed in) or `token` (personal access token).
    """

    user_id: UUID
    org_id: UUID
    role: Role
    scopes: frozenset[str]
    method: Literal["session", "token"]
