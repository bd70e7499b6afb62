"""The analytics skill on files as people have them: the truth is found, and no table is said to be none."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raptorflow.samples.made_data import campaigns_csv

SKILLS = Path(__file__).parents[3] / "src/raptorflow/samples/skills"
SCRIPTS = SKILLS / "analytics/scripts"
LONGEST_SECONDS = 60


def run(script: str, folder: Path, content: bytes, **given: str) -> dict[str, Any]:
    """What an action prints, run as the sandbox runs it."""
    file = folder / "data.csv"
    file.write_bytes(content)
    finished = subprocess.run(
        [sys.executable, SCRIPTS / f"{script}.py"],
        input=json.dumps({"file": str(file), **given}).encode(),
        cwd=folder,
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert finished.returncode in {0, 2}, finished.stderr.decode()
    answer: dict[str, Any] = json.loads(finished.stdout)
    assert (finished.returncode == 2) == ("error" in answer)
    return answer


def two_groups(seed: int, rates: dict[str, float]) -> bytes:
    chance = random.Random(seed)
    rows = [
        f"{name},{chance.uniform(90, 110):.2f},{sum(chance.random() < rate for _ in range(200))}"
        for _ in range(30)
        for name, rate in rates.items()
    ]
    return ("channel,cost,orders\n" + "\n".join(rows) + "\n").encode()


def test_the_planted_winner_is_found_with_a_chart(tmp_path: Path) -> None:
    answer = run("compare", tmp_path, campaigns_csv(), question="which campaign should get more budget?")
    assert answer["answer"].startswith("Brand Search should get more budget")
    roles = {"group": "campaign", "metric": "conversions", "base": "spend", "cost": "spend"}
    assert answer["columns"] == roles
    assert answer["table"][1]["p_value"] < 0.05
    assert (tmp_path / "out/chart.png").read_bytes().startswith(b"\x89PNG")


def test_groups_that_do_not_differ_are_not_called_different(tmp_path: Path) -> None:
    found = 0
    for seed in range(12):
        answer = run("compare", tmp_path, two_groups(seed, {"a": 0.1, "b": 0.1}))
        found += answer["table"][1]["p_value"] < 0.05
    # By chance alone about one in twenty is.
    assert found <= 3


@pytest.mark.parametrize(
    ("content", "best"),
    [
        ("Kampagne;Kosten;Umsatz\n" + "Köln;1.000,50;9.000,00\nBonn;1.000,00;3.000,00\n" * 9, "Köln"),
        ("Kampagne;Kosten;Umsatz\n" + "München;10;90\nBonn;10;30\n" * 9, "München"),
        ("product\tsales\n" + "Tea\t$1,200\nMilk\t$900\n" * 9, "Tea"),
        ("region,score\n" + '"North, upper",5\n"South\nlower",3\n' * 9, "North, upper"),
    ],
    ids=["decimal-comma", "umlaut", "currency-and-tabs", "quoted"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_way_of_writing_a_table_is_read(tmp_path: Path, content: str, best: str, encoding: str) -> None:
    answer = run("compare", tmp_path, content.encode(encoding))
    assert answer["table"][0]["group"] == " ".join(best.split())


@pytest.mark.parametrize(
    ("content", "given", "code"),
    [
        (b"", {}, "file-empty"),
        (b" \n\n", {}, "file-empty"),
        (b"a,b\n", {}, "no-rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, {}, "not-text"),
        (b"PK\x03\x04" + b"x" * 99, {}, "not-text"),
        (b"x\n1\n2\n", {}, "one-column"),
        (b"name,colour\na,red\na,red\nb,blue\nb,blue\n", {}, "no-number"),
        (b"g,v\na,1\na,2\n", {"group_by": "g"}, "one-group"),
        (b"g,v\na,1\nb,2\n", {"metric": "profit"}, "column-missing"),
        (b"g,v\na,1\nb,2\n", {"question": "compare v by region"}, "column-missing"),
    ],
)
def test_what_cannot_be_compared_says_why_and_what_to_do(
    tmp_path: Path, content: bytes, given: dict[str, str], code: str
) -> None:
    error = run("compare", tmp_path, content, **given)["error"]
    assert error["code"] == code
    assert error["hint"]


def test_a_profile_tells_types_holes_outliers_and_trends(tmp_path: Path) -> None:
    rows = [
        f"2026-01-{day:02},{'x' if day % 2 else 'y'},{day * 10 + day % 3},{'' if day == 3 else 5}"
        for day in range(1, 29)
    ]
    rows[5] = rows[5].replace("60", "99999")
    answer = run("profile_table", tmp_path, ("day,kind,sales,five\n" + "\n".join(rows)).encode())
    kinds = {column["name"]: column["type"] for column in answer["columns"]}
    assert kinds == {"day": "date", "kind": "category", "sales": "number", "five": "number"}
    assert next(column for column in answer["columns"] if column["name"] == "five")["missing"] == 1
    assert next(column for column in answer["columns"] if column["name"] == "sales")["outliers"] == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=4), min_size=1, max_size=8),
    st.sampled_from(",;\t|"),
)
def test_no_table_at_all_leads_to_a_traceback(tmp_path: Path, rows: list[list[str]], delimiter: str) -> None:
    content = "\n".join(delimiter.join(row) for row in rows).encode("utf-8", "replace")
    for script in ("compare", "profile_table"):
        run(script, tmp_path, content)
