"""Models of Anthropic."""

from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from raptorflow.orchestrator.language_models.keys import key_of
from raptorflow.orchestrator.settings import OrchestratorSettings


def build(name: str, settings: OrchestratorSettings) -> Model:
    """A model by its name.

    Raises:
        ModelKeyRefused: there is no key.
    """
    key = key_of(settings, "ANTHROPIC_API_KEY")
    return AnthropicModel(name, provider=AnthropicProvider(api_key=key, base_url=settings.model_base_url))
