"""A cell's output ends at its mark, wherever the pieces are cut."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.sessions.cell import Cell, Printed
from raptorflow.sandbox.sessions.outcome import Outcome

MARK = b"\0" + b"0" * 32


@given(st.lists(st.integers(1, 40), max_size=20), st.binary(max_size=80), st.binary(max_size=80))
def test_the_mark_is_found_wherever_the_output_is_cut(sizes: list[int], own: bytes, later: bytes) -> None:
    own, later = own.replace(MARK, b""), later.replace(MARK, b"")
    content = own + MARK + later
    printed, before, after, at = Printed(MARK, 1000), b"", b"", 0
    for size in (*sizes, len(content)):
        kept, rest = printed.split(content[at : at + size])
        before, after, at = before + kept, after + rest, at + size
    assert printed.ended
    assert before + MARK + after == content
    assert before == content[: content.find(MARK)]


@given(st.binary(max_size=40))
def test_what_looks_like_a_mark_and_is_none_is_kept(content: bytes) -> None:
    printed = Printed(MARK, 1000)
    for piece in (content, MARK[:20]):
        printed.capture.add(printed.split(piece)[0])
    printed.close()
    assert printed.capture.value() == content + MARK[:20]


async def test_a_cell_is_over_when_its_outcome_and_both_marks_came() -> None:
    cell = Cell(3, 1000, 1000)
    assert cell.tell(Outcome(cell=3))
    assert not cell.tell(Outcome(cell=3))
    cell.take(wire.STDOUT, b"out" + cell.mark)
    assert not cell.over.done()
    assert cell.take(wire.STDERR, cell.mark + b"late") == b"late"
    assert await cell.over == "told"


async def test_output_over_the_limit_ends_a_cell_and_is_not_kept() -> None:
    cell = Cell(1, 1000, 10)
    cell.take(wire.STDOUT, b"12345678")
    cell.take(wire.STDERR, b"12345")
    cell.take(wire.STDERR, b"12345")
    assert await asyncio.wait_for(cell.over, 1) == "output_limit"
    assert (cell.stdout.capture.value(), cell.stderr.capture.value()) == (b"12345678", b"12")
    assert cell.stderr.capture.truncated


async def test_no_two_cells_have_the_same_mark() -> None:
    assert len({Cell(number, 10, 10).mark for number in range(100)}) == 100
