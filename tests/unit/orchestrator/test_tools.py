"""Tools as models see them, their schemas, file names, the queue to a client, upload forms."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.base.json import JsonObject
from raptorflow.orchestrator.errors import InvalidUpload, ModelKeyRefused, ModelUnknown
from raptorflow.orchestrator.files.store import safe_name, unused_name
from raptorflow.orchestrator.files.uploads import multipart_file
from raptorflow.orchestrator.language_models.factory import build_model
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.streams.outbox import Outbox
from raptorflow.orchestrator.tools.definitions import tool_name
from raptorflow.orchestrator.tools.schemas import file_inputs, problems, with_files

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "file", "description": "A table."},
        "n": {"type": "integer"},
    },
    "required": ["file"],
    "additionalProperties": False,
}


def test_file_inputs_name_the_sessions_files() -> None:
    narrowed = with_files(SCHEMA, ["a.csv", "b.csv"])
    assert narrowed["properties"]["file"]["enum"] == ["a.csv", "b.csv"]
    assert narrowed["properties"]["file"]["description"].startswith("A table. The name of a file")
    assert "enum" not in with_files(SCHEMA, [])["properties"]["file"]
    assert file_inputs(SCHEMA) == ["file"]
    assert with_files({"type": "object"}, ["x"]) == {"type": "object"}


def test_problems_name_the_place() -> None:
    schema = with_files(SCHEMA, ["a.csv"])
    assert problems(schema, {"file": "a.csv", "n": 1}) == []
    assert len(problems(schema, {"n": "x", "more": 1})) == 3
    assert problems(schema, {"file": "z.csv"})[0].startswith("file: ")


@given(st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True), st.from_regex(r"[a-z0-9_.]{1,64}", fullmatch=True))
def test_tool_names_are_what_providers_take(skill: str, action: str) -> None:
    name = tool_name(skill, action)
    assert len(name) <= 64
    assert all(letter.isalnum() or letter in "_-" for letter in name)


def test_long_tool_names_stay_apart() -> None:
    assert tool_name("s" * 60, "action_one") != tool_name("s" * 60, "action_two")


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("data.csv", "data.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\data.csv", "data.csv"),
        ("a\u202efdp.exe", "a_fdp.exe"),
        ("new\nline", "new_line"),
        (f"{'x' * 300}.csv", f"{'x' * 196}.csv"),
    ],
)
def test_file_names(given_name: str, name: str) -> None:
    assert safe_name(given_name) == name


@pytest.mark.parametrize("name", ["", "..", "/", " . "])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidUpload):
        safe_name(name)


@given(st.text(min_size=1, max_size=50))
def test_a_safe_name_is_one_component(name: str) -> None:
    try:
        safe = safe_name(name)
    except InvalidUpload:
        return
    assert "/" not in safe
    assert "\0" not in safe
    assert safe not in {".", ".."}


def test_unused_names() -> None:
    assert unused_name("a.csv", set()) == "a.csv"
    assert unused_name("a.csv", {"a.csv", "a (2).csv"}) == "a (3).csv"


async def test_an_outbox_gives_up_slow_clients_but_replays_everything() -> None:
    outbox = Outbox(3)
    outbox.put([str(number) for number in range(100)], replayed=True)
    outbox.put(["a", "b", "c"])
    assert not outbox.too_slow
    assert len(await anext(outbox.batches())) == 103
    outbox.put(["a", "b", "c"])
    outbox.put(["d"])
    assert outbox.too_slow
    assert [batch async for batch in outbox.batches()] == []


async def test_an_outbox_tells_the_end_of_a_run() -> None:
    outbox = Outbox(3)
    asyncio.get_running_loop().call_soon(outbox.run_ended, UUID(int=1))
    assert await anext(outbox.batches()) == []
    assert outbox.ended == {UUID(int=1)}


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


FORM = (
    b"--b\r\nContent-Disposition: form-data; name=note\r\n\r\nhello\r\n"
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="d.csv"\r\n\r\nx,y\r\n1,2\r\n\r\n--b--\r\n'
)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_the_first_file_of_a_form(size: int) -> None:
    name, content = await multipart_file(pieces(FORM, size), b"b")
    assert name == "d.csv"
    assert b"".join([piece async for piece in content]) == b"x,y\r\n1,2\r\n"


@pytest.mark.parametrize(
    "form", [b"", b"--b--\r\n", b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--"]
)
async def test_forms_without_a_file(form: bytes) -> None:
    with pytest.raises(InvalidUpload):
        await multipart_file(pieces(form, 10), b"b")


async def test_a_form_that_breaks_off() -> None:
    _, content = await multipart_file(pieces(FORM[:-20], 1000), b"b")
    with pytest.raises(InvalidUpload):
        _ = [piece async for piece in content]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"model": "gpt"}, ModelUnknown),
        ({"model": "nobody:gpt"}, ModelUnknown),
        ({"model": "openai:"}, ModelUnknown),
        ({"model": "openai-compatible:x", "model_base_url": None}, ModelUnknown),
        ({"model": "openai:gpt-5"}, ModelKeyRefused),
        ({"model": "anthropic:claude"}, ModelKeyRefused),
    ],
)
def test_settings_that_name_no_model(
    options: dict[str, Any], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "RAPTORFLOW_MODEL_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(error):
        build_model(OrchestratorSettings.model_validate(options))


def test_models_by_their_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPTORFLOW_MODEL", "openai-compatible:local")
    monkeypatch.setenv("RAPTORFLOW_MODEL_BASE_URL", "http://127.0.0.1:9/v1")
    assert build_model(OrchestratorSettings()).model_name == "local"
    monkeypatch.setenv("RAPTORFLOW_MODEL", "anthropic:claude-x")
    monkeypatch.setenv("RAPTORFLOW_MODEL_API_KEY", "k")
    assert build_model(OrchestratorSettings()).model_name == "claude-x"
    monkeypatch.delenv("RAPTORFLOW_MODEL")
    assert build_model(OrchestratorSettings()).model_name == "offline"
