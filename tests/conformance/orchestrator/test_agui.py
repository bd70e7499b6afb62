"""Events have the fields that AG-UI asks for (https://docs.ag-ui.com/sdk/python/core/events)."""

from uuid import UUID

import pytest

from raptorflow.base.json import JsonObject, loads
from raptorflow.orchestrator import events
from raptorflow.orchestrator.events import NewEvent, RunRef
from raptorflow.orchestrator.streams.envelope import numbered, text_delta, text_start

REF = RunRef(UUID(int=1), UUID(int=2), UUID(int=3))
REQUIRED: dict[str, set[str]] = {
    "RUN_STARTED": {"threadId", "runId", "input"},
    "RUN_FINISHED": {"threadId", "runId"},
    "RUN_ERROR": {"message", "code"},
    "STEP_STARTED": {"stepName"},
    "STEP_FINISHED": {"stepName"},
    "TEXT_MESSAGE_START": {"messageId", "role"},
    "TEXT_MESSAGE_CONTENT": {"messageId", "delta"},
    "TEXT_MESSAGE_END": {"messageId"},
    "TOOL_CALL_START": {"toolCallId", "toolCallName", "parentMessageId"},
    "TOOL_CALL_ARGS": {"toolCallId", "delta"},
    "TOOL_CALL_END": {"toolCallId"},
    "TOOL_CALL_RESULT": {"messageId", "toolCallId", "content"},
    "STATE_SNAPSHOT": {"snapshot"},
    "CUSTOM": {"name", "value"},
}
ASKED: JsonObject = {"text": "Count", "files": [{"id": "f", "name": "a.txt", "size": 3}]}
STARTED = events.run_started(REF, ASKED, {"turn": 4, "replaces": None})
EVENTS = [
    STARTED,
    events.run_finished({}),
    events.run_error("code", "message", "hint"),
    events.step_started(0, "model", "offline"),
    events.step_finished(0, "model", "offline", {}),
    events.text_ended("m", "text", 1),
    *events.tool_called("c", "search_skills", "{}", "m"),
    events.tool_result("c", "m", "content"),
    events.state_snapshot({}),
    events.custom("name", 1),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_numbered_events(event: NewEvent) -> None:
    frame: JsonObject = loads(numbered(REF, 7, event.type, event.payload).frame)
    assert frame["type"] == event.type
    assert frame["seq"] == 7
    assert REQUIRED[event.type] <= set(frame)


def test_a_runs_start_says_what_was_asked() -> None:
    """AG-UI's RunAgentInput (https://docs.ag-ui.com/sdk/python/core/types#runagentinput), all of it."""
    frame: JsonObject = loads(numbered(REF, 1, STARTED.type, STARTED.payload).frame)
    assert frame["input"] == {
        "threadId": frame["threadId"],
        "runId": frame["runId"],
        "state": {},
        "messages": [{"id": f"{REF.run_id}.0", "role": "user", "content": "Count"}],
        "tools": [],
        "context": [],
        "forwardedProps": {"turn": 4, "replaces": None, "files": ASKED["files"]},
    }


def test_live_text() -> None:
    start: JsonObject = loads(text_start(REF, "m"))
    assert REQUIRED["TEXT_MESSAGE_START"] <= set(start)
    delta: JsonObject = loads(text_delta(REF, 1, "m", 1, 0, "word").frame)
    assert REQUIRED["TEXT_MESSAGE_CONTENT"] <= set(delta)
    assert "seq" not in start
    assert "seq" not in delta


def test_a_steps_start_and_end_have_the_same_name() -> None:
    started, finished = events.step_started(3, "tool", "t"), events.step_finished(3, "tool", "t", {})
    assert started.payload["stepName"] == finished.payload["stepName"]
