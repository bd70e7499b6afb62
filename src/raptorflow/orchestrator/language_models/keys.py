"""The key a provider wants."""

import os

from raptorflow.orchestrator.errors import ModelKeyRefused
from raptorflow.orchestrator.settings import OrchestratorSettings

KEY_VARIABLE = "RAPTORFLOW_MODEL_API_KEY"


def key_of(settings: OrchestratorSettings, variable: str) -> str:
    """The key from the settings, or from the provider's own variable.

    Raises:
        ModelKeyRefused: neither has one.
    """
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else os.environ.get(variable)
    if not key:
        raise ModelKeyRefused(
            f"The model {settings.model} needs a key.", hint=f"Set {KEY_VARIABLE} or {variable}."
        )
    return key
