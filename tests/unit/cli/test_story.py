"""What the command line tells of a run, from its events alone."""

import pytest

from raptorflow.base.json import JsonObject
from raptorflow.cli.story import Story


def step(seq: int, name: str, **facts: object) -> JsonObject:
    event: JsonObject = {"type": "STEP_FINISHED", "seq": seq, "kind": "tool", "name": name, "status": "ok"}
    return {**event, "timings": {"tool_ms": 12.5, "search_ms": 11.0, "load_ms": 10.0}, **facts}


SANDBOX = {"driver": "local", "status": "ok", "wall_ms": 180.0, "weakened": ["memory"]}
EVENTS: list[JsonObject] = [
    {"type": "RUN_STARTED", "seq": 1},
    step(2, "search_skills", found=3),
    step(3, "load_skill", skill="analytics", version="1.0.0"),
    step(
        4,
        "analytics__compare",
        skill="analytics",
        action="compare",
        sandbox=SANDBOX,
        artifacts=[{"name": "chart.png", "size": 9}],
    ),
    {"type": "TEXT_MESSAGE_CONTENT", "delta": "lost or not", "offset": 0},
    {"type": "TEXT_MESSAGE_END", "seq": 5, "messageId": "m", "content": "A is best."},
    {"type": "RUN_FINISHED", "seq": 6},
]


def test_a_run_is_told_whole_and_repeats_change_nothing() -> None:
    story = Story()
    lines = [line for event in [*EVENTS, *EVENTS] if (line := story.take(event))]
    assert len(lines) == 3
    assert "only supervised: memory" in lines[2]
    report = story.report()
    assert report["answer"] == "A is best."
    assert (report["skill"], report["version"]) == ("analytics", "1.0.0")
    assert (report["search_ms"], report["load_ms"]) == (11.0, 10.0)
    assert report["sandbox"] == SANDBOX
    assert [event["seq"] for event in report["events"]] == [1, 2, 3, 4, 5, 6]
    assert report["artifacts"][0]["name"] == "chart.png"
    assert story.finished


def test_a_failed_run_says_why() -> None:
    story = Story()
    story.take(
        {"type": "RUN_ERROR", "seq": 1, "code": "model-unreachable", "message": "Gone.", "hint": "Wait."}
    )
    assert story.report()["error"] == {"code": "model-unreachable", "message": "Gone.", "hint": "Wait."}
    assert story.finished


@pytest.mark.parametrize(("status", "failed"), [("ok", False), ("error", True), ("timeout", True)])
def test_a_run_whose_last_action_failed_has_failed(status: str, failed: bool) -> None:
    story = Story()
    for seq, each in enumerate(["error", status], 1):
        story.take(step(seq, "analytics__compare", skill="analytics", sandbox={**SANDBOX, "status": each}))
    assert story.failed == failed


def test_files_that_no_action_was_called_with_are_named() -> None:
    story = Story(files=["a.csv", "data.csv", "b.csv"])
    assert story.unused_files == []
    story.take({"type": "TOOL_CALL_ARGS", "seq": 1, "delta": '{"query":"budget (csv file)"}'})
    assert story.unused_files == []
    story.take({"type": "TOOL_CALL_ARGS", "seq": 2, "delta": '{"file":"data.csv"}'})
    assert story.unused_files == ["a.csv", "b.csv"]
    assert story.report()["unused_files"] == ["a.csv", "b.csv"]
    assert "unused_files" not in Story(files=["a.csv"]).report()


@pytest.mark.parametrize(
    ("type_", "kind", "name", "said"),
    [
        ("STEP_STARTED", "tool", "analytics__compare", "Running analytics compare ..."),
        ("STEP_STARTED", "tool", "search_skills", "Searching the skills ..."),
        ("STEP_STARTED", "model", "offline", "Thinking ..."),
        ("STEP_FINISHED", "tool", "analytics__compare", "Thinking ..."),
        # Its text may still be on the way to the screen.
        ("STEP_FINISHED", "model", "offline", None),
        ("RUN_STARTED", "", "", None),
    ],
)
def test_whoever_waits_is_told_what_for(type_: str, kind: str, name: str, said: str | None) -> None:
    assert Story().doing({"type": type_, "kind": kind, "name": name}) == said
