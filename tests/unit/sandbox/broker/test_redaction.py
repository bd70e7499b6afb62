"""Masking a secret in an answer, wherever the answer is cut."""

import base64
import json
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from raptorflow.sandbox.broker.secrets.handles import HandleCounter, Handles
from raptorflow.sandbox.broker.secrets.redaction import Needles, Redactor, spellings

SMALL = st.text("ab", min_size=1, max_size=5).map(str.encode)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)


def passed(redactor: Redactor, pieces: list[bytes]) -> bytes:
    return b"".join(redactor.feed(piece) for piece in pieces) + redactor.finish()


@given(
    st.lists(SMALL, min_size=1, max_size=3), st.lists(st.text("abc", max_size=6).map(str.encode), max_size=8)
)
@example([b"abc", b"abcd"], [b"ab", b"c", b"d"])
@example([b"abab"], [b"aba", b"bab"])
def test_no_secret_passes_however_the_answer_is_cut(needles: list[bytes], pieces: list[bytes]) -> None:
    masked = passed(Redactor(Needles(needles)), pieces)
    assert len(masked) == sum(map(len, pieces))
    assert not any(needle in masked for needle in needles)


@given(SMALL, st.lists(st.text("abc", max_size=6).map(str.encode), max_size=8))
def test_pieces_are_masked_like_the_whole(needle: bytes, pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert passed(Redactor(Needles([needle])), pieces) == whole.replace(needle, b"*" * len(needle))


@given(st.lists(st.binary(max_size=10), max_size=5))
def test_without_secrets_everything_passes_at_once(pieces: list[bytes]) -> None:
    redactor = Redactor(Needles())
    assert [redactor.feed(piece) for piece in pieces] == pieces


def test_what_cannot_begin_a_secret_is_not_held_back() -> None:
    redactor = Redactor(Needles([b"secret-value"]))
    assert redactor.feed(b"data: 1\n\n") == b"data: 1\n\n"
    assert redactor.feed(b"data: sec") == b"data: "
    assert redactor.feed(b"ond") == b"second"


def test_what_is_sent_while_an_answer_comes_is_masked_in_the_rest_of_it() -> None:
    needles = Needles()
    redactor = Redactor(needles)
    assert redactor.feed(b"one-secret ") == b"one-secret "
    needles.add([b"one-secret"])
    assert redactor.feed(b"one-secret one-") == b"********** "
    # What is held back for one is held back for both.
    needles.add([b"one-other"])
    assert redactor.feed(b"other one-o") == b"********* "
    assert redactor.feed(b"ther!") + redactor.finish() == b"*********!"


@given(st.lists(st.sampled_from([b"ab", b"aab", b"aba", b"b"]), max_size=8), st.integers(0, 8))
def test_a_secret_that_becomes_known_hides_nothing_of_another(pieces: list[bytes], when: int) -> None:
    needles = Needles([b"aab"])
    redactor, masked = Redactor(needles), b""
    for number, piece in enumerate(pieces):
        if number == when:
            needles.add([b"abab"])
        masked += redactor.feed(piece)
    masked += redactor.finish()
    assert len(masked) == sum(map(len, pieces))
    assert b"aab" not in masked
    assert b"abab" not in masked or when > 0


@given(VALUES, st.text("xy", max_size=4), st.text("xy", max_size=4))
def test_the_usual_spellings_of_a_value_are_found(value: str, before: str, after: str) -> None:
    redactor = Redactor(Needles(spellings(value)))
    for text in (value, json.dumps(value), quote(value, safe="")):
        assert b"*" * len(value) in redactor.whole(f"{before}{text}{after}".encode())
    text = base64.b64encode(f"{before}{value}{after}".encode())
    assert b"*" * (len(value) * 4 // 3 - 2) in redactor.whole(text)


@given(st.integers(0, 3), st.lists(st.integers(1, 30), max_size=20))
def test_handles_are_counted_once_however_they_are_cut(count: int, cuts: list[int]) -> None:
    handle = Handles(frozenset({"KEY"})).environment()["KEY"].encode()
    text, counter = b"x".join([b"", *[handle] * count, b""]), HandleCounter()
    for size in cuts:
        counter.see(text[:size])
        text = text[size:]
    counter.see(text)
    assert counter.count == count
