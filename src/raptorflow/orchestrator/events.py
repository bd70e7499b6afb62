"""A run's events: AG-UI names (https://docs.ag-ui.com/concepts/events), and the rules that make them exact.

Two kinds of events travel on one stream.

**Numbered events** carry `seq` (1, 2, 3, ... without a gap in a run). They are rows of PostgreSQL, written in
the commit of the step that caused them, and are sent only after that commit. They can be asked for again at
any time: `Last-Event-ID: N`, or `{"type": "resume", "run_id": ..., "after": N}`, sends everything after N.

**Live events** carry no `seq`: `TEXT_MESSAGE_START` and `TEXT_MESSAGE_CONTENT` while a model is writing, and
`CUSTOM` notices of waiting. They may be lost and are never sent again.

Every event names its run (`runId`) and session (`threadId`). A client that follows these rules for each run
never loses or doubles a word:

1. Keep `last`, the greatest `seq` applied (0 at first). Ignore a numbered event with `seq <= last`. When
   `seq > last + 1` something was lost: resume after `last`.
2. `TEXT_MESSAGE_START` opens the message `messageId` with the text "". For a message that is open already it
   means: start over, the model is asked again (its connection broke, or its worker died).
3. `TEXT_MESSAGE_CONTENT` has an `offset`, counted in Unicode code points. Append `delta` when the text has
   exactly that length; ignore the event otherwise.
4. `TEXT_MESSAGE_END` is numbered and carries `content`, the message's whole text: replace the text by it.
   This snapshot repairs whatever was lost, so deltas are for the eye and the snapshot for the record.
5. `RUN_FINISHED` and `RUN_ERROR` are numbered and the last of a run. A cancelled run ends with `RUN_ERROR`
   and the code `run-cancelled`.
6. `RUN_STARTED` carries AG-UI's `input`. When its `forwardedProps.replaces` names a run, that run and all
   later ones of the session no longer belong to the conversation: take them off.

The server helps clients that know AG-UI but not these rules: on one connection it sends a message's deltas in
order without a gap, and whatever is missing at the end as one more delta before `TEXT_MESSAGE_END`.

On the way through Valkey an event is an `Envelope`, which says where it belongs without being parsed.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from raptorflow.base.json import JsonObject, dumps

RUN_STARTED: Final = "RUN_STARTED"
RUN_FINISHED: Final = "RUN_FINISHED"
RUN_ERROR: Final = "RUN_ERROR"
STEP_STARTED: Final = "STEP_STARTED"
STEP_FINISHED: Final = "STEP_FINISHED"
TEXT_MESSAGE_START: Final = "TEXT_MESSAGE_START"
TEXT_MESSAGE_CONTENT: Final = "TEXT_MESSAGE_CONTENT"
TEXT_MESSAGE_END: Final = "TEXT_MESSAGE_END"
TOOL_CALL_START: Final = "TOOL_CALL_START"
TOOL_CALL_ARGS: Final = "TOOL_CALL_ARGS"
TOOL_CALL_END: Final = "TOOL_CALL_END"
TOOL_CALL_RESULT: Final = "TOOL_CALL_RESULT"
STATE_SNAPSHOT: Final = "STATE_SNAPSHOT"
MESSAGES_SNAPSHOT: Final = "MESSAGES_SNAPSHOT"
CUSTOM: Final = "CUSTOM"

LAST_OF_RUN: Final = frozenset({RUN_FINISHED, RUN_ERROR})
CANCELLED: Final = "run-cancelled"


@dataclass(frozen=True)
class NewEvent:
    """An event that gets its number when its step is committed."""

    type: str
    payload: JsonObject


@dataclass(frozen=True)
class RunRef:
    """A run: the ids that every event names, and whose it is."""

    run_id: UUID
    session_id: UUID
    org_id: UUID


def message_id(run_id: UUID, position: int) -> str:
    """The id of a transcript entry, the same wherever it is named."""
    return f"{run_id}.{position}"


def wire(ref: RunRef, event_type: str, payload: JsonObject, seq: int | None = None) -> str:
    """An event as the client receives it."""
    return dumps(as_sent(ref, event_type, payload, seq))


def as_sent(ref: RunRef, event_type: str, payload: JsonObject, seq: int | None = None) -> JsonObject:
    """The same before it is text."""
    head: JsonObject = {"type": event_type, "runId": str(ref.run_id), "threadId": str(ref.session_id)}
    number: JsonObject = {} if seq is None else {"seq": seq}
    return {**head, **number, **payload}


def run_started(ref: RunRef, asked: JsonObject, properties: JsonObject) -> NewEvent:
    """A worker has taken the run for the first time.

    Args:
        ref: the run.
        asked: the user's message, `{"text", "files"}`.
        properties: what else there is to say of the run, as `forwardedProps` of AG-UI's `RunAgentInput`.
    """
    message = {"id": message_id(ref.run_id, 0), "role": "user", "content": asked["text"]}
    told: JsonObject = {
        "threadId": str(ref.session_id),
        "runId": str(ref.run_id),
        "state": {},
        "messages": [message],
        "tools": [],
        "context": [],
        "forwardedProps": {**properties, "files": asked.get("files", [])},
    }
    return NewEvent(RUN_STARTED, {"input": told})


def run_finished(usage: JsonObject) -> NewEvent:
    """The run has its answer."""
    return NewEvent(RUN_FINISHED, {"usage": usage})


def run_error(code: str, message: str, hint: str | None = None) -> NewEvent:
    """The run ended without an answer."""
    extra = {"hint": hint} if hint else {}
    return NewEvent(RUN_ERROR, {"code": code, "message": message, **extra})


def run_cancelled(message: str = "The run was cancelled.") -> NewEvent:
    """The run was ended before its answer."""
    return run_error(CANCELLED, message)


def step_started(index: int, kind: str, name: str) -> NewEvent:
    """A step has begun; `stepName` is unique in the run."""
    return NewEvent(STEP_STARTED, {"stepName": step_name(index, name), "kind": kind, "name": name})


def step_finished(index: int, kind: str, name: str, facts: JsonObject) -> NewEvent:
    """A step is over.

    Args:
        index: the step's place in the run.
        kind: `model` or `tool`.
        name: the model's or the tool's name.
        facts: `timings` (milliseconds), `status`, and what else there is to tell.
    """
    named: JsonObject = {"stepName": step_name(index, name), "kind": kind, "name": name}
    return NewEvent(STEP_FINISHED, {**named, **facts})


def step_name(index: int, name: str) -> str:
    """What AG-UI matches a step's start and end by."""
    return f"{index} {name}"


