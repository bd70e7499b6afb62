"""One request to a model: streamed, within deadlines, and asked again where that helps.

429, 503, 529                   wait as long as the provider says (or 1, 2, 4 s), a bounded number of times
the connection broke, 5xx       once more; the text starts over
401, 403                        ModelKeyRefused
anything else                   ModelFailed with the provider's words
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from httpx import TransportError
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelRequestTimeout,
    ModelServerError,
    ModelUnavailableError,
)
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.orchestrator.context.entries import printable
from raptorflow.orchestrator.errors import ModelBusy, ModelFailed, ModelKeyRefused, ModelUnreachable
from raptorflow.orchestrator.metrics import MODEL_RETRIES
from raptorflow.orchestrator.settings import OrchestratorSettings

_BUSY = (ModelRateLimitError, ModelUnavailableError)
_BROKEN = (ModelConnectionError, ModelRequestTimeout, ModelServerError, TransportError)
MOST_OF_A_MESSAGE = 500


class BrokenOff(AgentRunError):
    """The stream ended before the model had finished."""


class Listener(Protocol):
    """Who is told while the model writes."""

    def text(self, delta: str) -> None:
        """More text."""
        ...

    def start_over(self) -> None:
        """What was written so far does not count: the model is asked again."""
        ...

    def waiting(self, seconds: float, reason: str) -> None:
        """The provider wants a pause."""
        ...


@dataclass(frozen=True)
class Answer:
    """A model's whole answer.

    Attributes:
        text: what the listener was told, in one piece.
        requests: how often the model was asked.
    """

    response: ModelResponse
    text: str
    requests: int
    first_event_ms: float | None


class Asker:
    """Asks one model.

    Args:
        model: any pydantic-ai model.
        settings: deadlines and retries.
    """

    def __init__(self, model: Model, settings: OrchestratorSettings) -> None:
        self.model = model
        self._settings = settings
        # The SDKs' own retries would wait unseen; ours tell the listener.
        self._model_settings = ModelSettings(
            max_retries=0,
            request_timeout=settings.model_request_seconds,
            first_event_timeout=settings.model_first_event_seconds,
        )

    async def ask(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition], listener: Listener
    ) -> Answer:
        """Ask and wait for the whole answer.

        Raises:
            ModelKeyRefused: the provider does not accept the key.
            ModelBusy: it limits the rate, and waiting did not help.
            ModelUnreachable: it cannot be reached, or broke off twice.
            ModelFailed: it refused the request.
        """
        patience = _Patience(self._settings, self.model.model_id)
        while True:
            patience.requests += 1
            try:
                return await self._once(messages, tools, listener, patience.requests)
            except (AgentRunError, TransportError) as error:
                wait = patience.after(error)
                MODEL_RETRIES.labels(type(error).__name__).inc()
            listener.start_over()
            if wait:
                listener.waiting(wait, "The provider limits the rate.")
                await asyncio.sleep(wait)

    async def _once(
        self,
        messages: Sequence[ModelMessage],
        tools: Sequence[ToolDefinition],
        listener: Listener,
        requests: int,
    ) -> Answer:
        parameters = ModelRequestParameters(function_tools=list(tools))
        texts: list[str] = []
        watch, first = Stopwatch(), None
        async with model_request_stream(
            self.model,
            messages,
            model_settings=self._model_settings,
            model_request_parameters=parameters,
        ) as stream:
            async for event in stream:
                first = first or watch.elapsed_ms()
                if delta := printable(_text(event, texts)):
                    texts.append(delta)
                    listener.text(delta)
        response = stream.get()
        if response.state == "incomplete":
            raise BrokenOff("The model's answer broke off.")
        return Answer(response, "".join(texts), requests, first)


def _text(event: ModelResponseStreamEvent, texts: Sequence[str]) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart) and event.part.content:
        return f"\n\n{event.part.content}" if texts else event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


class _Patience:
    """How often and how long to try again; `after` raises when it is enough."""

    def __init__(self, settings: OrchestratorSettings, model: str) -> None:
        self._settings = settings
        self._model = model
        self._waits = 0
        self._broken = 0
        self.requests = 0

    def after(self, error: Exception) -> float:
        """Seconds to wait before the next request."""
        if isinstance(error, _BUSY):
            return self._wait(error)
        if _is_broken(error) and not self._broken:
            self._broken += 1
            return 0.0
        raise _final(error, self._model) from error

    def _wait(self, error: ModelAPIError) -> float:
        seconds = error.retry_after if error.retry_after is not None else float(2**self._waits)
        self._waits += 1
        if (
            self._waits > self._settings.model_rate_limit_retries
            or seconds > self._settings.model_max_wait_seconds
        ):
            raise ModelBusy(
                f"{self._model} limits the rate; it asks for a pause of {seconds:g} s.",
                details={"retry_after_seconds": seconds, "requests": self.requests},
            ) from error
        return seconds


def _is_broken(error: Exception) -> bool:
    # Without a category it is a stream that ended without a finish reason, or said only that it failed.
    return isinstance(error, (*_BROKEN, BrokenOff)) or type(error) is ModelAPIError


def _final(error: Exception, model: str) -> RaptorFlowError:
    words = str(error)[:MOST_OF_A_MESSAGE]
    if isinstance(error, ModelAuthenticationError):
        return ModelKeyRefused(f"{model} does not accept the key.", details={"provider": words})
    if _is_broken(error):
        return ModelUnreachable(f"{model} could not be reached, or broke off, twice: {words}")
    return ModelFailed(f"{model} refused the request: {words}")
