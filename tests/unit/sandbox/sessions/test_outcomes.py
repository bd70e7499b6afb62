"""What an interpreter tells is read within bounds, however it is cut into pieces."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.sessions.outcome import OutcomeReader, OutcomeRefused


def framed(value: object) -> bytes:
    content = json.dumps(value).encode()
    return struct.pack("!I", len(content)) + content


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_outcomes_come_out_whole_wherever_they_are_cut(sizes: list[int]) -> None:
    content = framed({"cell": 1, "result": "é" * 20}) + framed({"cell": 2, "cut": True})
    reader, found, at = OutcomeReader(), list[int](), 0
    for size in (*sizes, len(content)):
        found += [outcome.cell for outcome in reader.feed(content[at : at + size])]
        at += size
    assert found == [1, 2]


@given(st.binary(max_size=300))
def test_whatever_comes_is_an_outcome_or_refused(content: bytes) -> None:
    try:
        list(OutcomeReader().feed(struct.pack("!I", len(content)) + content))
    except OutcomeRefused:
        return
    assert json.loads(content)["cell"] >= 0 or not content


def test_a_length_over_the_most_is_refused_before_it_is_read() -> None:
    with pytest.raises(OutcomeRefused, match="1048577 bytes"):
        list(OutcomeReader().feed(struct.pack("!I", 1024 * 1024 + 1)))


def test_nesting_is_refused_and_ends_nothing() -> None:
    with pytest.raises(OutcomeRefused):
        list(OutcomeReader().feed(struct.pack("!I", 200_000) + b"[" * 200_000))
