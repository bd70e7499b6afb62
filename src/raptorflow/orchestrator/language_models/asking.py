"""One request to a model: streamed, within deadlines, and asked again where that helps.

429, 503, 529                   wait as long as the provider says (or 1, 2, 4 s), a bounded number of times
the connection broke, 5xx       once more; the text starts over
401, 403                        ModelKeyRefused
anything else                   ModelFailed with the provider's words
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from httpx2 import DecodingError, TransportError
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
from raptorflow.orchestrator.connections.errors import ModelAddressRefused
from raptorflow.orchestrator.context.entries import printable
from raptorflow.orchestrator.errors import ModelBusy, ModelFailed, ModelKeyRefused, ModelUnreachable
from raptorflow.orchestrator.language_models.prices import Cost, cost_of
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
        cost: absent when no price is known.
    """

    response: ModelResponse
    text: str
    requests: int
    first_event_ms: float | None
    cost: Cost | None = None


class Asks(Protocol):
    """What a turn asks: a model under a name."""

    @property
    def name(self) -> str:
        """The model's name, as runs and steps show it."""
        ...

    async def ask(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition], listener: Listener
    ) -> Answer:
        """Ask and wait for the whole answer, as `Asker.ask` does."""
        ...


@dataclass(frozen=True)
class Wording:
    """How a model's failures are told.

    Attributes:
        hints: by error, what to do about it; the error's own hint for the others.
        secret: what no message may hold, though the provider repeats it.
    """

    hints: Mapping[type[RaptorFlowError], str] = field(default_factory=dict[type[RaptorFlowError], str])
    secret: str = field(default="", repr=False)

    def words(self, error: Exception) -> str:
        """The provider's words, as far as they can be shown."""
        text = str(error)
        # Before it is cut, or half a secret might stay.
        return (text.replace(self.secret, "…") if self.secret else text)[:MOST_OF_A_MESSAGE]


class Asker:
    """Asks one model.

    Args:
        model: any pydantic-ai model.
        settings: deadlines and retries.
        wording: how its failures are told.
    """

    def __init__(self, model: Model, settings: OrchestratorSettings, wording: Wording | None = None) -> None:
        self.model = model
        self._settings = settings
        self._wording = wording or Wording()
        # The SDKs' own retries would wait unseen; ours tell the listener.
        self._model_settings = ModelSettings(
            max_retries=0,
            request_timeout=settings.model_request_seconds,
            first_event_timeout=settings.model_first_event_seconds,
        )

    @property
    def name(self) -> str:
        """The model's name, as runs and steps show it."""
        return self.model.model_name

    async def ask(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition], listener: Listener
    ) -> Answer:
        """Ask and wait for the whole answer.

        Raises:
            ModelKeyRefused: the provider does not accept the key.
            ModelBusy: it limits the rate, and waiting did not help.
            ModelUnreachable: it cannot be reached, or broke off twice.
            ModelFailed: it refused the request.
            ModelAddressRefused: it is at an address that is not allowed.
        """
        patience = _Patience(self._settings, self.model.model_id, self._wording)
        while True:
            patience.requests += 1
            try:
                return await self._once(messages, tools, listener, patience.requests)
            except (AgentRunError, TransportError, DecodingError) as error:
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
        return Answer(response, "".join(texts), requests, first, cost_of(response))


def _text(event: ModelResponseStreamEvent, texts: Sequence[str]) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart) and event.part.content:
        return f"\n\n{event.part.content}" if texts else event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


class _Patience:
    """How often and how long to try again; `after` raises when it is enough."""

    def __init__(self, settings: OrchestratorSettings, model: str, wording: Wording) -> None:
        self._settings = settings
        self._model = model
        self._wording = wording
        self._waits = 0
        self._broken = 0
        self.requests = 0

    def after(self, error: Exception) -> float:
        """Seconds to wait before the next request."""
        if refused := _refused_address(error):
            raise refused
        if isinstance(error, _BUSY):
            return self._wait(error)
        if _is_broken(error) and not self._broken:
            self._broken += 1
            return 0.0
        raise _final(error, self._model, self._wording) from error

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


def _refused_address(error: BaseException | None) -> ModelAddressRefused | None:
    """What our own network refused, below the errors that the provider's library made of it."""
    while error and not isinstance(error, ModelAddressRefused):
        error = error.__cause__
    return error


def _final(error: Exception, model: str, wording: Wording) -> RaptorFlowError:
    words = wording.words(error)
    if isinstance(error, ModelAuthenticationError):
        hint = wording.hints.get(ModelKeyRefused)
        return ModelKeyRefused(f"{model} does not accept the key.", hint=hint, details={"provider": words})
    if _is_broken(error):
        hint = wording.hints.get(ModelUnreachable)
        return ModelUnreachable(f"{model} could not be reached, or broke off, twice: {words}", hint=hint)
    return ModelFailed(f"{model} refused the request: {words}", hint=wording.hints.get(ModelFailed))
