"""What is sealed opens in its own row, under its own secret and purpose, unchanged, and nowhere else."""

from uuid import UUID

import pytest

from raptorflow.base.ids import new_id
from raptorflow.core.crypto import Envelope
from raptorflow.core.errors import SecretUnreadable

ORG, ROW = new_id(), new_id()
PLAIN = "sk-täst".encode()


@pytest.fixture
def envelope() -> Envelope:
    return Envelope("the installation's secret", "tests")


@pytest.mark.parametrize("plain", [b"", b"k", PLAIN, b"\0" * 10_000])
def test_a_round(envelope: Envelope, plain: bytes) -> None:
    assert envelope.open(envelope.seal(plain, ORG, ROW), ORG, ROW) == plain


def test_another_process_opens_it(envelope: Envelope) -> None:
    again = Envelope("the installation's secret", "tests")
    assert again.open(envelope.seal(PLAIN, ORG, ROW), ORG, ROW) == PLAIN


def test_nothing_repeats_and_nothing_shows(envelope: Envelope) -> None:
    """Neither nonces nor data keys are used twice, so equal secrets do not look equal."""
    sealed = {envelope.seal(PLAIN, ORG, ROW) for _ in range(50)}
    assert len({value[:61] for value in sealed}) == len({value[61:] for value in sealed}) == 50
    assert not any(PLAIN in value for value in sealed)


def test_every_byte_counts(envelope: Envelope) -> None:
    sealed = envelope.seal(PLAIN, ORG, ROW)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SecretUnreadable):
            envelope.open(bytes(changed), ORG, ROW)


def test_what_was_cut_or_grew_does_not_open(envelope: Envelope) -> None:
    sealed = envelope.seal(PLAIN, ORG, ROW)
    for changed in (b"", *(sealed[:length] for length in range(1, len(sealed))), sealed + b"\0"):
        with pytest.raises(SecretUnreadable):
            envelope.open(changed, ORG, ROW)


@pytest.mark.parametrize(("org_id", "row_id"), [(ORG, new_id()), (new_id(), ROW), (ROW, ORG)])
def test_another_row_and_another_organisation(envelope: Envelope, org_id: UUID, row_id: UUID) -> None:
    with pytest.raises(SecretUnreadable):
        envelope.open(envelope.seal(PLAIN, ORG, ROW), org_id, row_id)


def test_the_data_key_of_another_secret(envelope: Envelope) -> None:
    """Half of one envelope and half of another, both of the same row, do not make one."""
    one, other = envelope.seal(b"one", ORG, ROW), envelope.seal(b"two", ORG, ROW)
    with pytest.raises(SecretUnreadable):
        envelope.open(one[:61] + other[61:], ORG, ROW)


@pytest.mark.parametrize(
    "stranger", [Envelope("another secret", "tests"), Envelope("the installation's secret", "other")]
)
def test_another_secret_and_another_purpose(envelope: Envelope, stranger: Envelope) -> None:
    with pytest.raises(SecretUnreadable) as refused:
        stranger.open(envelope.seal(PLAIN, ORG, ROW), ORG, ROW)
    assert refused.value.hint
    assert "RAPTORFLOW_ACCOUNTS__SECRET" in refused.value.hint
