"""What makes no sense is refused before anything is built."""

import dataclasses
import os
from pathlib import Path

import pytest

from raptorflow.sandbox.errors import SandboxSpecInvalid
from raptorflow.sandbox.spec import MAX_INPUT_FILES_BYTES, SandboxSpec

MOST = 1000


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    return SandboxSpec(command=("python", "run.py"), skill_dir=tmp_path, python=Path("/usr/bin/python3"))


def test_a_sound_spec_passes(spec: SandboxSpec, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a,b")
    inputs = {"data.csv": data, "naïve name (1).csv": data}
    dataclasses.replace(spec, inputs=inputs, env={"MODE": "x"}).check(max_input_bytes=MOST)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"command": ()}, "no program"),
        ({"command": ("",)}, "no program"),
        ({"command": ("-c", "x")}, "no program"),
        ({"command": ("python", "a\0b")}, "NUL"),
        ({"env": {"X": "a\0b"}}, "NUL"),
        ({"env": {"A=B": "x"}}, "'A=B'"),
        ({"env": {"1X": "x"}}, "'1X'"),
        ({"run_id": ""}, "run id"),
        ({"run_id": "../x"}, "run id"),
        ({"run_id": "a/b"}, "run id"),
        ({"stdin": b"x" * (MOST + 1)}, "1001 bytes"),
        ({"skill_dir": Path("/no/such/folder")}, "/no/such/folder"),
        ({"env_dir": Path("/no/such/folder")}, "/no/such/folder"),
        ({"inputs": {"x": Path("/no/such/file")}}, "/no/such/file"),
        ({"inputs": {"x": Path("/usr")}}, "/usr"),
        ({"inputs": {"../x": Path("/usr/bin/env")}}, "'../x'"),
        ({"inputs": {"..": Path("/usr/bin/env")}}, "'..'"),
        ({"inputs": {".": Path("/usr/bin/env")}}, "'.'"),
        ({"inputs": {"": Path("/usr/bin/env")}}, "''"),
        ({"inputs": {"a\nb": Path("/usr/bin/env")}}, "input"),
    ],
)
def test_what_makes_no_sense_is_named(spec: SandboxSpec, changes: dict[str, object], part: str) -> None:
    with pytest.raises(SandboxSpecInvalid) as refused:
        dataclasses.replace(spec, **changes).check(max_input_bytes=MOST)
    assert part in refused.value.message


def test_input_files_are_bounded_together(spec: SandboxSpec, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(500))
    inputs = {name: tmp_path / name for name in ("a", "b")}
    asked = dataclasses.replace(spec, inputs=inputs)
    asked.check(max_input_bytes=0, max_input_files_bytes=1000)
    with pytest.raises(SandboxSpecInvalid, match="1000 bytes together, at most 999") as refused:
        asked.check(max_input_bytes=0, max_input_files_bytes=999)
    assert "RAPTORFLOW_SANDBOX__MAX_INPUT_FILES_BYTES" in str(refused.value.hint)


def test_input_files_have_a_bound_that_nobody_needs_to_name(spec: SandboxSpec, tmp_path: Path) -> None:
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", MAX_INPUT_FILES_BYTES + 1)
    with pytest.raises(SandboxSpecInvalid, match="together"):
        dataclasses.replace(spec, inputs={"x": tmp_path / "huge"}).check(max_input_bytes=0)