def text_ended(message: str, text: str, generation: int) -> NewEvent:
    """A message is whole; `content` is the snapshot."""
    return NewEvent(TEXT_MESSAGE_END, {"messageId": message, "content": text, "generation": generation})


def tool_called(call_id: str, name: str, arguments: str, parent: str) -> list[NewEvent]:
    """The model called a tool: start, arguments and end at once, when the call is complete."""
    call: JsonObject = {"toolCallId": call_id}
    return [
        NewEvent(TOOL_CALL_START, {**call, "toolCallName": name, "parentMessageId": parent}),
        NewEvent(TOOL_CALL_ARGS, {**call, "delta": arguments}),
        NewEvent(TOOL_CALL_END, call),
    ]


def tool_result(call_id: str, message: str, content: str) -> NewEvent:
    """What a tool answered, as the model sees it."""
    result = {"toolCallId": call_id, "messageId": message, "content": content, "role": "tool"}
    return NewEvent(TOOL_CALL_RESULT, result)


def state_snapshot(state: JsonObject) -> NewEvent:
    """The session's state after a step changed it."""
    return NewEvent(STATE_SNAPSHOT, {"snapshot": state})


def custom(name: str, value: Any) -> NewEvent:
    """Something AG-UI has no name for: `artifact`, `run-resumed`, `step-unknown`, `skill-activated`, ..."""
    return NewEvent(CUSTOM, {"name": name, "value": value})
