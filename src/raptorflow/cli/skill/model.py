"""The language model that the settings connect, as the kit's runner asks it."""

import time
from collections.abc import Sequence
from pathlib import Path

from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart

from raptorflow.orchestrator.language_models.asking import Asker
from raptorflow.orchestrator.language_models.factory import OFFLINE, build_model
from raptorflow.settings import load_settings
from raptorflow.skills.ports import Reply

MAX_FILE = 100_000


class _Silent:
    """Nobody reads along while a case is answered."""

    def text(self, delta: str) -> None:
        """The whole answer is enough."""

    def start_over(self) -> None:
        """The whole answer is enough."""

    def waiting(self, seconds: float, reason: str) -> None:
        """The whole answer is enough."""


class ConnectedModel:
    """One request, one answer; asked again where that helps, as in a chat."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def answer(self, system: str, question: str, files: Sequence[Path]) -> Reply:
        """The answer to one question; files go along as text.

        Raises:
            ModelUnreachable: the model does not answer.
            ModelKeyRefused: it does not accept the key.
            ModelBusy: it limits the rate, and waiting did not help.
            ModelFailed: it refused the request.
        """
        texts = [f"{path.name}:\n{path.read_text(errors='replace')[:MAX_FILE]}" for path in files]
        prompt = "\n\n".join((question, *texts))
        began = time.monotonic()
        request = ModelRequest(parts=[SystemPromptPart(system), UserPromptPart(prompt)])
        answer = await self._asker.ask([request], [], _Silent())
        return Reply(answer.text, answer.response.usage.total_tokens, time.monotonic() - began)


def connected_model() -> ConnectedModel | None:
    """The model of the settings; None when that is the offline one, which cannot grade.

    Raises:
        ModelUnknown: the settings name no known model.
        ModelKeyRefused: the provider needs a key and none is set.
    """
    settings = load_settings().orchestrator
    return None if settings.model == OFFLINE else ConnectedModel(Asker(build_model(settings), settings))
