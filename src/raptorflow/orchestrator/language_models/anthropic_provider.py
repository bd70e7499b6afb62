"""Models of Anthropic."""

from anthropic import AsyncAnthropic
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from raptorflow.orchestrator.language_models.target import ModelTarget


def build(target: ModelTarget) -> Model:
    """A model by its name."""
    client = AsyncAnthropic(api_key=target.key, base_url=target.base_url, http_client=target.client)
    return AnthropicModel(target.name, provider=AnthropicProvider(anthropic_client=client))
