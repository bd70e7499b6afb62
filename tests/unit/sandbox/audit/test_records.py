import inspect
from typing import get_args

import pytest
from pydantic import ValidationError

from raptorflow.sandbox.audit import records
from raptorflow.sandbox.audit.records import (
    OCSF_CLASSES,
    Egress,
    Entry,
    Executed,
    FileMoved,
    Killed,
    Record,
    Refused,
    Subject,
    Torn,
)
from raptorflow.sandbox.result import Status

DIGEST = "0" * 64


@pytest.mark.parametrize(
    "make",
    [
        lambda: Egress(decision="denied", host="a.example/path?token=x", port=1),
        lambda: Egress(decision="denied", host="user:secret@a.example", port=1),
        lambda: Egress(decision="denied", host="a.example", port=1, reason="Bearer abc.def"),
        lambda: Killed(reason="it printed: hunter2"),
        lambda: Refused(code="No such key: sk-123"),
        lambda: Executed(program="python", arguments="--token=abc", status="ok", wall_ms=1),
        lambda: Subject(tenant="a tenant\nwith lines"),
    ],
    ids=["a path", "a login", "a reason in words", "a text", "an error's text", "arguments", "lines"],
)
def test_a_value_has_no_place_in_a_record(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValidationError):
        make()


@pytest.mark.parametrize("field", ["env", "headers", "body", "argv", "value", "secret_value", "stdin"])
def test_no_record_takes_a_field_for_a_value(field: str) -> None:
    for kind in get_args(Entry):
        assert field not in kind.model_fields
    with pytest.raises(ValidationError):
        Killed.model_validate({"reason": "timeout", field: "x"})


def test_a_name_that_the_guest_chose_is_made_printable_and_cut() -> None:
    moved = FileMoved(direction="out", name="a\x1b]0;title\x07" + "b" * 9999, size=1, sha256=DIGEST)
    assert "\x1b" not in moved.name
    assert len(moved.name) == 512
    assert FileMoved(direction="out", name="half \ud800", size=1).model_dump_json()


def test_numbers_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(ValidationError):
        FileMoved(direction="in", name="a", size=2**70)


def test_every_kind_of_record_has_a_class_for_collectors() -> None:
    made = [kind for _, kind in inspect.getmembers(records, inspect.isclass) if issubclass(kind, Record)]
    kinds = {kind.model_fields["kind"].default for kind in made if "kind" in kind.model_fields}
    assert kinds == set(OCSF_CLASSES)
    assert {*get_args(Entry), Torn} == {kind for kind in made if "kind" in kind.model_fields}


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_of_a_result_can_be_written_down(status: str) -> None:
    assert Executed(program="python", arguments=DIGEST, status=status, wall_ms=1).status == status
