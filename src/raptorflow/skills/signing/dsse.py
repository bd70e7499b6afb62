"""DSSE envelopes (https://github.com/secure-systems-lab/dsse, protocol v1.0)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from raptorflow.base.json import JsonObject, loads
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.signing.errors import SignatureMalformed, SignatureWrong, SignerUnknown
from raptorflow.skills.signing.keys import key_id

IN_TOTO = "application/vnd.in-toto+json"
MAX_ENVELOPE = 4 * 1024 * 1024
MAX_SIGNATURES = 16


@dataclass(frozen=True)
class Envelope:
    """An envelope, decoded: what was signed, and who signed it (key id and signature)."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]


def pae(payload_type: str, payload: bytes, tag: bytes = b"DSSEv1") -> bytes:
    """The pre-authentication encoding: the very bytes that are signed."""
    kind = payload_type.encode()
    return b" ".join((tag, str(len(kind)).encode(), kind, str(len(payload)).encode(), payload))


def sign(payload: bytes, key: Ed25519PrivateKey, payload_type: str = IN_TOTO) -> JsonObject:
    """An envelope with one signature."""
    signature = key.sign(pae(payload_type, payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def read_envelope(content: bytes | JsonObject) -> Envelope:
    """Decode an envelope, strictly.

    Raises:
        SignatureMalformed: it is none.
    """
    table = _table(content)
    signatures = as_list(table.get("signatures"))
    kind = table.get("payloadType")
    if not isinstance(kind, str) or not signatures or len(signatures) > MAX_SIGNATURES:
        raise SignatureMalformed("The envelope has no payload type, or not 1 to 16 signatures.")
    read = [as_mapping(each) or {} for each in signatures]
    pairs = tuple((str(each.get("keyid", "")), _bytes(each.get("sig"))) for each in read)
    if len({name for name, _ in pairs if name}) != len([name for name, _ in pairs if name]):
        raise SignatureMalformed("The envelope has two signatures of one key.")
    return Envelope(kind, _bytes(table.get("payload")), pairs)


def verify(envelope: Envelope, keys: Sequence[Ed25519PublicKey]) -> str:
    """Find a trusted key that has signed; its id.

    Raises:
        SignerUnknown: none of the keys is named by a signature.
        SignatureWrong: a key is named, and has not made its signature over this payload.
    """
    signed = pae(envelope.payload_type, envelope.payload)
    by_id = {key_id(key): key for key in keys}
    known = [(name, signature) for name, signature in envelope.signatures if name in by_id]
    if not known:
        names = ", ".join(name[:16] or "nobody" for name, _ in envelope.signatures)
        raise SignerUnknown(f"The signature is by {names}, and by none of the given keys.")
    for name, signature in known:
        try:
            by_id[name].verify(signature, signed)
        except InvalidSignature as error:
            raise SignatureWrong(f"The signature of {name[:16]} is not over this content.") from error
    return known[0][0]


def _table(content: bytes | JsonObject) -> JsonObject:
    if not isinstance(content, bytes):
        return content
    if len(content) > MAX_ENVELOPE:
        raise SignatureMalformed(f"The envelope has over {MAX_ENVELOPE} bytes.")
    try:
        table = as_mapping(loads(content))
    except ValueError as error:
        raise SignatureMalformed("The envelope is not JSON.") from error
    if table is None:
        raise SignatureMalformed("The envelope is no object.")
    return table


def _bytes(value: Any) -> bytes:
    """Base64 in its one canonical form: another spelling of the same bytes is another envelope."""
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise SignatureMalformed("A part of the envelope is not base64.") from error
    if base64.b64encode(content).decode() != value or not content:
        raise SignatureMalformed("A part of the envelope is empty, or not base64 as it is written.")
    return content
