"""OpenSSF Model Signing: detached bundles such as `skill.oms.sig`, verified.

A bundle is a Sigstore bundle (v0.3) with a DSSE envelope, whose statement lists every file of a folder
(https://github.com/sigstore/model-transparency, predicate `model_signing/signature/v1.0`).
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from raptorflow.base.json import JsonObject, loads
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.signing.dsse import Envelope, pae, read_envelope
from raptorflow.skills.signing.errors import SignatureMalformed, SignatureWrong, SignerUnknown
from raptorflow.skills.signing.statement import STATEMENT, Signed

FILE = "skill.oms.sig"
PREDICATE = "https://model_signing/signature/v1.0"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
# Its first releases wrote the tag of the encoding in capitals.
TAGS = (b"DSSEv1", b"DSSEV1")
MAX_CHAIN = 10
# What a certificate raises, some of it only when a part of it is looked at.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


@dataclass(frozen=True)
class Trust:
    """Whose bundles count: public keys, and roots that certificates lead to."""

    keys: Sequence[PublicKey] = ()
    roots: Sequence[x509.Certificate] = ()


@dataclass(frozen=True)
class Bundle:
    """What a bundle says, verified.

    Attributes:
        signer: the certificate's subject, or the key.
        ignored: paths that the signer left out.
    """

    signed: Signed
    signer: str
    ignored: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether a path had to be signed: not what was ignored, nor the bundle itself."""
        return path != FILE and not any(path == each or path.startswith(f"{each}/") for each in self.ignored)


def verify_bundle(content: bytes, trust: Trust, at: datetime | None = None) -> Bundle:
    """Verify a bundle's signature and read what it says.

    Args:
        content: the bundle.
        trust: whose signatures count.
        at: the moment at which certificates have to be valid; now when None.

    Raises:
        SignatureMalformed: it is no bundle that can be verified here.
        SignerUnknown: nobody trusted has signed.
        SignatureWrong: the signature is not over what the bundle says.
    """
    bundle = _object(content)
    if bundle.get("mediaType") != BUNDLE:
        raise SignatureMalformed("It is no Sigstore bundle of version 0.3.")
    envelope = read_envelope(as_mapping(bundle.get("dsseEnvelope")) or {})
    material = as_mapping(bundle.get("verificationMaterial")) or {}
    keys, signer = _signer(material, trust, at or datetime.now(UTC))
    _check_signature(envelope, keys)
    return _read(envelope.payload, signer)


def _signer(material: JsonObject, trust: Trust, at: datetime) -> tuple[Sequence[PublicKey], str]:
    """The keys that may have signed, and whose they are."""
    try:
        chain = _chain(material)
        if chain:
            return [_certified(chain, trust, at)], chain[0].subject.rfc4514_string()
    except UNREADABLE as error:
        raise SignatureMalformed("A certificate of the bundle cannot be read.") from error
    if "publicKey" in material:
        return trust.keys, "a given key"
    hint = "Keyless bundles need Sigstore's own trust root: verify those with its tools."
    raise SignatureMalformed("The bundle has no certificate chain and no public key.", hint=hint)


def _object(content: bytes) -> JsonObject:
    try:
        return as_mapping(loads(content)) or {}
    except ValueError as error:
        raise SignatureMalformed("The bundle is not JSON.") from error


def _chain(material: JsonObject) -> list[x509.Certificate]:
    listed = as_list((as_mapping(material.get("x509CertificateChain")) or {}).get("certificates")) or []
    if single := as_mapping(material.get("certificate")):
        listed = [single]
    if len(listed) > MAX_CHAIN:
        raise SignatureMalformed(f"The bundle has over {MAX_CHAIN} certificates.")
    raw = [base64.b64decode((as_mapping(each) or {}).get("rawBytes", ""), validate=True) for each in listed]
    return [x509.load_der_x509_certificate(each) for each in raw]


def _certified(chain: Sequence[x509.Certificate], trust: Trust, at: datetime) -> PublicKey:
    """The key of the first certificate, once the chain leads to a trusted root (after RFC 5280, 6.1)."""
    for certificate in chain:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            name = certificate.subject.rfc4514_string()
            raise SignerUnknown(f"The certificate of {name} is not valid on {at:%Y-%m-%d}.")
    certificate = chain[0]
    _check_may_sign(certificate)
    others = list(chain[1:])
    for _ in range(MAX_CHAIN):
        if any(_issued(certificate, root) or certificate == root for root in trust.roots):
            return _public_key(chain[0])
        issuer = next((other for other in others if _issued(certificate, other)), None)
        if issuer is None:
            break
        others.remove(issuer)
        certificate = issuer
    raise SignerUnknown(
        f"The certificate of {chain[0].subject.rfc4514_string()} leads to none of the given roots."
    )


def _check_may_sign(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not usage.digital_signature:
        raise SignerUnknown("The certificate is not made for signing.")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        is_ca = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, *UNREADABLE):
        return False
    return is_ca


def _public_key(certificate: x509.Certificate) -> PublicKey:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise SignatureMalformed("The certificate's key is neither of an elliptic curve nor Ed25519.")
    return key


def _check_signature(envelope: Envelope, keys: Sequence[PublicKey]) -> None:
    if not keys:
        raise SignerUnknown("The bundle is signed with a key, and none was given.")
    for _, signature in envelope.signatures:
        for key in keys:
            for tag in TAGS:
                if _fits(key, signature, pae(envelope.payload_type, envelope.payload, tag)):
                    return
    raise SignatureWrong("The bundle's signature is not over what it says.")


def _fits(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            algorithm = HASHES.get(key.curve.name)
            if algorithm is None:
                return False
            key.verify(signature, signed, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def _read(payload: bytes, signer: str) -> Bundle:
    document = _object(payload)
    if document.get("_type") != STATEMENT or document.get("predicateType") != PREDICATE:
        raise SignatureMalformed("The bundle says nothing about the files of a folder.")
    predicate = as_mapping(document.get("predicate")) or {}
    how = as_mapping(predicate.get("serialization")) or {}
    files: dict[str, str] = {}
    for resource in map(as_mapping, as_list(predicate.get("resources")) or []):
        path, digest = (resource or {}).get("name"), (resource or {}).get("digest")
        if not isinstance(path, str) or path in files:
            raise SignatureMalformed("A file of the bundle has no name, or is named twice.")
        if (resource or {}).get("algorithm") != "sha256" or not isinstance(digest, str):
            raise SignatureMalformed("A file of the bundle has no SHA-256.")
        files[path] = digest
    if how.get("method") != "files" or not files:
        raise SignatureMalformed("The bundle does not list files as whole.")
    subject = as_mapping(next(iter(as_list(document.get("subject")) or []), None)) or {}
    root = (as_mapping(subject.get("digest")) or {}).get("sha256")
    # Paths are ordered part by part, so that `a/b` comes before `a-b`.
    ordered = sorted(files, key=lambda path: path.split("/"))
    if root != _digest_of([files[path] for path in ordered]):
        raise SignatureMalformed("The digest of the whole is not that of the files which the bundle lists.")
    ignored = tuple(str(path) for path in as_list(how.get("ignore_paths")) or [])
    return Bundle(Signed(str(subject.get("name")), None, files, None), signer, ignored)


def _digest_of(digests: Sequence[str]) -> str:
    try:
        return hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()
    except ValueError as error:
        raise SignatureMalformed("A digest of the bundle is not hexadecimal.") from error
