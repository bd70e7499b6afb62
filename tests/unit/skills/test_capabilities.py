"""The algebra of capabilities, on any capabilities at all."""

import random
from collections.abc import Iterable
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.capabilities import MIB, Capabilities, Limits

T = TypeVar("T")

hosts = st.sampled_from(["a.example:443", "b.example:443", "c.example:80"])
operations = st.frozensets(st.sampled_from(["read", "write", "delete"]), max_size=3)
limits = st.builds(
    Limits,
    timeout_seconds=st.integers(1, 60),
    memory_bytes=st.integers(16, 64).map(lambda size: size * MIB),
    pids=st.integers(1, 64),
)
capabilities = st.builds(
    Capabilities,
    network=st.frozensets(hosts, max_size=3),
    secrets=st.dictionaries(st.sampled_from(["KEY", "TOKEN"]), hosts, max_size=2),
    services=st.dictionaries(st.sampled_from(["ads", "crm"]), operations, max_size=2),
    limits=limits,
)


@given(capabilities, capabilities)
def test_an_intersection_is_within_both(one: Capabilities, other: Capabilities) -> None:
    both = one.intersection(other)
    assert both.is_subset(one)
    assert both.is_subset(other)
    assert both == other.intersection(one)


@given(capabilities, capabilities, capabilities)
def test_an_intersection_is_the_largest_thing_within_both(
    one: Capabilities, other: Capabilities, third: Capabilities
) -> None:
    both = one.intersection(other)
    within_both = third.is_subset(one) and third.is_subset(other)
    assert within_both == third.is_subset(both)
    assert both.intersection(third) == one.intersection(other.intersection(third))


@given(capabilities, capabilities)
def test_a_difference_reaches_nothing_exactly_when_reach_is_within(
    one: Capabilities, other: Capabilities
) -> None:
    same_limits = other.model_copy(update={"limits": one.limits})
    assert one.is_subset(same_limits) == (not one.difference(other).reaches_outside())


@given(capabilities, capabilities)
def test_there_is_something_to_consent_to_exactly_when_it_is_no_subset(
    one: Capabilities, other: Capabilities
) -> None:
    assert one.is_subset(other) == (one.words_beyond(other) == [])


@given(capabilities, st.integers())
def test_a_digest_knows_no_order(one: Capabilities, seed: int) -> None:
    shuffler = random.Random(seed)

    def shuffled(items: Iterable[T]) -> list[T]:
        return shuffler.sample(listed := list(items), len(listed))

    document = {
        "services": {name: shuffled(called) for name, called in shuffled(one.services.items())},
        "secrets": dict(shuffled(one.secrets.items())),
        "network": shuffled(one.network),
        "limits": dict(shuffled(one.limits.model_dump().items())),
    }
    assert Capabilities.model_validate(document).digest() == one.digest()


@given(capabilities, capabilities)
def test_digests_differ_when_one_allows_what_the_other_does_not(
    one: Capabilities, other: Capabilities
) -> None:
    same = one.is_subset(other) and other.is_subset(one)
    assert same == (one.digest() == other.digest())


@given(capabilities)
def test_a_round_trip_through_json_keeps_the_digest(one: Capabilities) -> None:
    again = Capabilities.model_validate(one.model_dump(mode="json"))
    assert again.digest() == one.digest()
    assert again.is_subset(one)
    assert one.is_subset(again)


@given(capabilities)
def test_plain_words_name_everything_that_is_reached(one: Capabilities) -> None:
    words = " ".join(one.plain_words())
    for destination in one.network:
        assert destination.partition(":")[0] in words
    for name in one.secrets:
        assert name in words
    assert ("No network" in words) == (not one.reaches_outside())


def test_plain_words_are_sentences_a_person_can_decide_on() -> None:
    asked = Capabilities(
        network=frozenset({"api.example.com:443"}),
        secrets={"EXAMPLE_KEY": "api.example.com:443"},
        services={"crm": frozenset({"contacts.read", "contacts.create"})},
        limits=Limits(timeout_seconds=90),
    )
    assert asked.plain_words() == [
        "May connect to api.example.com on port 443.",
        "May use the secret EXAMPLE_KEY when it talks to api.example.com:443.",
        "May call crm: contacts.create, contacts.read.",
        "May run for 90 s with 512 MiB of memory and 256 MiB of files.",
    ]
    assert asked.words_beyond(asked.model_copy(update={"limits": Limits()})) == [
        "May use 90 s instead of 60 s."
    ]
