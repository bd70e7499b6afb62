"""The language model that the settings name."""

import os
from collections.abc import Callable

from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from raptorflow.orchestrator.errors import ModelKeyRefused, ModelUnknown
from raptorflow.orchestrator.language_models.offline import OfflineModel
from raptorflow.orchestrator.settings import OrchestratorSettings

OFFLINE = "offline"
KEY_VARIABLE = "RAPTORFLOW_MODEL_API_KEY"


def build_model(settings: OrchestratorSettings) -> Model:
    """The model of `settings.model`.

    Raises:
        ModelUnknown: it names no known provider, or lacks the base URL it needs.
        ModelKeyRefused: the provider needs a key and none is set.
    """
    if settings.model == OFFLINE:
        return OfflineModel(min_score=settings.offline_min_score)
    provider, _, name = settings.model.partition(":")
    build = _BUILDERS.get(provider)
    if build is None or not name:
        raise ModelUnknown(f"The model {settings.model!r} is not known.")
    return build(name, settings)


def _anthropic(name: str, settings: OrchestratorSettings) -> Model:
    key = _key(settings, "ANTHROPIC_API_KEY")
    return AnthropicModel(name, provider=AnthropicProvider(api_key=key, base_url=settings.model_base_url))


def _openai(name: str, settings: OrchestratorSettings) -> Model:
    return _chat_model(name, _key(settings, "OPENAI_API_KEY"), settings)


def _compatible(name: str, settings: OrchestratorSettings) -> Model:
    if not settings.model_base_url:
        raise ModelUnknown(
            f"The model {settings.model!r} has no address.", hint="Set RAPTORFLOW_MODEL_BASE_URL."
        )
    # Local servers want no key; the client insists on one.
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
    return _chat_model(name, key, settings)


def _chat_model(name: str, key: str, settings: OrchestratorSettings) -> Model:
    client = AsyncOpenAI(api_key=key, base_url=settings.model_base_url)
    # A proxy that closes a stream politely in the middle must not pass for an answer.
    profile = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
    return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client), profile=profile)


def _key(settings: OrchestratorSettings, variable: str) -> str:
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else os.environ.get(variable)
    if not key:
        raise ModelKeyRefused(
            f"The model {settings.model} needs a key.", hint=f"Set {KEY_VARIABLE} or {variable}."
        )
    return key


_BUILDERS: dict[str, Callable[[str, OrchestratorSettings], Model]] = {
    "anthropic": _anthropic,
    "openai": _openai,
    "openai-compatible": _compatible,
}
