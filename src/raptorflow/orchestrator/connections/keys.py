"""The keys of connections: sealed by the server, opened by the worker."""

from uuid import UUID

from pydantic import SecretStr

from raptorflow.core.crypto import Envelope
from raptorflow.core.errors import SecretUnreadable
from raptorflow.orchestrator.connections.errors import ModelKeyUnreadable
from raptorflow.orchestrator.connections.records import ConnectedModel

PURPOSE = "model keys"
SHOWN = 4
SHOWN_OF = 12
"""Of a shorter key not even the end is shown: it would be too much of it."""


class ModelKeys:
    """Seals and opens keys.

    Args:
        secret: the installation's; without it nothing can be sealed or opened.
    """

    def __init__(self, secret: SecretStr | None) -> None:
        self._envelope = Envelope(secret.get_secret_value(), PURPOSE) if secret else None

    def seal(self, key: SecretStr, org_id: UUID, connection_id: UUID) -> bytes:
        """A key for one connection of one organisation.

        Raises:
            ModelKeyUnreadable: the installation has no secret.
        """
        return self._ready().seal(key.get_secret_value().encode(), org_id, connection_id)

    def open(self, connection: ConnectedModel) -> SecretStr | None:
        """A connection's key; None when it has none.

        Raises:
            ModelKeyUnreadable: it does not open.
        """
        if connection.sealed_key is None:
            return None
        try:
            plain = self._ready().open(connection.sealed_key, connection.org_id, connection.id)
        except SecretUnreadable as error:
            raise ModelKeyUnreadable(f"The key of the model {connection.model} does not open.") from error
        return SecretStr(plain.decode())

    def _ready(self) -> Envelope:
        if self._envelope is None:
            raise ModelKeyUnreadable(
                "RAPTORFLOW_ACCOUNTS__SECRET is not set.",
                hint="Set it to 32 random bytes, or start with `raptorflow run`, which makes one.",
            )
        return self._envelope


def hint_of(key: SecretStr) -> str:
    """The end of a key, for people to tell two apart."""
    value = key.get_secret_value()
    return f"…{value[-SHOWN:]}" if len(value) >= SHOWN_OF else "…"
