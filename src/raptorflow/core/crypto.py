"""Encryption at rest: an envelope of AES-256-GCM, opened only in the row that it was sealed for.

    1 byte    version
    12 + 48   nonce, and the data key under the wrapping key
    12 + n    nonce, and the secret under the data key

Each secret has a data key of its own. The wrapping key is derived by HKDF (RFC 5869) from the
installation's secret and a purpose, so that what one room sealed no other room opens. Organisation and
row are associated data of both layers: a sealed value that is copied into another row does not open.
"""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from raptorflow.core.errors import SecretUnreadable

VERSION = b"\x01"
KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
_WRAPPED = len(VERSION) + NONCE_BYTES + KEY_BYTES + TAG_BYTES
_SHORTEST = _WRAPPED + NONCE_BYTES + TAG_BYTES


class Envelope:
    """Seals secrets of one purpose.

    Args:
        secret: the installation's secret.
        purpose: what the secrets are for, such as `model keys`; another purpose has another key.
    """

    def __init__(self, secret: str, purpose: str) -> None:
        derive = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"raptorflow envelope\0" + purpose.encode())
        self._wrapping = AESGCM(derive.derive(secret.encode()))

    def seal(self, plain: bytes, org_id: UUID, row_id: UUID) -> bytes:
        """Encrypt for one row of one organisation; the same secret looks different each time."""
        bound = _bound(org_id, row_id)
        key = AESGCM.generate_key(KEY_BYTES * 8)
        return VERSION + _encrypt(self._wrapping, key, bound) + _encrypt(AESGCM(key), plain, bound)

    def open(self, sealed: bytes, org_id: UUID, row_id: UUID) -> bytes:
        """Decrypt.

        Raises:
            SecretUnreadable: it was sealed under another secret or purpose, for another row, or changed.
        """
        if sealed[:1] != VERSION or len(sealed) < _SHORTEST:
            raise SecretUnreadable("A stored secret has a form that this version does not know.")
        bound = _bound(org_id, row_id)
        try:
            key = _decrypt(self._wrapping, sealed[1:_WRAPPED], bound)
            return _decrypt(AESGCM(key), sealed[_WRAPPED:], bound)
        except InvalidTag:
            # Without the cause: there is nothing to learn from it.
            raise SecretUnreadable("A stored secret does not open.") from None


def _bound(org_id: UUID, row_id: UUID) -> bytes:
    return VERSION + org_id.bytes + row_id.bytes


def _encrypt(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypt(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
