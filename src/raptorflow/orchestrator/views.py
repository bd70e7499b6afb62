"""Rows as the API shows them."""

from typing import Any
from uuid import UUID

from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.orchestrator.context.entries import Entry, call_parts, text_of
from raptorflow.orchestrator.events import message_id
from raptorflow.orchestrator.models import File, RunStep
from raptorflow.orchestrator.schemas import FileView, MessageView, StepView, ToolCallView


def message_view(run_id: UUID, entry: Entry) -> MessageView:
    """A transcript entry."""
    calls = call_parts(entry) if entry.role == "assistant" else []
    return MessageView(
        id=message_id(run_id, entry.position),
        run_id=run_id,
        role=entry.role,
        content=text_of(entry),
        tool_calls=[
            ToolCallView(
                id=call["tool_call_id"], name=call["tool_name"], arguments=_arguments(call.get("args"))
            )
            for call in calls
        ],
        tool_call_id=entry.content.get("tool_call_id"),
        files=entry.content.get("files", []),
    )


def _arguments(arguments: JsonObject | str | None) -> str:
    return arguments if isinstance(arguments, str) else dumps(arguments or {})


def file_view(file: File, name: str) -> FileView:
    """A file under its name in the session."""
    return FileView.model_validate(file).model_copy(update={"name": name})


def step_view(step: RunStep) -> StepView:
    """A step; the journal has a call's arguments as the text that the model wrote."""
    view = StepView.model_validate(step)
    if view.input and "arguments" in view.input:
        view.input = {**view.input, "arguments": _parsed(view.input["arguments"])}
    return view


def _parsed(arguments: Any) -> Any:
    """Arguments as JSON as far as they are; a model's own text is JSON within a JSON string."""
    for _ in range(2):
        if not isinstance(arguments, str):
            break
        try:
            arguments = loads(arguments)
        except ValueError:
            break
    return arguments


def agui_message(view: MessageView) -> JsonObject:
    """A transcript entry as AG-UI's `MESSAGES_SNAPSHOT` has it."""
    message: JsonObject = {"id": view.id, "role": view.role, "content": view.content}
    if view.tool_calls:
        message["toolCalls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in view.tool_calls
        ]
    if view.tool_call_id:
        message["toolCallId"] = view.tool_call_id
    return message
