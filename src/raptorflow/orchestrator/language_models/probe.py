"""What a connected model can do: it is asked for a text, and for a call of a tool."""

import asyncio
from dataclasses import dataclass

from pydantic_ai.messages import ModelMessage, ModelRequest, ToolCallPart, UserPromptPart
from pydantic_ai.tools import ToolDefinition

from raptorflow.base.clock import Stopwatch, utc_now
from raptorflow.base.errors import RaptorFlowError
from raptorflow.orchestrator.connections.errors import ModelWithoutTools
from raptorflow.orchestrator.connections.schemas import ModelCost, ModelTest
from raptorflow.orchestrator.errors import ModelFailed, ModelUnreachable
from raptorflow.orchestrator.language_models.asking import Answer, Asks

QUESTION = "Count from one to twenty, in words, separated by commas. Write nothing else."
WORD = "raptor"
ORDER = f"Call the tool `say` once, with the word {WORD!r}. Do not answer in any other way."
TOOL = ToolDefinition(
    name="say",
    description="Says a word.",
    parameters_json_schema={
        "type": "object",
        "properties": {"word": {"type": "string", "description": "The word to say."}},
        "required": ["word"],
        "additionalProperties": False,
    },
)


@dataclass
class _Pieces:
    """A listener that counts in how many pieces a text comes."""

    count: int = 0

    def text(self, delta: str) -> None:
        self.count += 1

    def start_over(self) -> None:
        self.count = 0

    def waiting(self, seconds: float, reason: str) -> None:
        """A test is not told of pauses."""


async def probe(asker: Asks, seconds: float) -> ModelTest:
    """Ask a model for both; what failed stands in the report, with what was found before.

    Args:
        asker: the model.
        seconds: what both answers may take together.
    """
    report = ModelTest(status="failed", tested_at=utc_now())
    try:
        async with asyncio.timeout(seconds):
            await _write(asker, report)
            await _call(asker, report)
        report.status = "passed"
    except TimeoutError:
        late = ModelUnreachable(
            f"{asker.name} did not answer within {seconds:g} s.",
            hint="Check the model's address; a model that is still being loaded answers later.",
        )
        report.problem = late.problem()
    except RaptorFlowError as error:
        report.problem = error.problem()
    return report


async def _write(asker: Asks, report: ModelTest) -> None:
    pieces, watch = _Pieces(), Stopwatch()
    answer = await asker.ask(_asking(QUESTION), [], pieces)
    report.total_ms, report.first_event_ms = watch.elapsed_ms(), answer.first_event_ms
    report.streaming = pieces.count > 1
    _count(answer, report)
    writing_ms = report.total_ms - (answer.first_event_ms or 0.0)
    if report.output_tokens and report.streaming and writing_ms > 0:
        report.tokens_per_second = round(report.output_tokens / writing_ms * 1000, 1)


async def _call(asker: Asks, report: ModelTest) -> None:
    try:
        answer = await asker.ask(_asking(ORDER), [TOOL], _Pieces())
    except ModelFailed as error:
        report.tool_calling = False
        # It has just answered without a tool: it is the tool that is refused.
        raise ModelWithoutTools(f"With a tool offered, {error.message}") from error
    _count(answer, report)
    report.tool_calling = any(_is_the_call(call) for call in answer.response.tool_calls)
    if not report.tool_calling:
        raise ModelWithoutTools(f"{asker.name} was told to call a tool, and did not.")


def _is_the_call(call: ToolCallPart) -> bool:
    if call.tool_name != TOOL.name:
        return False
    try:
        return bool(call.args_as_dict().get("word"))
    except (ValueError, AssertionError):
        # Its arguments are no JSON, or no object.
        return False


def _asking(text: str) -> list[ModelMessage]:
    return [ModelRequest(parts=[UserPromptPart(text)])]


def _count(answer: Answer, report: ModelTest) -> None:
    """Add an answer's tokens and cost; a provider that counts nothing leaves both unknown."""
    usage = answer.response.usage
    if usage.input_tokens or usage.output_tokens:
        report.input_tokens = (report.input_tokens or 0) + usage.input_tokens
        report.output_tokens = (report.output_tokens or 0) + usage.output_tokens
    if answer.cost:
        before = report.cost.test_microusd if report.cost else 0
        report.cost = ModelCost(
            input_per_million_microusd=answer.cost.input_per_million,
            output_per_million_microusd=answer.cost.output_per_million,
            test_microusd=before + answer.cost.microusd,
        )
