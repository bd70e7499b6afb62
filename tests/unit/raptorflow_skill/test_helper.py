"""The helper inside the sandbox, in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from raptorflow_skill.errors import SkillError
from raptorflow_skill.files import out_path
from raptorflow_skill.variables import variables

START = "from raptorflow_skill import action, progress\nfrom raptorflow_skill.errors import SkillError\n"


def run(body: str, given: bytes = b"{}") -> subprocess.CompletedProcess[bytes]:
    """Run a `main` with this body."""
    code = f"{START}def main(given):\n    {body}\naction.run(main)\n"
    return subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=False)


def test_an_object_goes_in_and_one_comes_out() -> None:
    done = run("return {'echo': given}", '{"name": "Zoë"}'.encode())
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"echo": {"name": "Zoë"}}


def test_no_input_is_an_empty_object() -> None:
    assert json.loads(run("return given", b"").stdout) == {}


def test_a_skill_error_is_printed_and_exits_2() -> None:
    done = run("raise SkillError('column-missing', 'There is no column x.', 'Choose another.')")
    assert done.returncode == 2
    error = {"code": "column-missing", "message": "There is no column x.", "hint": "Choose another."}
    assert json.loads(done.stdout) == {"error": error}
    assert done.stderr == b""


def test_anything_else_is_a_short_traceback_and_exits_1() -> None:
    done = run("return deep(60)\ndef deep(n):\n    return deep(n - 1) if n else 1 / 0")
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"ZeroDivisionError" in done.stderr
    assert done.stderr.count(b"\n") < 12


@pytest.mark.parametrize("result", ["float('nan')", "object()"])
def test_what_is_no_json_is_not_printed(result: str) -> None:
    done = run(f"return {{'value': {result}}}")
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize("given", [b"[1]", b"{", b'"x"', b"\xff"])
def test_input_that_is_no_object_is_refused(given: bytes) -> None:
    done = run("return {}", given)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "input-invalid"


def test_what_a_skill_prints_does_not_spoil_its_answer() -> None:
    done = run("print('debugging'); return {'answer': 'yes'}")
    assert json.loads(done.stdout) == {"answer": "yes"}
    assert done.stderr == b"debugging\n"


def test_half_a_character_does_not_break_the_answer() -> None:
    assert json.loads(run("return given", b'{"text": "\\ud800!"}').stdout) == {"text": "?!"}


def test_progress_is_a_line_on_stderr() -> None:
    done = run("progress.report(1.7, 'rows read'); return {}")
    assert json.loads(done.stderr) == {"progress": 1.0, "message": "rows read"}


def test_one_script_may_have_several_actions() -> None:
    code = f"{START}action.run(action.choose({{'one': lambda given: {{'did': 1}}}}))"
    known = subprocess.run([sys.executable, "-c", code, "one"], input=b"", capture_output=True, check=False)
    unknown = subprocess.run([sys.executable, "-c", code, "two"], input=b"", capture_output=True, check=False)
    assert json.loads(known.stdout) == {"did": 1}
    assert unknown.returncode == 2
    assert "one" in json.loads(unknown.stdout)["error"]["hint"]


def test_artefacts_go_below_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out_path("charts/one.png").write_bytes(b"x")
    assert (tmp_path / "out" / "charts" / "one.png").exists()
    for name in ("../up.png", "/abs.png", "", "."):
        with pytest.raises(SkillError, match="no name for a file"):
            out_path(name)


def test_variables_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAPTORFLOW_VARIABLES", raising=False)
    assert variables() == {}
    monkeypatch.setenv("RAPTORFLOW_VARIABLES", '{"currency": "EUR"}')
    assert variables() == {"currency": "EUR"}
    for broken in ("[1]", "{"):
        monkeypatch.setenv("RAPTORFLOW_VARIABLES", broken)
        with pytest.raises(SkillError):
            variables()


def test_the_helper_needs_nothing_but_python() -> None:
    code = (
        "import sys, raptorflow_skill.action, raptorflow_skill.services, raptorflow_skill.files\n"
        "known = sys.stdlib_module_names | {'raptorflow_skill', '__main__'}\n"
        "print([name for name in sys.modules if name.split('.')[0] not in known])"
    )
    folder = Path(str(sys.modules["raptorflow_skill.files"].__file__)).parent.parent
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(folder)}, capture_output=True, check=True
    )
    assert done.stdout.strip() == b"[]"
