"""The prompt under its budget, the transcript as messages, and the loaded skills."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from raptorflow.orchestrator.context.active import ActiveSkills
from raptorflow.orchestrator.context.entries import Entry, text_of, without_nul
from raptorflow.orchestrator.context.prompt import Prompt, build_prompt
from raptorflow.orchestrator.context.tokens import cut, estimate_tokens
from raptorflow.orchestrator.context.transcript import (
    NOT_RUN,
    is_answered,
    open_calls,
    response_content,
    to_messages,
    with_unique_calls,
)
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.model import Skill

NOTHING = Capabilities.none()


@dataclass(frozen=True)
class Loaded:
    skill: Skill
    ref: str = "test/skill"
    version: str = "1.0.0"
    digest: str = "sha256:0"
    granted: Capabilities = NOTHING
    skill_dir: Path = Path()
    env_dir: Path | None = None


def loaded(name: str, body: str = "Do it.") -> Loaded:
    return Loaded(Skill(name=name, description="d", version="1.0.0", body=body, digest="sha256:0"))


def user(turn: int, text: str) -> Entry:
    return Entry(turn, 0, "user", {"text": text, "files": []})


def says(turn: int, position: int, text: str) -> Entry:
    return Entry(turn, position, "assistant", response_content(ModelResponse(parts=[TextPart(text)])))


def calls(turn: int, position: int, *ids: str) -> Entry:
    parts = [ToolCallPart("t", {"x": 1}, tool_call_id=call_id) for call_id in ids]
    return Entry(turn, position, "assistant", response_content(ModelResponse(parts=parts)))


def result(turn: int, position: int, call_id: str, content: str = "r") -> Entry:
    return Entry(turn, position, "tool", {"tool_call_id": call_id, "tool_name": "t", "content": content})


def texts(prompt: Prompt) -> list[str]:
    found: list[str] = []
    for message in prompt.messages:
        for part in message.parts:
            if isinstance(part, UserPromptPart | ToolReturnPart | TextPart):
                found.append(str(part.content))
    return found


def prefix(prompt: Prompt) -> list[str]:
    first = prompt.messages[0]
    assert isinstance(first, ModelRequest)
    return [part.content for part in first.parts if isinstance(part, SystemPromptPart)]


HISTORY = [
    entry for turn in range(1, 9) for entry in (user(turn, f"q{turn} " * 200), says(turn, 1, f"a{turn}"))
]


def test_the_oldest_turns_go_first_and_skills_stay() -> None:
    prompt = build_prompt(HISTORY, [user(9, "now")], [loaded("one"), loaded("two")], budget=2000)
    kept = texts(prompt)
    assert kept[-1] == "now"
    assert kept[-2] == "a8"
    assert not any(text.startswith("q1") for text in kept)
    assert prompt.left_out > 0
    assert prompt.tokens <= 2000
    assert ['name="one"' in text for text in prefix(prompt)] == [False, False, True, False]


def test_the_prefix_does_not_change_with_the_conversation() -> None:
    skills = [loaded("one")]
    short = build_prompt([], [user(1, "a")], skills, budget=5000)
    long = build_prompt(HISTORY[:4], [user(9, "b")], skills, budget=5000)
    assert prefix(short) == prefix(long)
    assert prefix(build_prompt([], [user(1, "a")], [*skills, loaded("two")], budget=5000))[:3] == prefix(
        short
    )


def test_this_turn_is_never_left_out_but_its_old_results_shrink() -> None:
    turn = [
        user(1, "q"),
        calls(1, 1, "a"),
        result(1, 2, "a", "x" * 9000),
        calls(1, 3, "b"),
        result(1, 4, "b", "y" * 3000),
    ]
    kept = texts(build_prompt([], turn, [], budget=2500))
    assert kept[0] == "q"
    assert "[cut here" in kept[1]
    assert kept[2] == "y" * 3000


def test_a_long_skill_gets_its_share_only() -> None:
    prompt = build_prompt([], [user(1, "q")], [loaded("long", "w " * 50_000)], budget=4000)
    assert estimate_tokens(prefix(prompt)[2]) < 1100
    assert "[cut here" in prefix(prompt)[2]


def test_calls_without_a_result_get_one() -> None:
    messages = to_messages([user(1, "q"), calls(1, 1, "a", "b"), result(1, 2, "a"), user(2, "again")])
    assert [type(message).__name__ for message in messages] == [
        "ModelRequest",
        "ModelResponse",
        "ModelRequest",
    ]
    returned = {
        part.tool_call_id: part.content for part in messages[2].parts if isinstance(part, ToolReturnPart)
    }
    assert returned == {"a": "r", "b": NOT_RUN}


def test_what_comes_next() -> None:
    turn = [user(1, "q"), calls(1, 1, "a", "b"), result(1, 2, "a")]
    assert [call.tool_call_id for call in open_calls(turn)] == ["b"]
    assert not is_answered(turn)
    assert open_calls([*turn, result(1, 3, "b")]) == []
    assert is_answered([*turn, result(1, 3, "b"), says(1, 4, "done")])
    assert open_calls([user(1, "q")]) == []


def test_a_repeated_call_id_becomes_another() -> None:
    turn = [user(1, "q"), calls(1, 1, "a"), result(1, 2, "a")]
    again = with_unique_calls(ModelResponse(parts=[ToolCallPart("t", {}, tool_call_id="a")]), turn)
    call = again.parts[0]
    assert isinstance(call, ToolCallPart)
    assert call.tool_call_id != "a"


def test_text_of_entries() -> None:
    assert text_of(says(1, 1, "hello")) == "hello"
    assert text_of(result(1, 1, "a", "r")) == "r"
    assert without_nul({"a": ["x\0", {"b\0": 1}]}) == {"a": ["x\ufffd", {"b\ufffd": 1}]}


@given(st.text(max_size=500), st.integers(1, 200))
def test_cutting_stays_within_its_tokens(text: str, tokens: int) -> None:
    short = cut(text, tokens)
    assert short == text or estimate_tokens(short.partition("\n[cut here")[0]) <= tokens + 1


def test_estimates() -> None:
    assert estimate_tokens("") == 0
    assert 20 <= estimate_tokens("The quick brown fox jumps over the lazy dog. " * 2) <= 30
    assert 4 <= estimate_tokens("漢字仮名") <= 5


def test_the_least_recently_used_skill_leaves() -> None:
    active = ActiveSkills()
    for name in ("a", "b", "c"):
        active, leaving = active.activated(loaded(name), most=3)
        assert leaving == []
    active = active.used("a")
    active, leaving = active.activated(loaded("d"), most=3)
    assert leaving == ["b"]
    assert active.names() == ["a", "c", "d"]
    assert ActiveSkills.of(active.state()) == active
    again, leaving = active.activated(loaded("c"), most=3)
    assert (again.names(), leaving) == (["a", "c", "d"], [])
    assert active.without(["a", "x"]).names() == ["c", "d"]


@pytest.mark.parametrize("state", [{}, {"skills": []}])
def test_no_skills(state: dict[str, object]) -> None:
    assert ActiveSkills.of(state).names() == []
