"""Signing a skill and checking the signature: what holds, and everything that must not."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from raptorflow.base.errors import Conflict
from raptorflow.skills.reader import read_skill
from raptorflow.skills.scaffold.new import new_skill
from raptorflow.skills.signing.dsse import pae, read_envelope, sign, verify
from raptorflow.skills.signing.errors import (
    KeyUnusable,
    SignatureMalformed,
    SignatureWrong,
    SignerUnknown,
    TreeDrifted,
)
from raptorflow.skills.signing.keys import key_id, new_key, public_pem, read_private, read_public
from raptorflow.skills.signing.statement import check_tree, read_statement, statement

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def test_what_is_signed_is_the_encoding_of_the_standard() -> None:
    # The example of the protocol's own document.
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_key_is_its_owner_s_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    key = new_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_id(read_private(path).public_key()) == key_id(read_public(tmp_path / "k.pem.pub"))
    with pytest.raises(Conflict):
        new_key(path)
    assert key_id(read_public(path)) == key_id(key.public_key())
    (tmp_path / "no.pem").write_text("no key")
    with pytest.raises(KeyUnusable):
        read_public(tmp_path / "no.pem")


def test_a_signature_holds_for_its_key_and_content() -> None:
    envelope = read_envelope(json.dumps(sign(b"content", KEY)).encode())
    assert verify(envelope, [OTHER.public_key(), KEY.public_key()]) == key_id(KEY.public_key())
    with pytest.raises(SignerUnknown):
        verify(envelope, [OTHER.public_key()])


def test_another_content_under_the_same_signature_is_refused() -> None:
    forged = sign(b"content", KEY) | {"payload": base64.b64encode(b"other").decode()}
    with pytest.raises(SignatureWrong):
        verify(read_envelope(forged), [KEY.public_key()])
    renamed = sign(b"content", KEY)
    renamed["signatures"] = [{**renamed["signatures"][0], "keyid": key_id(OTHER.public_key())}]
    with pytest.raises(SignatureWrong):
        verify(read_envelope(renamed), [OTHER.public_key()])


@pytest.mark.parametrize(
    "change",
    [
        {"payload": "Y29udGVudB=="},
        {"payload": "Y29u\ndGVudA=="},
        {"payload": ""},
        {"payload": None},
        {"payloadType": 1},
        {"signatures": []},
        {"signatures": [{"keyid": "a"}]},
        {"signatures": [{"keyid": "a", "sig": "YQ=="}, {"keyid": "a", "sig": "Yg=="}]},
        {"signatures": [{"keyid": str(n), "sig": "YQ=="} for n in range(17)]},
    ],
)
def test_a_malformed_envelope_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureMalformed):
        read_envelope(sign(b"content", KEY) | change)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"9" * 5_000_000])
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    with pytest.raises(SignatureMalformed):
        read_envelope(content)


def test_a_drifted_tree_is_named_file_by_file(tmp_path: Path) -> None:
    skill = read_skill(new_skill(tmp_path, "count", "python"))
    signed = read_statement(statement(skill))
    files = {each.path: (tmp_path / "count" / each.path).read_bytes() for each in skill.files}
    check_tree(signed, files, ())
    changed = {**files, "SKILL.md": b"x", "new.txt": b""}
    del changed["skill.toml"]
    with pytest.raises(TreeDrifted) as drifted:
        check_tree(signed, changed, {"scripts/count-words.py"})
    assert drifted.value.details["files"] == [
        "skill.toml is missing",
        "new.txt was added",
        "SKILL.md was changed",
        "scripts/count-words.py was made executable",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "https://slsa.dev/provenance/v1"},
        {"subject": []},
        {"subject": [{"name": "a", "digest": {"md5": "x"}}]},
        {"subject": [{"name": "a", "digest": {"sha256": "x"}}] * 2},
        {"predicate": {}},
    ],
)
def test_another_statement_does_not_count_as_ours(tmp_path: Path, change: dict[str, Any]) -> None:
    document = json.loads(statement(read_skill(new_skill(tmp_path, "count", "python"))))
    with pytest.raises(SignatureMalformed):
        read_statement(json.dumps(document | change).encode())


def test_a_public_key_is_ordinary_pem() -> None:
    assert public_pem(KEY.public_key()).startswith(b"-----BEGIN PUBLIC KEY-----")
