"""Models of OpenAI, and of every server that speaks its Chat Completions protocol."""

from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from raptorflow.orchestrator.language_models.target import ModelTarget

# A proxy that closes a stream politely in the middle must not pass for an answer.
_PROFILE = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
NO_KEY = "none"
"""Local servers want no key; the client insists on one."""


def build(target: ModelTarget) -> Model:
    """A model by its name."""
    client = AsyncOpenAI(api_key=target.key or NO_KEY, base_url=target.base_url, http_client=target.client)
    return OpenAIChatModel(target.name, provider=OpenAIProvider(openai_client=client), profile=_PROFILE)
