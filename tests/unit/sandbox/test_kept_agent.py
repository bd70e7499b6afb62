"""The guest agent's code is made once, used by many, and believed only while it is what was made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from raptorflow.sandbox import places
from raptorflow.sandbox.agent.kept import agent_folder, keep
from raptorflow.sandbox.errors import SandboxUnavailable

PYTHON = Path(sys.executable)
KEEP = "import sys; from pathlib import Path; from raptorflow.sandbox.agent.kept import keep; "


def files(folder: Path) -> dict[str, bytes]:
    """Names and sources; the same source is not always compiled to the same bytes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.suffix == ".py" else b"" for path in found
    }


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return keep(PYTHON, tmp_path / "agents")


def test_it_is_compiled_and_readable_for_everybody(kept: Path) -> None:
    assert any(name.endswith(".pyc") for name in files(kept))
    assert kept.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in kept.rglob("*") if path.is_file()} == {0o644}
    assert kept.parent.stat().st_mode & 0o777 == 0o700


def test_it_is_made_once(kept: Path) -> None:
    before = {path: path.stat().st_ino for path in kept.rglob("*")}
    assert keep(PYTHON, kept.parent) == kept
    assert {path: path.stat().st_ino for path in kept.rglob("*")} == before
    assert len(list(kept.parent.iterdir())) == 3


def test_many_processes_at_once_make_one(tmp_path: Path) -> None:
    code = f"{KEEP}print(keep(Path(sys.executable), Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(tmp_path / "agents")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert len(list((tmp_path / "agents").iterdir())) == 3


def changed(kept: Path) -> None:
    (kept / "guest" / "main.py").write_text("import os")


def added(kept: Path) -> None:
    (kept / "guest" / "json.py").write_text("import os")


def cut_off(kept: Path) -> None:
    kept.with_suffix(".sha256").unlink()


def opened(kept: Path) -> None:
    (kept / "guest").chmod(0o777)


def linked(kept: Path) -> None:
    moved = kept.rename(kept.parent.parent / "elsewhere")
    kept.symlink_to(moved)


@pytest.mark.parametrize("harm", [changed, added, cut_off, opened, linked])
def test_what_is_not_what_was_made_is_made_anew(kept: Path, harm: Callable[[Path], None]) -> None:
    good = files(kept)
    harm(kept)
    assert keep(PYTHON, kept.parent) == kept
    assert files(kept) == good
    assert not kept.is_symlink()
    assert not (kept / "guest").stat().st_mode & 0o022


def test_a_place_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(SandboxUnavailable, match="others may write") as refused:
        keep(PYTHON, tmp_path)
    assert refused.value.hint


def removed(kept: Path) -> None:
    shutil.rmtree(kept.parent.parent)


def emptied(kept: Path) -> None:
    (kept / "guest" / "main.py").unlink()


@pytest.mark.parametrize("harm", [removed, emptied])
def test_what_is_cleaned_away_while_it_is_in_use_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(places, "_runtime_place", lambda: tmp_path / "runtime")
    folder = agent_folder(PYTHON)
    assert agent_folder(PYTHON) == folder
    good = files(folder)
    harm(folder)
    assert agent_folder(PYTHON) == folder
    assert files(folder) == good
    assert folder.is_relative_to(tmp_path)
    assert (tmp_path / "runtime").stat().st_mode & 0o777 == 0o700, "whoever makes it first makes it private"


@pytest.mark.parametrize(("python", "says"), [("/bin/false", "cannot compile"), ("/none", "is not there")])
def test_what_is_no_interpreter_is_named_and_leaves_nothing(tmp_path: Path, python: str, says: str) -> None:
    with pytest.raises(SandboxUnavailable, match=f"{python} {says}|{python} is not there") as refused:
        keep(Path(python), tmp_path / "agents")
    assert "RAPTORFLOW_SANDBOX__PYTHON" in str(refused.value.hint)
    assert set(os.listdir(tmp_path / "agents")) <= {"lock"}
