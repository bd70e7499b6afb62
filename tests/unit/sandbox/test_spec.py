"""What makes no sense is refused before anything is built."""

import dataclasses
from pathlib import Path

import pytest

from raptorflow.sandbox.errors import SandboxSpecInvalid
from raptorflow.sandbox.spec import SandboxSpec

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
