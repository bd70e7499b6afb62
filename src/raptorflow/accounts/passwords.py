"""Passwords: argon2id, in a thread, and the same effort for a user who does not exist."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from raptorflow.accounts.errors import PasswordTooWeak

MIN_LENGTH, MAX_LENGTH = 12, 256
# The first guesses of every list that are long enough to pass the length rule.
WORST = {"123456789012", "password1234", "passwordpassword", "qwertyuiop12", "administrator", "raptorflow123"}

_hasher = PasswordHasher()
_nobodys_hash = _hasher.hash("a password that nobody has")


def check_strength(password: str) -> None:
    """Refuse what would be guessed.

    Raises:
        PasswordTooWeak: too short, too long, one character repeated, or on the list of first guesses.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise PasswordTooWeak(
            f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters, this one {len(password)}.",
            hint="A few unrelated words are easy to remember.",
        )
    if password.lower() in WORST or len(set(password)) == 1:
        raise PasswordTooWeak("This password is among the first that anybody tries.", hint="Choose another.")


async def hash_password(password: str) -> str:
    """The argon2id hash, made off the event loop."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(known_hash: str | None, password: str) -> bool:
    """Whether the password is right; takes as long when there is no hash to compare with."""
    return await asyncio.to_thread(_verify, known_hash, password)


def _verify(known_hash: str | None, password: str) -> bool:
    try:
        _hasher.verify(known_hash or _nobodys_hash, password)
    except (VerificationError, InvalidHashError):
        return False
    return known_hash is not None
