"""Transcript entries, and the pydantic-ai messages that a model reads."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import TypeAdapter
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.context.entries import Entry, without_nul

NOT_RUN = "This call was not run: the turn ended before it."
_response: TypeAdapter[ModelResponse] = TypeAdapter(ModelResponse)


def response_content(response: ModelResponse) -> JsonObject:
    """A model's answer as an assistant entry's content."""
    return without_nul(_response.dump_python(response, mode="json", exclude_none=True))


def response_of(entry: Entry) -> ModelResponse:
    """The model's answer that an assistant entry holds."""
    return _response.validate_python(entry.content)


def calls_of(entry: Entry) -> list[ToolCallPart]:
    """The tool calls of an assistant entry."""
    return [part for part in response_of(entry).parts if isinstance(part, ToolCallPart)]


def open_calls(turn: Sequence[Entry]) -> list[ToolCallPart]:
    """The calls of a turn's newest answer that have no result yet, in the model's order.

    Calls are made in that order, so results are counted, not matched.
    """
    for results, entry in enumerate(reversed(turn)):
        if entry.role == "assistant":
            return calls_of(entry)[results:]
    return []


def with_unique_calls(response: ModelResponse, turn: Sequence[Entry]) -> ModelResponse:
    """The answer with ids of its own for its calls; some servers give every call the same."""
    used = {entry.content["tool_call_id"] for entry in turn if entry.role == "tool"}
    parts: list[ModelResponsePart] = []
    for place, part in enumerate(response.parts):
        if isinstance(part, ToolCallPart):
            if part.tool_call_id in used:
                part = replace(part, tool_call_id=f"{part.tool_call_id}-{len(turn)}-{place}")
            used.add(part.tool_call_id)
        parts.append(part)
    return replace(response, parts=parts)


def is_answered(turn: Sequence[Entry]) -> bool:
    """Whether a turn's newest entry is an answer that calls no tool."""
    return bool(turn) and turn[-1].role == "assistant" and not calls_of(turn[-1])


def to_messages(entries: Sequence[Entry]) -> list[ModelMessage]:
    """Entries as messages: results that follow one another share a request, and every call has a result."""
    messages: list[ModelMessage] = []
    parts: list[UserPromptPart | ToolReturnPart] = []
    unanswered: dict[str, str] = {}
    for entry in entries:
        if entry.role == "tool":
            unanswered.pop(entry.content["tool_call_id"], None)
            parts.append(_tool_return(entry.content))
            continue
        parts.extend(_not_run(unanswered))
        unanswered = {}
        if entry.role == "user":
            parts.append(UserPromptPart(_user_text(entry.content)))
            continue
        if parts:
            messages.append(ModelRequest(parts=parts))
            parts = []
        response = response_of(entry)
        messages.append(response)
        unanswered = {p.tool_call_id: p.tool_name for p in response.parts if isinstance(p, ToolCallPart)}
    parts.extend(_not_run(unanswered))
    if parts:
        messages.append(ModelRequest(parts=parts))
    return messages


def _user_text(content: JsonObject) -> str:
    names = [file["name"] for file in content.get("files", [])]
    if not names:
        return content["text"]
    return f"{content['text']}\n\n[Attached: {', '.join(names)}]"


def _tool_return(content: JsonObject) -> ToolReturnPart:
    return ToolReturnPart(content["tool_name"], content["content"], tool_call_id=content["tool_call_id"])


def _not_run(unanswered: dict[str, str]) -> Iterator[ToolReturnPart]:
    for call_id, name in unanswered.items():
        yield ToolReturnPart(name, NOT_RUN, tool_call_id=call_id)
