"""Random tokens, their hashes, and encryption at rest."""

import base64
import hashlib
import os
import secrets
import string
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from raptorflow.accounts.errors import SigningKeysUnreadable

TOKEN_BYTES = 32
NONCE_BYTES = 12
PAT_PREFIX = "rf_pat_"
INVITATION_PREFIX = "rf_inv_"
CHECKSUM_DIGITS = 6
_BASE62 = string.digits + string.ascii_letters


def new_token(prefix: str = "") -> str:
    """A fresh random token of 256 bits."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def new_access_token() -> str:
    """A fresh personal access token; its checksum lets scanners tell a real one from lookalikes."""
    token = new_token(PAT_PREFIX)
    return token + _checksum(token)


def is_well_formed(access_token: str) -> bool:
    """Whether a personal access token's checksum holds: a mistyped one never reaches the database."""
    token, checksum = access_token[:-CHECKSUM_DIGITS], access_token[-CHECKSUM_DIGITS:]
    return token.startswith(PAT_PREFIX) and _checksum(token) == checksum


def token_hash(token: str) -> str:
    """What is stored of a token. A plain hash does: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(text: str) -> str:
    """CRC-32 in base 62, as in https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_DIGITS):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits


class Sealer:
    """AES-256-GCM under a key derived from the installation's secret."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"raptorflow signing keys\0" + secret.encode()).digest())

    def seal(self, plain: bytes, context: str) -> str:
        """Encrypt; `context` must be the same when it is opened."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, plain, context.encode())).decode()

    def open(self, sealed: str, context: str) -> bytes:
        """Decrypt.

        Raises:
            SigningKeysUnreadable: it was sealed under another secret, or changed since.
        """
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
        except InvalidTag as error:
            raise SigningKeysUnreadable("The signing keys were encrypted under another secret.") from error
