"""What is kept of a stream that is longer than what may be kept."""

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.running.output import Capture


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(min_value=1, max_value=200))
def test_the_head_and_the_tail_are_kept(chunks: list[bytes], capacity: int) -> None:
    capture = Capture(capacity)
    for chunk in chunks:
        capture.add(chunk)
    whole, kept = b"".join(chunks), capture.value()
    assert capture.total == len(whole)
    assert len(kept) == min(len(whole), capacity)
    assert capture.truncated == (len(whole) > capacity)
    head = int(capacity * 0.75)
    assert kept[:head] == whole[:head]
    if capture.truncated:
        assert kept[head:] == whole[len(whole) - (capacity - head) :]
    else:
        assert kept == whole


def test_what_was_dropped_on_purpose_counts_as_missing() -> None:
    capture = Capture(100)
    capture.add(b"all that was read")
    assert not capture.truncated
    capture.cut = True
    assert capture.truncated
