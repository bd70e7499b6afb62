"""The providers that can be connected. Web processes read this; the clients are the worker's."""

from dataclasses import dataclass
from typing import Literal

ProviderId = Literal["anthropic", "openai", "openai-compatible"]


@dataclass(frozen=True)
class Provider:
    """What connecting a provider's model takes.

    Attributes:
        suggestions: models that are known to work, the usual choice first.
    """

    id: ProviderId
    title: str
    needs_key: bool
    needs_base_url: bool
    suggestions: tuple[str, ...] = ()


PROVIDERS: dict[ProviderId, Provider] = {
    provider.id: provider
    for provider in (
        Provider(
            "anthropic",
            "Anthropic",
            needs_key=True,
            needs_base_url=False,
            suggestions=("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5"),
        ),
        Provider(
            "openai",
            "OpenAI",
            needs_key=True,
            needs_base_url=False,
            suggestions=("gpt-6.1-terra", "gpt-6.1-sol", "gpt-6-luna"),
        ),
        Provider(
            "openai-compatible",
            "A server that speaks OpenAI's protocol (Ollama, vLLM, llama.cpp, a gateway)",
            needs_key=False,
            needs_base_url=True,
        ),
    )
}
