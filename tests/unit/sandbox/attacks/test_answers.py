"""What the broker answers is a refusal only where the broker decided; what was dialled was let past."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from raptorflow.sandbox.attacks.inside import prelude
from raptorflow.sandbox.attacks.program import LET_PAST, Said
from raptorflow.sandbox.broker.errors import EgressDenied

BAD_GATEWAY = 502


@pytest.fixture(scope="module")
def proxy() -> Iterator[ModuleType]:
    """The module as it is inside, where `prelude` lies beside it."""
    sys.modules["prelude"] = prelude
    try:
        yield importlib.import_module("raptorflow.sandbox.attacks.inside.proxy")
    finally:
        del sys.modules["prelude"]


def answer(status: int, code: str) -> bytes:
    return f'HTTP/1.1 {status} X\r\n\r\n{{"code":"{code}"}}'.encode()


@pytest.mark.parametrize("error", [EgressDenied, *EgressDenied.__subclasses__()])
def test_every_error_of_the_broker_is_a_decision_or_else_a_gateways(
    proxy: ModuleType, error: type[EgressDenied]
) -> None:
    decided = error.status != BAD_GATEWAY
    with pytest.raises(prelude.Refused if decided else prelude.LetPast):
        proxy.checked(answer(error.status, error.code))


def test_an_answer_of_the_host_itself_is_no_refusal(proxy: ModuleType) -> None:
    with pytest.raises(prelude.LetPast):
        proxy.checked(b"HTTP/1.1 403 Forbidden\r\n\r\nnot here")


def test_breaking_off_proves_nothing_but_in_a_tunnel(proxy: ModuleType) -> None:
    with pytest.raises(ValueError, match="without an answer"):
        proxy.checked(b"")
    with pytest.raises(prelude.Refused):
        proxy.checked(b"", cut=True)


def test_being_let_past_is_a_way_through_but_no_live_control() -> None:
    assert prelude.LET_PAST == LET_PAST
    assert not Said("a", "through", f"{LET_PAST}502 host-unreachable").succeeded
    assert Said("a", "through", "").succeeded
