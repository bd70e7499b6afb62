"""Random tokens, their hashes, and encryption at rest."""

import base64
import hashlib
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from raptorflow.accounts.errors import TokenRefused

TOKEN_BYTES = 32
NONCE_BYTES = 12
PAT_PREFIX = "rf_pat_"


def new_token(prefix: str = "") -> str:
    """A fresh random token of 256 bits."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """What is stored of a token. A plain hash does: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


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
            TokenRefused: it was sealed under another secret, or changed since.
        """
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
        except InvalidTag as error:
            raise TokenRefused(
                "The signing key was encrypted under another secret.",
                hint="Restore RAPTORFLOW_ACCOUNTS__SECRET (or the data folder's secrets file).",
            ) from error
