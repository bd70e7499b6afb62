"""JSON: what goes in comes out, and one canonical form for digests."""

from datetime import UTC, datetime
from json import JSONDecodeError
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.base.json import Json, canonical, dumps, loads

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def writable(value: Json) -> bool:
    """JSON text is UTF-8: a lone surrogate cannot be written."""
    try:
        repr_text = str(value)
        repr_text.encode()
    except UnicodeEncodeError:
        return False
    return "\\ud" not in repr(value)


@given(VALUES.filter(writable))
def test_a_value_survives(value: Json) -> None:
    assert loads(dumps(value)) == value
    assert loads(canonical(value)) == value


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_json_has_no_infinite_number(number: float) -> None:
    assert dumps([number]) == "[null]"


def test_the_canonical_form_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical({"b": 1, "a": [1, {"d": 2, "c": "é"}]}) == '{"a":[1,{"c":"é","d":2}],"b":1}'.encode()


def test_ids_and_times_are_written_as_text() -> None:
    value = {UUID(int=1): datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
    assert loads(dumps(value)) == {str(UUID(int=1)): "2026-01-02T03:04:05+00:00"}


@pytest.mark.parametrize("text", ["", "{", "NaN", "{'a': 1}", '{"a": 1}}'])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(JSONDecodeError):
        loads(text)
