"""What is asked of the attack suite is looked at before anything is attacked, and nothing of it is lost."""

from pathlib import Path

import pytest

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import dumps
from raptorflow.cli.sandbox.attack import attack
from raptorflow.cli.sandbox.image import image_app


@pytest.mark.parametrize("only", ["", ",", " , ", "R1,Q7"])
def test_a_list_that_names_no_attack_is_refused(only: str) -> None:
    with pytest.raises(RaptorFlowError) as refused:
        attack(only=only)
    assert refused.value.code == "no-such-attack"


@pytest.mark.parametrize(
    "text",
    ["", "not json", dumps({"results": []}), dumps({"driver": "x", "results": []}), dumps({"results": 3})],
)
def test_results_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(RaptorFlowError) as refused:
        attack(only="L4", merge=[file])
    assert refused.value.code == "results-unreadable"


def test_a_report_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RaptorFlowError, match="cannot be written") as refused:
        attack(only="L4", report=tmp_path / "no-folder" / "report.md")
    assert refused.value.hint


def nothing(*_: object) -> list[object]:
    return []


def test_an_image_goes_into_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a-file"
    file.write_text("mine")
    monkeypatch.setattr("raptorflow.sandbox.drivers.microvm.image.build.needed", list)
    monkeypatch.setattr("raptorflow.sandbox.drivers.microvm.image.build.download", nothing)
    with pytest.raises(RaptorFlowError, match="cannot be used"):
        image_app(["build", str(file)], exit_on_error=False, result_action="return_value")
    assert file.read_text() == "mine"
