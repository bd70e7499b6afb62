"""An Ed25519 key, and a signer of bundles with a certificate of a root: for envelopes that really verify."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from raptorflow.skills.signing.dsse import IN_TOTO, pae
from raptorflow.skills.signing.model_signing import BUNDLE, PREDICATE, Trust
from raptorflow.skills.signing.statement import STATEMENT

NOW = datetime.now(UTC)
# The same keys every time, so that an input found once is found again.
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
ROOT_KEY, SIGNER_KEY = (ec.derive_private_key(number, ec.SECP256R1()) for number in (1234567, 7654321))


def certificate(name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
    """A certificate by the root."""
    issuer, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("Root", name))
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), 17)
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(ROOT_KEY, hashes.SHA256(), ecdsa_deterministic=True)


ROOT, SIGNER = certificate("Root", ROOT_KEY, ca=True), certificate("Signer", SIGNER_KEY, ca=False)
CERTIFICATE = SIGNER.public_bytes(Encoding.DER)
TRUST = Trust(roots=[ROOT])


def listing() -> dict[str, Any]:
    """What a bundle says about a folder of two files."""
    digests = [hashlib.sha256(content).hexdigest() for content in (b"hello", b"1")]
    whole = hashlib.sha256(bytes.fromhex("".join(digests))).hexdigest()
    return {
        "_type": STATEMENT,
        "subject": [{"name": "greet", "digest": {"sha256": whole}}],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "ignore_paths": [".git"]},
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": digest}
                for name, digest in zip(("SKILL.md", "a/b.txt"), digests, strict=True)
            ],
        },
    }


def bundle_of(said: bytes, der: bytes = CERTIFICATE) -> dict[str, Any]:
    """A bundle over what is said, with a signature that fits."""
    signature = SIGNER_KEY.sign(pae(IN_TOTO, said), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return {
        "mediaType": BUNDLE,
        "verificationMaterial": {"x509CertificateChain": {"certificates": [{"rawBytes": encoded(der)}]}},
        "dsseEnvelope": {
            "payload": encoded(said),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": encoded(signature)}],
        },
    }


def payload_of(bundle: bytes) -> Any:
    """What a bundle's envelope holds."""
    return json.loads(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))


def encoded(content: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(content).decode()
