"""Which word of a query may go on."""

import pytest

from raptorflow.registry.search.unfinished import Unfinished, unfinished


@pytest.mark.parametrize(
    ("query", "finished", "begun"),
    [
        ("goog", "", "goog"),
        ("Google Camp", "Google ", "camp"),
        ("google-ad", "google-", "ad"),
        ("snake_ca", "snake_", "ca"),
        ("für Über", "für ", "über"),
        ("50%of", "50%", "of"),
    ],
)
def test_the_last_word_may_go_on(query: str, finished: str, begun: str) -> None:
    assert unfinished(query) == Unfinished(finished, begun)


@pytest.mark.parametrize("query", ["", "a", "read a", "google ", "google-", "what?", "x%", "a\n", "x" * 41])
def test_what_is_finished_or_too_short_or_no_word_does_not(query: str) -> None:
    assert unfinished(query) is None
