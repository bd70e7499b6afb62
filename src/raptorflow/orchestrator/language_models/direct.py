"""The model of a trial: it loads one skill, calls one action, and says what came of it. Deterministic.

So a trial is a turn like any other, step by step in the journal, and goes on after a crash as turns do.
"""

from collections.abc import Sequence
from typing import Any, cast

from pydantic_ai.messages import ModelMessage, ModelRequest, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.tools import ToolDefinition

from raptorflow.base.json import JsonObject, loads
from raptorflow.orchestrator.errors import TrialFailed
from raptorflow.orchestrator.language_models.rendering import render
from raptorflow.orchestrator.language_models.scripted import ScriptedModel
from raptorflow.orchestrator.tools.definitions import LOAD, tool_name

NAME = "direct"


class DirectModel(ScriptedModel):
    """Does one call.

    Args:
        call: `skill` (a name, or `namespace/name`), `action` and `arguments`.
    """

    def __init__(self, call: JsonObject) -> None:
        super().__init__(NAME)
        self._call = call

    def decide(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition]
    ) -> TextPart | ToolCallPart:
        """The trial's next step, by how many results there are.

        Raises:
            TrialFailed: the newest result is an error.
        """
        results = [
            _object(part.model_response_str())
            for message in messages
            if isinstance(message, ModelRequest)
            for part in message.parts
            if isinstance(part, ToolReturnPart)
        ]
        if results and isinstance(results[-1].get("error"), dict):
            raise TrialFailed(results[-1]["error"])
        skill = str(self._call["skill"])
        if not results:
            return ToolCallPart(LOAD, {"name": skill}, tool_call_id=f"{NAME}-1")
        name = skill.rpartition("/")[2]
        if len(results) == 1:
            called = tool_name(name, str(self._call["action"]))
            return ToolCallPart(called, self._call["arguments"], tool_call_id=f"{NAME}-2")
        return TextPart(render(results[1], name, str(results[0].get("version", ""))))


def _object(text: str) -> JsonObject:
    try:
        value: Any = loads(text)
    except ValueError:
        return {"answer": text}
    return cast(JsonObject, value) if isinstance(value, dict) else {"answer": text}
