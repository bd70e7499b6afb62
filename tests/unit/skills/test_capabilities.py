"""The algebra of capabilities, on any capabilities at all."""

from hypothesis import given
from hypothesis import strategies as st

from raptorflow.skills.capabilities import MIB, Capabilities, Limits

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


@given(capabilities, capabilities)
def test_a_difference_reaches_nothing_exactly_when_reach_is_within(
    one: Capabilities, other: Capabilities
) -> None:
    same_limits = other.model_copy(update={"limits": one.limits})
    assert one.is_subset(same_limits) == (not one.difference(other).reaches_outside())


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
