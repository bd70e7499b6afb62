"""Tokens, sealed keys, passwords, roles: rules without a database."""

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from raptorflow.accounts.errors import PasswordTooWeak, SigningKeysUnreadable
from raptorflow.accounts.identity import Role
from raptorflow.accounts.sessions.passwords import NOBODYS_HASH, WORST, Passwords, check_strength
from raptorflow.accounts.tokens.recent import Recent, believed_until
from raptorflow.accounts.tokens.secrets import (
    PAT_PREFIX,
    Sealer,
    is_well_formed,
    new_access_token,
    token_hash,
)

EMAIL = "ada@example.com"


def test_access_tokens_carry_a_checksum() -> None:
    token = new_access_token()
    assert token.startswith(PAT_PREFIX)
    assert is_well_formed(token)
    assert not is_well_formed(token[:-1])
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        assert not is_well_formed(token[:place] + other + token[place + 1 :])


def test_tokens_are_all_different_and_stored_by_hash() -> None:
    tokens = {new_access_token() for _ in range(100)}
    assert len({token_hash(token) for token in tokens}) == 100


@given(st.binary(), st.text())
def test_what_was_sealed_opens_under_the_same_secret_and_context(plain: bytes, context: str) -> None:
    sealed = Sealer("one").seal(plain, context)
    assert Sealer("one").open(sealed, context) == plain
    for sealer, other in ((Sealer("two"), context), (Sealer("one"), context + "x")):
        with pytest.raises(SigningKeysUnreadable):
            sealer.open(sealed, other)


def test_sealing_twice_gives_different_texts() -> None:
    assert Sealer("one").seal(b"x", "y") != Sealer("one").seal(b"x", "y")


def test_the_hash_of_nobody_costs_what_a_users_hash_costs() -> None:
    assert not PasswordHasher().check_needs_rehash(NOBODYS_HASH)


async def test_nobody_has_no_password() -> None:
    passwords = Passwords()
    assert not await passwords.verify(None, "a password that nobody has")
    assert not await passwords.verify("not a hash", "anything at all")


async def test_letters_composed_otherwise_are_the_same_password() -> None:
    passwords = Passwords()
    known = await passwords.hash("caf\u00e9 caf\u00e9 caf\u00e9")
    assert await passwords.verify(known, "cafe\u0301 cafe\u0301 cafe\u0301")
    assert not await passwords.verify(known, "cafe cafe cafe")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 257, "zzzzzzzzzzzzzz", EMAIL, *sorted(WORST)])
def test_what_would_be_guessed_is_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak):
        check_strength(password.upper(), email=EMAIL)


def test_the_worst_passwords_are_long_enough_to_matter() -> None:
    assert all(len(password) >= 12 and password == password.casefold() for password in WORST)


def test_ordinary_long_passwords_are_taken() -> None:
    for password in ("four unrelated plain words", "twelve-chars", "x" * 255 + "y"):
        check_strength(password, email=EMAIL)


def test_roles_are_in_order() -> None:
    assert Role.OWNER.at_least(Role.ADMIN)
    assert Role.ADMIN.at_least(Role.ADMIN)
    assert not Role.MEMBER.at_least(Role.ADMIN)


def test_what_is_recent_is_believed_until_its_deadline() -> None:
    recent = Recent[str, int]()
    recent.put("now", 1, believed_until())
    recent.put("past", 2, 0.0)
    assert (recent.get("now"), recent.get("past")) == (1, None)
    recent.forget()
    assert recent.get("now") is None
