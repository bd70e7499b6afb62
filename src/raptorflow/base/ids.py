"""Identifiers: UUID version 7 (RFC 9562), so that ids sort by time and index well."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh UUIDv7; ids made later in one process sort after earlier ones."""
    return uuid_utils.compat.uuid7()
