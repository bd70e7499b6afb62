"""The offline model: which skill, which action, which arguments, which words. Always the same."""

from typing import Any

import pytest
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

from raptorflow.base.json import JsonObject, dumps
from raptorflow.orchestrator.language_models.arguments import Request, fill, missing
from raptorflow.orchestrator.language_models.offline_rules import decide
from raptorflow.orchestrator.language_models.rendering import render

FILE: JsonObject = {"type": "string", "format": "file", "enum": ["old.csv", "campaigns.csv", "leads.csv"]}
PROFILE: JsonObject = {
    "type": "object",
    "properties": {"file": FILE, "question": {"type": "string"}},
    "required": ["file"],
}
COMPARE: JsonObject = {
    "type": "object",
    "properties": {"file": FILE, "by": {"type": "string", "description": "The column to compare by."}},
    "required": ["file", "by"],
}
TOOLS = [
    ToolDefinition(name="analytics__profile", description="Profile a table.", parameters_json_schema=PROFILE),
    ToolDefinition(name="analytics__compare", description="Compare groups.", parameters_json_schema=COMPARE),
]


def hit(name: str, words: float, *, installed: bool = True) -> JsonObject:
    told: JsonObject = {"name": name, "version": "1.0.0", "description": f"{name} does it"}
    return {**told, "score": 1.0, "words": words, "similarity": 0.0, "installed": installed}


def conversation(text: str, *results: tuple[str, JsonObject]) -> list[ModelMessage]:
    messages: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(text)])]
    for number, (tool, output) in enumerate(results):
        arguments = {"name": output["loaded"]} if "loaded" in output else {}
        messages.append(ModelResponse(parts=[ToolCallPart(tool, arguments, tool_call_id=str(number))]))
        messages.append(ModelRequest(parts=[ToolReturnPart(tool, dumps(output), tool_call_id=str(number))]))
    return messages


def call(messages: list[ModelMessage], tools: list[ToolDefinition]) -> tuple[str, Any]:
    decision = decide(messages, tools, 0.2)
    assert isinstance(decision, ToolCallPart), decision
    return decision.tool_name, decision.args


def answer(messages: list[ModelMessage], tools: list[ToolDefinition]) -> str:
    decision = decide(messages, tools, 0.2)
    assert isinstance(decision, TextPart), decision
    assert "No language model is connected" in decision.content
    return decision.content


FOUND = ("search_skills", {"skills": [hit("analytics", 0.5), hit("hubspot", 0.1)]})
LOADED = ("load_skill", {"loaded": "analytics"})
ASKED = "which campaign should get more budget?\n\n[Attached: campaigns.csv]"


def test_the_way_to_an_answer() -> None:
    assert call(conversation(ASKED), []) == (
        "search_skills",
        {"query": "which campaign should get more budget? (csv file)"},
    )
    assert call(conversation(ASKED, FOUND), []) == ("load_skill", {"name": "analytics"})
    arguments = {"file": "campaigns.csv", "question": "which campaign should get more budget?"}
    assert call(conversation(ASKED, FOUND, LOADED), TOOLS) == ("analytics__profile", arguments)
    done = ("analytics__profile", {"answer": "Campaign B.", "artifacts": ["chart.png"]})
    text = answer(conversation(ASKED, FOUND, LOADED, done), TOOLS)
    assert text.startswith("Campaign B.\nFiles: chart.png\n(from the skill analytics 1.0.0)")


def test_a_loaded_skill_is_not_loaded_again() -> None:
    assert call(conversation(ASKED, FOUND), TOOLS)[0] == "analytics__profile"


def test_the_best_matching_action_is_taken_when_its_arguments_are_known() -> None:
    text = 'compare the groups by "region" in leads.csv\n\n[Attached: campaigns.csv]'
    arguments = {"file": "leads.csv", "by": "region"}
    assert call(conversation(text, FOUND, LOADED), TOOLS) == ("analytics__compare", arguments)


def test_nothing_convinces() -> None:
    nothing = ("search_skills", {"skills": [hit("hubspot", 0.1), hit("ads", 0.9, installed=False)]})
    text = answer(conversation("sing a song", nothing), [])
    assert "hubspot" in text
    assert "Not installed, but it may fit: ads" in text
    assert "No skill is installed yet" in answer(conversation("x", ("search_skills", {"skills": []})), [])


def test_what_is_missing_is_asked_for() -> None:
    nameless = ToolDefinition(
        name="analytics__profile",
        parameters_json_schema={
            "type": "object",
            "properties": {"file": {"type": "string", "format": "file"}},
            "required": ["file"],
        },
    )
    text = answer(conversation("profile it", FOUND, LOADED), [nameless])
    assert "--file" in text


