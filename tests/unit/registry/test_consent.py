"""What an upgrade asks for beyond the grant."""

import pytest

from raptorflow.registry.installations.consent import terms_of
from raptorflow.skills.capabilities import Capabilities, Limits

READ = Capabilities(services={"crm": frozenset({"contacts.read"})})
WRITE = Capabilities(services={"crm": frozenset({"contacts.read", "contacts.write"})})
SECRET_A = Capabilities(secrets={"KEY": "a.example:443"})
SECRET_B = Capabilities(secrets={"KEY": "b.example:443"})
LONGER = Capabilities(limits=Limits(timeout_seconds=120))


@pytest.mark.parametrize(
    ("declared", "granted", "added", "removed"),
    [
        (READ, READ, [], []),
        (READ, WRITE, [], ["May call crm: contacts.write."]),
        (WRITE, READ, ["May call crm: contacts.write."], []),
        (
            SECRET_B,
            SECRET_A,
            ["May use the secret KEY when it talks to b.example:443."],
            ["May use the secret KEY when it talks to a.example:443."],
        ),
        (LONGER, Capabilities(), ["May use 120 s instead of 60 s."], []),
        (Capabilities(), LONGER, [], ["May use 120 s instead of 60 s."]),
    ],
)
def test_an_upgrade_asks_for_what_is_beyond_the_grant_and_no_more(
    declared: Capabilities, granted: Capabilities, added: list[str], removed: list[str]
) -> None:
    terms = terms_of(declared, granted)
    assert (terms.added, terms.removed) == (added, removed)
    assert terms.needs_consent == bool(added)


def test_a_first_installation_needs_consent_whatever_it_asks_for() -> None:
    assert terms_of(Capabilities(), None).needs_consent
    first = terms_of(READ, None)
    assert first.needs_consent
    assert (first.added, first.removed) == (["May call crm: contacts.read."], [])
