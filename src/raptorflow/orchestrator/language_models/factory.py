"""The language model that the settings name. A provider's client is loaded only when it is the one."""

from importlib import import_module

from pydantic_ai.models import Model

from raptorflow.orchestrator.errors import ModelUnknown
from raptorflow.orchestrator.language_models.offline import OfflineModel
from raptorflow.orchestrator.settings import OrchestratorSettings

OFFLINE = "offline"
PROVIDERS = {
    "anthropic": "anthropic_provider:build",
    "openai": "openai_provider:build",
    "openai-compatible": "openai_provider:build_compatible",
}
"""Module and function in this package that build a provider's model from its name and the settings."""


def build_model(settings: OrchestratorSettings) -> Model:
    """The model of `settings.model`.

    Raises:
        ModelUnknown: it names no known provider, or lacks the base URL it needs.
        ModelKeyRefused: the provider needs a key and none is set.
    """
    if settings.model == OFFLINE:
        return OfflineModel(min_score=settings.offline_min_score)
    provider, _, name = settings.model.partition(":")
    if provider not in PROVIDERS or not name:
        raise ModelUnknown(f"The model {settings.model!r} is not known.")
    module, _, function = PROVIDERS[provider].partition(":")
    build = getattr(import_module(f"{__package__}.{module}"), function)
    return build(name, settings)
