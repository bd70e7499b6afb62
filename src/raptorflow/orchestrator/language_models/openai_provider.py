"""Models of OpenAI, and of every server that speaks its Chat Completions protocol."""

from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from raptorflow.orchestrator.errors import ModelUnknown
from raptorflow.orchestrator.language_models.keys import key_of
from raptorflow.orchestrator.settings import OrchestratorSettings

# A proxy that closes a stream politely in the middle must not pass for an answer.
_PROFILE = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)


def build(name: str, settings: OrchestratorSettings) -> Model:
    """A model of OpenAI by its name.

    Raises:
        ModelKeyRefused: there is no key.
    """
    return _chat_model(name, key_of(settings, "OPENAI_API_KEY"), settings.model_base_url)


def build_compatible(name: str, settings: OrchestratorSettings) -> Model:
    """A model of another server.

    Raises:
        ModelUnknown: the server's address is not set.
    """
    if not settings.model_base_url:
        raise ModelUnknown(
            f"The model {settings.model!r} has no address.", hint="Set RAPTORFLOW_MODEL_BASE_URL."
        )
    # Local servers want no key; the client insists on one.
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
    return _chat_model(name, key, settings.model_base_url)


def _chat_model(name: str, key: str, base_url: str | None) -> Model:
    client = AsyncOpenAI(api_key=key, base_url=base_url)
    return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client), profile=_PROFILE)
