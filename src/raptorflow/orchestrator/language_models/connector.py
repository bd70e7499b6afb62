"""Makes an asker of a connection: opens its key, builds its client. A worker has one connector."""

from raptorflow.base.errors import RaptorFlowError
from raptorflow.core.dialing import GuardedTransport
from raptorflow.orchestrator.connections.keys import ModelKeys
from raptorflow.orchestrator.connections.records import ConnectedModel
from raptorflow.orchestrator.errors import ModelFailed, ModelKeyRefused, ModelUnreachable
from raptorflow.orchestrator.language_models.asking import Asker, Wording
from raptorflow.orchestrator.language_models.dialing import client_for, model_network
from raptorflow.orchestrator.language_models.factory import build_target
from raptorflow.orchestrator.language_models.target import ModelTarget
from raptorflow.orchestrator.settings import OrchestratorSettings

OWN_ADDRESSES = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
"""Said, because the providers' libraries would take the operator's from the environment."""
HINTS: dict[type[RaptorFlowError], str] = {
    ModelKeyRefused: "Enter a valid key for this model in the web interface under Settings.",
    ModelUnreachable: "Check the model's address in the web interface under Settings, then try again.",
    ModelFailed: "See the provider's message; the key may not be allowed to use this model.",
}


class Connector:
    """Makes askers.

    Args:
        settings: deadlines and retries, and whether local addresses are allowed.
        keys: opens the connections' keys.
    """

    def __init__(self, settings: OrchestratorSettings, keys: ModelKeys) -> None:
        self._settings = settings
        self._keys = keys
        self._transport = GuardedTransport(model_network(local=settings.model_local_addresses))

    def asker(self, connection: ConnectedModel, settings: OrchestratorSettings | None = None) -> Asker:
        """An asker; to be called in a thread, because a provider's library may have to be loaded.

        Args:
            connection: what to ask.
            settings: deadlines and retries, when they are others than the worker's.

        Raises:
            ModelKeyUnreadable: the key does not open.
            ModelUnknown: this version does not know the provider.
        """
        opened = self._keys.open(connection)
        key = opened.get_secret_value() if opened else ""
        target = ModelTarget(
            connection.provider,
            connection.model,
            connection.base_url or OWN_ADDRESSES.get(connection.provider),
            key,
            client_for(self._transport, _credentials(connection.provider, key)),
        )
        return Asker(build_target(target), settings or self._settings, Wording(HINTS, key))

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def _credentials(provider: str, key: str) -> dict[str, str]:
    if not key:
        return {}
    return {"x-api-key": key} if provider == "anthropic" else {"authorization": f"Bearer {key}"}
