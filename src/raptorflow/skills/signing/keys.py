"""Ed25519 keys in PEM files, and the id by which envelopes name them."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from raptorflow.base.errors import Conflict
from raptorflow.skills.signing.errors import KeyUnusable

PRIVATE = 0o600
MAX_PEM = 64 * 1024


def new_key(path: Path) -> Ed25519PrivateKey:
    """Make a key, readable by its owner alone, and its public half beside it (`.pub`).

    Raises:
        Conflict: there is a file already.
        KeyUnusable: the file cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        path.with_name(f"{path.name}.pub").write_bytes(public_pem(key.public_key()))
    except FileExistsError as error:
        raise Conflict(
            f"{path} is there already.", hint="A key is never overwritten: name another file."
        ) from error
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be written: {error.strerror}.") from error
    return key


def read_private(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file.

    Raises:
        KeyUnusable: it holds none.
    """
    try:
        key = serialization.load_pem_private_key(_pem(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path} holds no private key without a passphrase.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{path} holds another kind of key than Ed25519.")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file; of a private key its public half.

    Raises:
        KeyUnusable: it holds none.
    """
    key = read_signers(path)
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(f"{path} holds another kind of key than Ed25519.")
    return key


def read_signers(path: Path) -> Ed25519PublicKey | EllipticCurvePublicKey:
    """The public key of who signs bundles, which may be of an elliptic curve too.

    Raises:
        KeyUnusable: it holds none.
    """
    pem = _pem(path)
    if b"PRIVATE KEY" in pem:
        return read_private(path).public_key()
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path} holds no public key.") from error
    if not isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey):
        raise KeyUnusable(f"{path} holds a key that is neither Ed25519 nor of an elliptic curve.")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """The hex SHA-256 of the key's SubjectPublicKeyInfo."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return digest.finalize().hex()


def _pem(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM)
    except OSError as error:
        raise KeyUnusable(f"{path} cannot be read: {error.strerror}.") from error
