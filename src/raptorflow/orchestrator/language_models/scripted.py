"""A model that decides by itself what to say: whole parts, handed out as a stream like any provider's."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext, ToolDefinition

from raptorflow.base.clock import utc_now

WORDS_AT_ONCE = 8


class ScriptedModel(Model[None]):
    """Answers with one part at a time, a text or a call.

    Args:
        name: what the model and its provider are called.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    @abstractmethod
    def decide(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition]
    ) -> TextPart | ToolCallPart:
        """What to say, by the conversation and what can be called."""
        ...

    @property
    def model_name(self) -> str:
        """Its name."""
        return self._name

    @property
    def system(self) -> str:
        """Its name too."""
        return self._name

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Answer at once."""
        decision = self.decide(messages, model_request_parameters.function_tools)
        return ModelResponse(parts=[decision], model_name=self._name, provider_name=self._name)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Answer as a stream."""
        decision = self.decide(messages, model_request_parameters.function_tools)
        yield _ScriptedStream(
            model_request_parameters=model_request_parameters, decision=decision, name=self._name
        )


@dataclass
class _ScriptedStream(StreamedResponse):
    decision: TextPart | ToolCallPart
    name: str
    _timestamp: datetime = field(default_factory=utc_now)

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        if isinstance(self.decision, ToolCallPart):
            yield self._parts_manager.handle_tool_call_part(
                vendor_part_id=0,
                tool_name=self.decision.tool_name,
                args=self.decision.args,
                tool_call_id=self.decision.tool_call_id,
            )
            return
        words = self.decision.content.split(" ")
        for start in range(0, len(words), WORDS_AT_ONCE):
            piece = " ".join(words[start : start + WORDS_AT_ONCE])
            delta = f" {piece}" if start else piece
            for event in self._parts_manager.handle_text_delta(vendor_part_id=0, content=delta):
                yield event

    async def close_stream(self) -> None:
        """There is no connection to close."""

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.name

    @property
    def provider_name(self) -> str:
        """The model's name too."""
        return self.name

    @property
    def provider_url(self) -> None:
        """There is none."""

    @property
    def timestamp(self) -> datetime:
        """When the answer began."""
        return self._timestamp
