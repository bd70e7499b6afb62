"""The key that a provider wants, when the settings name the model."""

import os

from raptorflow.orchestrator.errors import ModelKeyRefused
from raptorflow.orchestrator.settings import OrchestratorSettings

KEY_VARIABLE = "RAPTORFLOW_MODEL_API_KEY"
VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
"""By provider that wants a key, its own variable."""


def key_of(settings: OrchestratorSettings, provider: str) -> str:
    """The key from the settings, or from the provider's own variable.

    Raises:
        ModelKeyRefused: the provider wants one, and neither has one.
    """
    if settings.model_api_key:
        return settings.model_api_key.get_secret_value()
    variable = VARIABLES.get(provider)
    key = os.environ.get(variable, "") if variable else ""
    if variable and not key:
        raise ModelKeyRefused(
            f"The model {settings.model} needs a key.", hint=f"Set {KEY_VARIABLE} or {variable}."
        )
    return key
