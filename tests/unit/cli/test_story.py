"""What the command line tells of a run, from its events alone."""

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
