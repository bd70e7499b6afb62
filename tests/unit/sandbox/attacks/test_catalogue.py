"""The catalogue is whole: every attack of the list it follows, each with what stops it and with a control."""

from pathlib import Path

import pytest

from raptorflow.sandbox.attacks.catalogue.everything import ATTACKS, IDS
from raptorflow.sandbox.attacks.model import OUTCOMES, Attack

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "sandbox-security.md"


def test_it_holds_every_attack_of_the_list_once_and_in_order() -> None:
    assert [attack.attack_id for attack in ATTACKS] == list(IDS)
    assert len(IDS) == 115


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.attack_id)
def test_an_attack_says_what_it_tries_what_stops_it_and_what_may_come_of_it(attack: Attack) -> None:
    assert attack.title
    assert attack.tries
    assert attack.held_by
    for expected in (attack.expected, attack.in_guest):
        assert expected is None or expected
        assert not (expected or frozenset()) & {"through", "broken"}
        assert (expected or frozenset()) <= set(OUTCOMES)


def test_no_two_attacks_have_the_same_title() -> None:
    assert len({attack.title for attack in ATTACKS}) == len(ATTACKS)


def test_the_committed_report_lists_exactly_these_attacks() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    listed = {(row[1].strip(), row[2].strip()) for row in rows if row[1].strip() in IDS}
    assert listed == {(attack.attack_id, attack.title) for attack in ATTACKS}