def test_a_skill_of_instructions_alone() -> None:
    assert "instructions" in answer(conversation("x", FOUND, LOADED), [])


def test_errors_are_passed_on_with_their_hints() -> None:
    error = ("analytics__profile", {"error": {"code": "c", "message": "No column spend.", "hint": "Add it."}})
    text = answer(conversation(ASKED, FOUND, LOADED, error), TOOLS)
    assert "No column spend." in text
    assert "Add it." in text


def test_only_this_turn_counts() -> None:
    earlier = conversation(ASKED, FOUND, LOADED)
    later = [*earlier, ModelResponse(parts=[TextPart("done")]), *conversation("and now?")]
    assert call(later, TOOLS)[0] == "search_skills"


@pytest.mark.parametrize(
    ("name", "schema", "text", "value"),
    [
        ("mode", {"enum": ["fast", "slow"]}, "do it Slow please", "slow"),
        ("mode", {"enum": ["fast", "slow"]}, "do it", None),
        ("days", {"type": "integer"}, "the last 30 days and 5 rows", 30),
        ("limit", {"type": "integer", "minimum": 1}, "show me 7", 7),
        ("limit", {"type": "integer"}, "between 3 and 4", None),
        ("rate", {"type": "number"}, "at a rate of 2.5", 2.5),
        ("rate", {"type": "integer"}, "at a rate of 2.5", None),
        ("count", {"type": "integer", "maximum": 10}, "count 99", None),
        ("start_date", {"type": "string", "format": "date"}, "from 2026-01-31 on", "2026-01-31"),
        ("verbose", {"type": "boolean"}, "be verbose", True),
        ("verbose", {"type": "boolean"}, "be quiet", None),
        ("column", {"type": "string"}, 'by "spend"', "spend"),
        ("columns", {"type": "array", "items": {"type": "string"}}, 'by "a" and "b"', ["a", "b"]),
        ("kind", {"const": "x"}, "anything", "x"),
        ("query", {"type": "string", "maxLength": 4}, "long text", "long"),
    ],
)
def test_arguments(name: str, schema: JsonObject, text: str, value: Any) -> None:
    filled = fill({"properties": {name: schema}}, Request(text, ()))
    assert filled.get(name) == value


def test_dates_are_taken_in_order_and_defaults_when_required() -> None:
    schema: JsonObject = {
        "properties": {
            "start_date": {"type": "string"},
            "end_date": {"type": "string"},
            "unit": {"type": "string", "default": "EUR"},
        },
        "required": ["unit", "nothing"],
    }
    filled = fill(schema, Request("2026-01-01 to 2026-02-01", ()))
    assert filled == {"start_date": "2026-01-01", "end_date": "2026-02-01", "unit": "EUR"}
    assert missing(schema, filled) == ["nothing"]


def test_output_without_an_answer_is_told_shortly() -> None:
    rows = [{"name": f"n{number}", "spend": number} for number in range(9)]
    text = render({"total": 9, "rows": rows}, "s", "1.0.0")
    assert "total: 9" in text
    assert "- name n0, spend 0" in text
    assert "and 4 more" in text


def action(name: str, *required: str, file: bool = False) -> ToolDefinition:
    properties: JsonObject = {key: {"type": "string"} for key in required}
    properties |= {"file": FILE} if file else {}
    schema: JsonObject = {"type": "object", "properties": properties, "required": list(required)}
    return ToolDefinition(name=name, description="Does it.", parameters_json_schema=schema)


ADS_FIRST = ("search_skills", {"skills": [hit("ads", 0.9), hit("analytics", 0.5)]})
ADS_LOADED = ("load_skill", {"loaded": "ads"})


def test_a_skill_without_use_for_the_file_gives_way() -> None:
    assert call(conversation(ASKED, ADS_FIRST), []) == ("load_skill", {"name": "ads"})
    ads = [action("ads__report")]
    assert call(conversation(ASKED, ADS_FIRST, ADS_LOADED), ads) == ("load_skill", {"name": "analytics"})
    assert call(conversation("how are my ads?", ADS_FIRST, ADS_LOADED), ads)[0] == "ads__report"


def test_nothing_is_changed_that_nobody_asked_to_change() -> None:
    tools = [action("ads__set-budget"), action("ads__pause-campaign")]
    asked = "which campaign is best?"
    assert "set-budget, pause-campaign" in answer(conversation(asked, ADS_FIRST, ADS_LOADED), tools)
    told = conversation("pause the campaign", ADS_FIRST, ADS_LOADED)
    assert call(told, tools)[0] == "ads__pause-campaign"
