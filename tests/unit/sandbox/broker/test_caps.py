"""Tokens, counts, and records of floods."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.broker.caps import Caps, TokenBucket
from raptorflow.sandbox.broker.decisions import Decision, Kind
from raptorflow.sandbox.broker.destinations.addresses import is_own
from raptorflow.sandbox.broker.errors import BytesSpent
from raptorflow.sandbox.broker.ledger import Ledger
from raptorflow.sandbox.broker.ports import Identity
from raptorflow.sandbox.broker.settings import BrokerLimits


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(2, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    assert [bucket.reserve() for _ in range(2)] == [0.5, 1.0]


def test_bytes_are_counted_over_all_connections() -> None:
    caps = Caps(BrokerLimits(bytes_up=10, bytes_down=5))
    caps.up(10)
    caps.down(5)
    with pytest.raises(BytesSpent):
        caps.up(1)
    with pytest.raises(BytesSpent):
        caps.down(1)


def test_a_flood_is_counted_whole_and_written_down_seldom() -> None:
    kept: list[Decision] = []

    class Still(Stopwatch):
        def elapsed_ms(self) -> float:
            return 0.0

    ledger = Ledger(kept.append, Still)
    for _ in range(1000):
        ledger.write(decision("connection", "too-fast"))
    ledger.write(decision("http", "host-not-allowed"))
    assert [(one.reason, one.times) for one in kept] == [("too-fast", 1), ("host-not-allowed", 1)]
    ledger.finish()
    assert kept[-1].times == 999


def test_an_address_of_this_machine_is_known_as_its_own() -> None:
    assert is_own(ip_address("127.0.0.1"))
    assert not is_own(ip_address("192.0.2.1"))


def decision(kind: Kind, reason: str) -> Decision:
    now = datetime.now(UTC)
    return Decision("1", now, "decided", Identity("s", "r", "t", "k"), kind, "", 0, None, None, False, reason)
