"""OpenSSF Model Signing bundles, made here as its signers make them."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from raptorflow.skills.signing.dsse import pae
from raptorflow.skills.signing.errors import SignatureMalformed, SignatureWrong, SignerUnknown, TreeDrifted
from raptorflow.skills.signing.model_signing import BUNDLE, PREDICATE, Trust, verify_bundle
from raptorflow.skills.signing.statement import STATEMENT, check_tree

FILES = {"SKILL.md": b"hello", "a-b.txt": b"2", "a/b.txt": b"1"}
TYPE = "application/vnd.in-toto+json"
NOW = datetime.now(UTC)


class Authority:
    """A certificate and its key; the root when there is no issuer."""

    def __init__(
        self, name: str, issuer: "Authority | None" = None, *, ca: bool = True, days: int = 10
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP384R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=20))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        self.certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA384())


ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
LEAF = Authority("Signer", MIDDLE, ca=False)


def bundle(*chain: Authority, tag: bytes = b"DSSEv1", **change: Any) -> bytes:
    names = sorted(FILES, key=lambda path: path.split("/"))
    digests = {name: hashlib.sha256(FILES[name]).hexdigest() for name in names}
    whole = hashlib.sha256(b"".join(bytes.fromhex(digests[name]) for name in names)).hexdigest()
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": "greet", "digest": {"sha256": whole}}],
        "predicateType": PREDICATE,
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "ignore_paths": [".git"]},
            "resources": [{"name": name, "algorithm": "sha256", "digest": digests[name]} for name in names],
        },
    } | change
    payload = json.dumps(statement).encode()
    signature = chain[0].key.sign(pae(TYPE, payload, tag), ec.ECDSA(hashes.SHA384()))
    certificates = [{"rawBytes": encoded(each.certificate.public_bytes(Encoding.DER))} for each in chain]
    document = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"x509CertificateChain": {"certificates": certificates}},
        "dsseEnvelope": {
            "payload": encoded(payload), "payloadType": TYPE, "signatures": [{"sig": encoded(signature)}]
        },
    }  # fmt: skip
    return json.dumps(document).encode()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


TRUST = Trust(roots=[ROOT.certificate])


@pytest.mark.parametrize("tag", [b"DSSEv1", b"DSSEV1"])
def test_a_chain_that_leads_to_the_root_is_trusted(tag: bytes) -> None:
    verified = verify_bundle(bundle(LEAF, MIDDLE, tag=tag), TRUST)
    assert verified.signer == "CN=Signer"
    assert not verified.covers("skill.oms.sig")
    assert not verified.covers(".git/config")
    check_tree(verified.signed, FILES, ())
    with pytest.raises(TreeDrifted, match=r"a/b\.txt was changed"):
        check_tree(verified.signed, {**FILES, "a/b.txt": b"0"}, ())


def test_a_key_counts_where_there_is_no_certificate() -> None:
    document = json.loads(bundle(LEAF))
    document["verificationMaterial"] = {"publicKey": {"hint": "x"}}
    content = json.dumps(document).encode()
    assert verify_bundle(content, Trust(keys=[LEAF.key.public_key()])).signer == "a given key"
    with pytest.raises(SignerUnknown):
        verify_bundle(content, Trust())
    with pytest.raises(SignatureWrong):
        verify_bundle(content, Trust(keys=[ROOT.key.public_key()]))


def test_nobody_else_is_trusted() -> None:
    stranger = Authority("Signer", Authority("Root"), ca=False)
    expired = Authority("Signer", MIDDLE, ca=False, days=-1)
    no_authority = Authority("Signer", Authority("Signer", MIDDLE, ca=False), ca=False)
    for chain in ((stranger,), (expired, MIDDLE), (LEAF,), (no_authority, LEAF, MIDDLE)):
        with pytest.raises(SignerUnknown):
            verify_bundle(bundle(*chain), TRUST)


@pytest.mark.parametrize(
    "change",
    [
        {"predicateType": "https://slsa.dev/provenance/v1"},
        {"predicate": {"resources": []}},
        {"subject": [{"name": "greet", "digest": {"sha256": "00"}}]},
    ],
)
def test_a_bundle_about_something_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureMalformed):
        verify_bundle(bundle(LEAF, MIDDLE, **change), TRUST)


def test_a_keyless_bundle_says_what_it_needs() -> None:
    document = json.loads(bundle(LEAF))
    document["verificationMaterial"] = {"tlogEntries": []}
    with pytest.raises(SignatureMalformed) as refused:
        verify_bundle(json.dumps(document).encode(), TRUST)
    assert "trust root" in str(refused.value.hint)


@pytest.mark.parametrize("value", [0, 1, 0xFF])
def test_a_certificate_is_refused_with_any_byte_damaged_that_its_issuer_signed(value: int) -> None:
    content = bundle(LEAF, MIDDLE)
    der = LEAF.certificate.public_bytes(Encoding.DER)
    signed = LEAF.certificate.tbs_certificate_bytes
    first = der.index(signed)
    for place in range(first, first + len(signed)):
        damaged = der[:place] + bytes([value]) + der[place + 1 :]
        if damaged != der:
            changed = content.replace(encoded(der).encode(), encoded(damaged).encode())
            with pytest.raises((SignatureMalformed, SignatureWrong, SignerUnknown)):
                verify_bundle(changed, TRUST)
