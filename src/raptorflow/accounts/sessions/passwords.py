"""Passwords: argon2id off the event loop, and the same effort for a user who does not exist."""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from raptorflow.accounts.errors import PasswordTooWeak

MIN_LENGTH, MAX_LENGTH = 12, 256
# Each hashing takes 64 MiB; a flood of sign-ins waits here and not for memory.
HASHED_AT_ONCE = 4
# The first guesses of every list that are long enough to pass the length rule.
WORST = frozenset(
    {
        "000000000000",
        "111111111111",
        "123456789012",
        "1234567890123",
        "12345678901234567890",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "1qazxsw23edc",
        "abcd1234abcd",
        "abcdefghijkl",
        "administrator",
        "administrator1",
        "changeme1234",
        "changemechangeme",
        "correcthorsebatterystaple",
        "iloveyouiloveyou",
        "letmein123456",
        "letmeinletmein",
        "p@ssw0rd1234",
        "passw0rd1234",
        "password123!",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "q1w2e3r4t5y6",
        "qazwsxedcrfv",
        "qwerty123456",
        "qwertyqwerty",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopasdfghjkl",
        "raptorflow12",
        "raptorflow123",
        "raptorflow1234",
        "raptorflowraptorflow",
        "welcome123456",
        "zaq12wsxcde3",
        "zxcvbnm12345",
        "zxcvbnmasdfghjkl",
    }
)
# The hash of a random password, under the hasher's own parameters (a test holds them together).
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$MpcdrW0deQy/x+knCMPzlg$8KLaorahDQja28xd61vljieInudbIGkxTAxAwEgfdKY"
)


class Passwords:
    """Hashes and verifies passwords.

    Args:
        hasher: argon2id with its parameters; the default follows RFC 9106's second choice.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._free = asyncio.Semaphore(HASHED_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The argon2id hash."""
        async with self._free:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, known_hash: str | None, password: str) -> bool:
        """Whether the password is right; takes as long when there is no hash to compare with."""
        async with self._free:
            return await asyncio.to_thread(self._verify, known_hash, _normal(password))

    def is_outdated(self, known_hash: str) -> bool:
        """Whether a hash was made with other parameters than a new one would be."""
        return self._hasher.check_needs_rehash(known_hash)

    def _verify(self, known_hash: str | None, password: str) -> bool:
        try:
            self._hasher.verify(known_hash or NOBODYS_HASH, password)
        except (VerificationError, InvalidHashError):
            return False
        return known_hash is not None


def check_strength(password: str, *, email: str) -> None:
    """Refuse what would be guessed.

    Raises:
        PasswordTooWeak: too short, too long, the address, one character repeated, or a first guess.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise PasswordTooWeak(
            f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters, this one {len(password)}.",
            hint="A few unrelated words are easy to remember.",
        )
    guess = password.casefold()
    if guess in WORST or guess == email.casefold() or len(set(guess)) == 1:
        raise PasswordTooWeak("This password is among the first that anybody tries.", hint="Choose another.")


def _normal(password: str) -> str:
    """One form for letters that keyboards compose differently (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
