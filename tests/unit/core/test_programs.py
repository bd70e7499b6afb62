"""A program of ours tells whoever started it that it works, or why it ended."""

import os
from pathlib import Path

import pytest

from raptorflow.base.errors import Conflict
from raptorflow.core.programs import READY_FILE_VARIABLE, end_with, has_said_ready, said_problem, say_ready


def test_the_last_reason_is_found_between_other_words(capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        with pytest.raises(SystemExit):
            end_with(Conflict(f"Number {number}.", hint="Wait."))
    log = f"starting\n{capsys.readouterr().err}Traceback\n  problem: in some code\nproblem: {{cut off"
    found = said_problem(log)
    assert found
    assert (found["code"], found["detail"], found["hint"]) == ("conflict", "Number 2.", "Wait.")
    assert said_problem("nothing") is None


def test_people_read_the_sentence_last() -> None:
    with pytest.raises(SystemExit) as ended:
        end_with(Conflict("It is taken.", hint="Wait."))
    assert ended.value.code == "It is taken. Wait."


def test_only_this_process_s_word_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ready"
    say_ready()  # nobody asked
    assert not has_said_ready(file, os.getpid())
    monkeypatch.setenv(READY_FILE_VARIABLE, str(file))
    say_ready()
    assert has_said_ready(file, os.getpid())
    assert not has_said_ready(file, os.getpid() + 1)
