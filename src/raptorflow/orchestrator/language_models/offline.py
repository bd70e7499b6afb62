"""The model that needs no model: picks skills by search and fills arguments by rules. Deterministic.

It reads what any model reads (conversation and tool definitions) and answers with what any model answers
(tool calls and text), so that everything around it is the same with a real one. It says in every answer
that no language model is connected.
"""

from collections.abc import AsyncGenerator, AsyncIterator
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
from pydantic_ai.tools import RunContext

from raptorflow.base.clock import utc_now
from raptorflow.orchestrator.language_models.offline_rules import decide

NAME = "offline"
WORDS_AT_ONCE = 8


class OfflineModel(Model[None]):
    """Answers by rules (`offline_rules.decide`).

    Args:
        min_score: the search score from which a skill is taken for the right one.
    """

    def __init__(self, *, min_score: float) -> None:
        super().__init__()
        self._min_score = min_score

    @property
    def model_name(self) -> str:
        """Always `offline`."""
        return NAME

    @property
    def system(self) -> str:
        """Always `offline`."""
        return NAME

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Answer at once."""
        decision = decide(messages, model_request_parameters.function_tools, self._min_score)
        return ModelResponse(parts=[decision], model_name=NAME, provider_name=NAME)

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Answer as a stream."""
        decision = decide(messages, model_request_parameters.function_tools, self._min_score)
        yield _OfflineStream(model_request_parameters=model_request_parameters, decision=decision)


@dataclass
class _OfflineStream(StreamedResponse):
    decision: TextPart | ToolCallPart
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
        """Always `offline`."""
        return NAME

    @property
    def provider_name(self) -> str:
        """Always `offline`."""
        return NAME

    @property
    def provider_url(self) -> None:
        """There is none."""

    @property
    def timestamp(self) -> datetime:
        """When the answer began."""
        return self._timestamp
