"""The report is made from results alone, for as many drivers as there are, and tells what was not tried."""

from typing import Any

from raptorflow.sandbox.attacks.catalogue.everything import ATTACKS
from raptorflow.sandbox.attacks.report import page
from raptorflow.sandbox.attacks.runner import State, Verdict, summary


def results(driver: str, state: State = "held", *, control: bool = True) -> dict[str, Any]:
    verdicts = [
        Verdict(each.attack_id, each.title, state, "refused", ("refused",), "seen", control, "alive", 0.1)
        for each in ATTACKS
    ]
    return summary(driver, verdicts) | {
        "date": "2026-01-02",
        "boundary": "shared-kernel",
        "user": "root",
        "supervised": ["cpu"],
        "missing": [],
        "versions": {"kernel": "Linux 6.1 | x"},
    }


def row(text: str, attack_id: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {attack_id} |"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_each_driver_has_a_column() -> None:
    text = page([results("microvm"), results("local")])
    assert "what stops it | local | microvm |" in text
    assert row(text, "R1")[-2:] == ["refused", "refused"]


def test_a_driver_that_was_not_attacked_has_none() -> None:
    assert "docker" not in page([results("local")])


def test_what_was_unexpected_stands_out() -> None:
    assert "**refused**, expected refused" in row(page([results("local", "unexpected")]), "F1")[-1]


def test_a_dead_control_is_said_in_every_row() -> None:
    assert row(page([results("local", control=False)]), "F1")[-1] == "refused, control dead"


def test_what_was_not_tried_is_never_a_success() -> None:
    text = page([results("local", "not_run")])
    assert row(text, "N1")[-1] == "not tried"
    assert "| local | N1 | not run | seen |" in text


def test_versions_cannot_break_the_table_and_weakness_is_told() -> None:
    text = page([results("local")])
    assert "Linux 6.1 \\| x" in text
    assert "Held by supervision only, or not at all, for this user: cpu." in text
