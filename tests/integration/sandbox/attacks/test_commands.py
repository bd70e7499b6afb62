"""`raptorflow sandbox attack` and `check`, as an operator calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECONDS = 120


def raptorflow(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "raptorflow.cli.main", "sandbox", *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "RAPTORFLOW_SANDBOX__ALLOW_SUPERVISED": "true", **variables},
    )


def last_line(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_chosen_attacks_end_with_one_line_of_counts(tmp_path: Path) -> None:
    done = raptorflow("attack", "--only", "r12,P3", "--json", "--report", str(tmp_path / "page.md"))
    counts = last_line(done)
    assert done.returncode == 0, done.stderr
    assert (counts["driver"], counts["attacks"], counts["unexpected"], counts["controls_dead"]) == (
        "local",
        2,
        0,
        0,
    )
    assert [row["attack_id"] for row in counts["results"]] == ["R12", "P3"]
    assert "R12" in done.stderr
    assert "| P3 |" in (tmp_path / "page.md").read_text()


def test_results_of_another_run_are_merged_into_the_page(tmp_path: Path) -> None:
    other = last_line(raptorflow("attack", "--only", "R12", "--json")) | {"driver": "other"}
    (tmp_path / "other.json").write_text(f"noise\n{json.dumps(other)}\n")
    page = tmp_path / "page.md"
    raptorflow("attack", "--only", "R21", "--report", str(page), "--merge", str(tmp_path / "other.json"))
    assert "| local | other |" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--only", "X9"), "no-such-attack"),
        (("--driver", "nonsense"), "sandbox-unavailable"),
        (("--merge", "/nonexistent"), "results-unreadable"),
    ],
)
def test_a_wrong_call_is_one_error_with_a_hint(arguments: tuple[str, ...], code: str) -> None:
    done = raptorflow("attack", "--json", *arguments)
    error = last_line(done)["error"]
    assert (done.returncode, error["code"]) == (1, code)
    assert error["hint"]


def test_the_check_names_who_holds_each_guarantee() -> None:
    done = raptorflow("check", "--json", "--driver", "local")
    document = last_line(done)
    held = {row["guarantee"]: row for row in document["drivers"][0]["guarantees"]}
    assert (done.returncode, document["ok"], document["driver"]) == (0, True, "local")
    assert {"files", "network", "processes", "memory", "pids"} <= set(held)
    assert all(row["by"] for row in held.values())
    assert all(row["remedy"] for row in held.values() if row["holder"] != "kernel")


def test_the_check_fails_when_the_driver_that_is_used_cannot_be() -> None:
    done = raptorflow("check", "--json", RAPTORFLOW_SANDBOX__BUBBLEWRAP="/nonexistent/bwrap")
    document = last_line(done)
    assert (done.returncode, document["ok"]) == (1, False)
    assert document["error"]["code"] == "sandbox-unavailable"


def test_the_check_is_a_table_for_people() -> None:
    done = raptorflow("check", "--driver", "local")
    assert "Sandbox local: files" in done.stdout
