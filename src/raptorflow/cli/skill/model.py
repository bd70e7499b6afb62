"""The language model that the settings connect, as the kit's runner asks it."""

import time
from collections.abc import Sequence
from pathlib import Path

from pydantic_ai.direct import model_request
from pydantic_ai.messages import ModelRequest, SystemPromptPart, TextPart, UserPromptPart
from pydantic_ai.models import Model

from raptorflow.orchestrator.language_models.factory import OFFLINE, build_model
from raptorflow.settings import load_settings
from raptorflow.skills.ports import Reply

MAX_FILE = 100_000


class ConnectedModel:
    """One request, one answer."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def answer(self, system: str, question: str, files: Sequence[Path]) -> Reply:
        """The answer to one question; files go along as text."""
        texts = [f"{path.name}:\n{path.read_text(errors='replace')[:MAX_FILE]}" for path in files]
        prompt = "\n\n".join((question, *texts))
        began = time.monotonic()
        request = ModelRequest(parts=[SystemPromptPart(system), UserPromptPart(prompt)])
        response = await model_request(self._model, [request])
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
        return Reply(text, response.usage.total_tokens, time.monotonic() - began)


def connected_model() -> ConnectedModel | None:
    """The model of the settings; None when that is the offline one, which cannot grade.

    Raises:
        ModelUnknown: the settings name no known model.
    """
    settings = load_settings().orchestrator
    return None if settings.model == OFFLINE else ConnectedModel(build_model(settings))
