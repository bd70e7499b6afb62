"""One form for each host, and what patterns and policies make of it."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.sandbox.broker.destinations.denylist import DenyList
from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.broker.errors import (
    AddressNotation,
    DestinationInvalid,
    EgressDenied,
    HostDenied,
    HostNotAllowed,
)
from raptorflow.sandbox.broker.ports import EgressPolicy
from raptorflow.sandbox.broker.settings import BrokerSettings
from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.manifest.permissions import DESTINATION

LABELS = st.from_regex(r"[a-z_](?:[a-z0-9_-]{0,8}[a-z0-9_])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("api.example.com:443", "api.example.com", 443),
        ("API.Example.COM.:443", "api.example.com", 443),
        ("b\u00fccher.example:443", "xn--bcher-kva.example", 443),
        ("B\u00dcCHER.example.:443", "xn--bcher-kva.example", 443),
        ("a\uff0eexample:80", "a.example", 80),
        ("192.0.2.1:80", "192.0.2.1", 80),
        ("[2001:DB8:0:0::1]:80", "2001:db8::1", 80),
        ("_srv.a_b.example:00080", "_srv.a_b.example", 80),
        ("localhost:1", "localhost", 1),
    ],
)
def test_a_destination_has_one_form(written: str, host: str, port: int) -> None:
    there = Destination.parse(written)
    assert (there.host, there.port) == (host, port)
    assert Destination.parse(str(there)) == there


@pytest.mark.parametrize(
    "text", ["0x7f.1", "1", "1.2", "\uff11.2.3.4.5", "1.2.3.04", "[::ffff:1.2.3.4]", "9.0xa"]
)
def test_an_address_in_another_notation_is_told_apart_from_a_name(text: str) -> None:
    with pytest.raises(AddressNotation):
        Destination.parse(f"{text}:80")


@pytest.mark.parametrize(
    "text",
    ["", ":80", "a:", "a:0", "a:65536", "a:1:2", "[::1", "::1:80", "a b:80", "xn--\u00e4:80", "a:\u0661"],
)
def test_what_names_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(DestinationInvalid):
        Destination.parse(text)


@given(NAMES, st.integers(1, 65535), st.randoms())
def test_case_and_a_final_dot_make_no_difference(name: str, port: int, chance: Random) -> None:
    mixed = "".join(chance.choice([letter.upper(), letter]) for letter in name)
    assert Destination.parse(f"{mixed}.:{port}") == Destination(name, port)


@given(st.from_regex(DESTINATION, fullmatch=True))
def test_what_a_manifest_may_declare_is_read_as_what_it_says_or_refused(written: str) -> None:
    try:
        there = Destination.parse(written)
    except EgressDenied:
        return
    host, _, port = written.rpartition(":")
    assert there.port == int(port)
    assert there.address or there.host == host


@given(st.text())
def test_any_text_is_a_destination_or_is_refused(text: str) -> None:
    try:
        there = Destination.parse(text)
    except EgressDenied:
        return
    assert re.fullmatch(r"[a-z0-9._:-]+", there.host)


@given(NAMES, NAMES)
def test_a_pattern_covers_what_it_says_and_nothing_else(host: str, below: str) -> None:
    there, under = Destination(host, 443), Destination(f"{below}.{host}", 443)
    assert DenyList([host]).denies(there)
    assert not DenyList([host]).denies(under)
    assert not DenyList([f"**.{host}"]).denies(there)
    assert DenyList([f"**.{host}"]).denies(under)
    assert bool(DenyList([f"*.{host}"]).denies(under)) == ("." not in below)
    assert not DenyList([f"**.{host}"]).denies(Destination(f"x{host}", 443))
    assert not DenyList([f"{host}:80"]).denies(there)


@given(st.sets(NAMES, max_size=4), NAMES)
def test_only_what_the_policy_names_is_allowed_and_a_denial_wins(allowed: set[str], host: str) -> None:
    policy = EgressPolicy(Capabilities(network=frozenset(f"{one}:443" for one in allowed)))
    there = Destination(host, 443)
    if host in allowed:
        assert Rules(policy, DenyList()).check(there) == f"{host}:443"
    else:
        with pytest.raises(HostNotAllowed):
            Rules(policy, DenyList()).check(there)
    with pytest.raises(HostDenied):
        Rules(policy, DenyList([host.upper()])).check(there)


@pytest.mark.parametrize(
    "pattern", ["", "*", "**", "*.*.example", "a b", "example.com:0", "0x7f.1", "http://x"]
)
def test_a_denial_that_denies_nothing_is_refused_in_the_settings(pattern: str) -> None:
    with pytest.raises(ValueError, match="denies nothing"):
        BrokerSettings(denied_hosts=(pattern,))
