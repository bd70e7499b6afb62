"""The offline model's decisions: search, load, run, answer. Pure: messages and tools in, one part out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.tools import ToolDefinition

from raptorflow.base.json import JsonObject, loads
from raptorflow.orchestrator.language_models.arguments import Request, fill, missing, words_of
from raptorflow.orchestrator.language_models.rendering import render
from raptorflow.orchestrator.tools.definitions import LOAD, SEARCH, SEPARATOR
from raptorflow.orchestrator.tools.schemas import file_inputs

CONNECT = "Connect one in the web interface under Settings, or set RAPTORFLOW_MODEL."
NOTICE = (
    "No language model is connected: the skill was found by search and its arguments were filled by rules. "
    f"{CONNECT}"
)
NOTICE_ALONE = f"No language model is connected, so I can only run skills. {CONNECT}"
CHANGING = words_of(
    "add assign book cancel create delete disable enable pause post publish remove send set update write"
)
ATTACHED = "\n\n[Attached: "


@dataclass
class _Conversation:
    """This turn, as far as it has come."""

    request: Request
    calls: list[ToolCallPart] = field(default_factory=list[ToolCallPart])
    results: dict[str, str] = field(default_factory=dict[str, str])

    def newest(self, prefix: str) -> tuple[ToolCallPart, JsonObject] | None:
        """The newest call of a tool whose name begins so, and its result."""
        for call in reversed(self.calls):
            if call.tool_name.startswith(prefix) and call.tool_call_id in self.results:
                return call, _object(self.results[call.tool_call_id])
        return None

    def loading(self, skill: str) -> JsonObject | None:
        """What came of loading a skill in this turn."""
        for call in self.calls:
            if call.tool_name == LOAD and call.args_as_dict().get("name") == skill:
                return _object(self.results.get(call.tool_call_id, "{}"))
        return None


def decide(
    messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition], min_score: float
) -> TextPart | ToolCallPart:
    """What to do next.

    Args:
        messages: the conversation.
        tools: what can be called.
        min_score: the search score from which a skill is convincing.
    """
    turn = _read(messages)
    searched = turn.newest(SEARCH)
    if searched is None:
        return _call(turn, SEARCH, {"query": turn.request.search_text()})
    hits: list[JsonObject] = searched[1].get("skills", [])
    fitting = [hit for hit in hits if hit["installed"] and _convinces(hit, min_score)]
    if not fitting:
        return _answer(_nothing_fits(hits), NOTICE_ALONE)
    best = next((hit for hit in fitting if not _cannot_take_files(turn, str(hit["name"]), tools)), fitting[0])
    return _with_skill(turn, str(best["name"]), str(best["version"]), tools)


def _with_skill(
    turn: _Conversation, skill: str, version: str, tools: Sequence[ToolDefinition]
) -> TextPart | ToolCallPart:
    prefix = f"{skill}{SEPARATOR}"
    if done := turn.newest(prefix):
        return _answer(render(done[1], skill, version), NOTICE)
    actions = _actions(skill, tools)
    loaded = turn.loading(skill)
    if not actions and loaded is None:
        return _call(turn, LOAD, {"name": skill})
    if loaded and "error" in loaded:
        return _answer(render(loaded, skill, version), NOTICE)
    if not actions:
        text = f"The skill {skill} {version} fits, but has instructions alone; following them takes a model."
        return _answer(text, NOTICE_ALONE)
    return _run(turn, skill, actions)


def _cannot_take_files(turn: _Conversation, skill: str, tools: Sequence[ToolDefinition]) -> bool:
    """Whether a file came with the question and the skill, now that it is loaded, has no use for one."""
    actions = _actions(skill, tools)
    return bool(turn.request.attached and actions) and not any(
        file_inputs(action.parameters_json_schema) for action in actions
    )


def _actions(skill: str, tools: Sequence[ToolDefinition]) -> list[ToolDefinition]:
    return [tool for tool in tools if tool.name.startswith(f"{skill}{SEPARATOR}")]


def _run(turn: _Conversation, skill: str, actions: Sequence[ToolDefinition]) -> TextPart | ToolCallPart:
    """Call the action whose words fit best among those whose arguments are known."""
    asked_for = [action for action in actions if not _changes_unasked(turn.request, action)]
    if not asked_for:
        text = f"The actions of {skill} change things, and your request does not name one: {_names(actions)}."
        return _answer(text, NOTICE)
    ranked = sorted(asked_for, key=lambda action: -_overlap(turn.request, action))
    filled = [(action, fill(action.parameters_json_schema, turn.request)) for action in ranked]
    for action, arguments in filled:
        if not missing(action.parameters_json_schema, arguments):
            return _call(turn, action.name, arguments)
    action, arguments = filled[0]
    names = ", ".join(missing(action.parameters_json_schema, arguments))
    name = _action_name(action)
    return _answer(f"{skill}'s {name} fits, but I do not know its {names}. {_ask(action, arguments)}", NOTICE)


def _changes_unasked(request: Request, action: ToolDefinition) -> bool:
    """Rules must not change anything that nobody asked to change: the verb has to be in the request."""
    verbs = words_of(_action_name(action)) & CHANGING
    return bool(verbs) and not verbs & request.words


def _action_name(action: ToolDefinition) -> str:
    return action.name.partition(SEPARATOR)[2]


def _names(actions: Sequence[ToolDefinition]) -> str:
    return ", ".join(map(_action_name, actions))


def _ask(action: ToolDefinition, arguments: JsonObject) -> str:
    properties: JsonObject = action.parameters_json_schema.get("properties", {})
    absent = [properties.get(name, {}) for name in missing(action.parameters_json_schema, arguments)]
    if any(schema.get("format") == "file" for schema in absent):
        return "Attach the file (`--file data.csv`) and ask again."
    told = [schema["description"] for schema in absent if "description" in schema]
    return " ".join(told) or "Name it in your question, in quotes."


def _convinces(hit: JsonObject, min_score: float) -> bool:
    return max(float(hit.get("words", 0)), float(hit.get("similarity", 0))) >= min_score


def _nothing_fits(hits: Sequence[JsonObject]) -> str:
    installed = [f"{hit['name']} ({hit['description']})" for hit in hits if hit["installed"]]
    others = [str(hit["name"]) for hit in hits if not hit["installed"]]
    lines = ["No installed skill fits this request."]
    lines += [f"Installed, and nearest to it: {'; '.join(installed)}."] if installed else []
    lines += [f"Not installed, but it may fit: {', '.join(others)}."] if others else []
    lines += ["No skill is installed yet: `raptorflow skill publish` adds one."] if not hits else []
    return "\n".join(lines)


def _overlap(request: Request, action: ToolDefinition) -> float:
    properties: JsonObject = action.parameters_json_schema.get("properties", {})
    named = words_of(_action_name(action))
    told = words_of(f"{action.description or ''} {' '.join(properties)}")
    asked = request.words
    return 2.0 * len(asked & named) + len(asked & told) / (1 + len(told)) ** 0.5


def _answer(text: str, notice: str) -> TextPart:
    return TextPart(f"{text}\n\n({notice})")


def _call(turn: _Conversation, name: str, arguments: JsonObject) -> ToolCallPart:
    return ToolCallPart(name, arguments, tool_call_id=f"offline-{len(turn.calls) + 1}")


def _read(messages: Sequence[ModelMessage]) -> _Conversation:
    turn = _Conversation(Request("", ()))
    for message in messages:
        if isinstance(message, ModelResponse):
            turn.calls += [part for part in message.parts if isinstance(part, ToolCallPart)]
            continue
        turn = _read_request(message, turn)
    return turn


def _read_request(message: ModelRequest, turn: _Conversation) -> _Conversation:
    for part in message.parts:
        if isinstance(part, UserPromptPart):
            turn = _Conversation(_request(str(part.content)))
        elif isinstance(part, ToolReturnPart):
            turn.results[part.tool_call_id] = part.model_response_str()
    return turn


def _request(prompt: str) -> Request:
    text, _, attached = prompt.rpartition(ATTACHED)
    if not text:
        return Request(prompt, ())
    return Request(text, tuple(attached.rstrip("]").split(", ")))


def _object(text: str) -> JsonObject:
    try:
        value: Any = loads(text)
    except ValueError:
        return {"answer": text}
    return cast(JsonObject, value) if isinstance(value, dict) else {"answer": text}
