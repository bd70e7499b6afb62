"""`raptorflow ask` about files as people have them: an answer, or a clear refusal and exit code 1."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., str]
Ask = Callable[..., dict[str, Any]]

BUDGET = "Which campaign should get more budget?"
MIB = 1024 * 1024


def campaigns(names: tuple[str, str] = ("Alpha", "Beta")) -> str:
    """A table in which the second campaign converts far better."""
    chance = random.Random(1)
    rows = ["campaign,spend,conversions"]
    for _ in range(30):
        rows += [f"{names[0]},10,{chance.randint(0, 2)}", f"{names[1]},10,{chance.randint(8, 10)}"]
    return "\n".join(rows) + "\n"


def write(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_a_question_about_a_file_is_answered(ask: Ask, tmp_path: Path) -> None:
    told = ask(BUDGET, write(tmp_path, campaigns()))
    assert told["answer"].startswith("Beta should get more budget")
    assert (told["skill"], told["sandbox"]["status"]) == ("analytics", "ok")
    assert told["search_ms"] > 0
    assert told["load_ms"] > 0
    assert [event["seq"] for event in told["events"]] == list(range(1, len(told["events"]) + 1))
    (chart,) = told["artifacts"]
    assert (tmp_path / chart["path"]).read_bytes().startswith(b"\x89PNG")
    assert "unused_files" not in told


def test_a_person_sees_the_steps_the_answer_and_the_table(command: Command, tmp_path: Path) -> None:
    told = command("ask", BUDGET, "--file", str(write(tmp_path, campaigns())))
    for words in ("Searched the skills", "Loaded analytics", "Ran analytics compare", "Beta should get"):
        assert words in told
    assert "What happened" in told
    assert "chart.png" in told


def test_a_file_that_is_not_utf_8_is_read_all_the_same(ask: Ask, tmp_path: Path) -> None:
    text = campaigns(("Frühling", "Größe")).encode("cp1252")
    told = ask(BUDGET, write(tmp_path, text))
    assert told["answer"].startswith("Größe should get more budget")


def test_rows_that_do_not_fit_are_counted_in_the_answer(ask: Ask, tmp_path: Path) -> None:
    told = ask(BUDGET, write(tmp_path, campaigns() + "Beta\nBeta,1,2,3\n"))
    assert "Beta should get more budget" in told["answer"]
    assert "2 of 62 rows have another number of fields than the header" in told["answer"]


@pytest.mark.parametrize(
    ("content", "question", "said"),
    [
        (campaigns(), "Compare conversions by channel", "no column 'channel'"),
        (b"", BUDGET, "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00" + random.Random(2).randbytes(4000), BUDGET, "not a CSV"),
        (campaigns() + '"Gamma,1,2\nBeta,1,2\n', BUDGET, "a quote that is never closed"),
    ],
    ids=["missing-column", "empty", "binary", "open-quote"],
)
def test_a_file_that_does_not_do_is_refused_with_the_reason(
    ask: Ask, command: Command, tmp_path: Path, content: str | bytes, question: str, said: str
) -> None:
    file = write(tmp_path, content)
    told = ask(question, file, code=1)
    assert said in told["answer"]
    assert told["sandbox"]["status"] == "error"
    assert said in command("ask", question, "--file", str(file), code=1)


def test_a_file_of_200_mb_is_refused_with_the_limit(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as opened:
        opened.write(campaigns().encode())
        opened.truncate(200 * MIB)
    told = ask(BUDGET, file, code=1)
    assert told["error"]["code"] == "file-too-large"
    assert "100 MiB" in told["error"]["detail"]
    assert told["error"]["hint"]


def test_of_two_files_the_one_that_was_not_read_is_named(ask: Ask, command: Command, tmp_path: Path) -> None:
    first = write(tmp_path, campaigns(("Old", "Older")), "first.csv")
    second = write(tmp_path, campaigns(), "second.csv")
    told = ask(BUDGET, first, second)
    assert told["answer"].startswith("Beta should get more budget")
    assert told["unused_files"] == ["first.csv"]
    said = command("ask", BUDGET, "--file", str(first), "--file", str(second))
    assert "first.csv was not read" in said
