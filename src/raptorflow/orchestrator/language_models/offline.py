"""The model that needs no model: picks skills by search and fills arguments by rules. Deterministic.

It reads what any model reads (conversation and tool definitions) and answers with what any model answers
(tool calls and text), so that everything around it is the same with a real one. It says in every answer
that no language model is connected.
"""

from collections.abc import Sequence

from pydantic_ai.messages import ModelMessage, TextPart, ToolCallPart
from pydantic_ai.tools import ToolDefinition

from raptorflow.orchestrator.language_models.offline_rules import decide
from raptorflow.orchestrator.language_models.scripted import ScriptedModel

NAME = "offline"


class OfflineModel(ScriptedModel):
    """Answers by rules (`offline_rules.decide`).

    Args:
        min_score: the search score from which a skill is taken for the right one.
    """

    def __init__(self, *, min_score: float) -> None:
        super().__init__(NAME)
        self._min_score = min_score

    def decide(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition]
    ) -> TextPart | ToolCallPart:
        """Search, load, run, answer."""
        return decide(messages, tools, self._min_score)
