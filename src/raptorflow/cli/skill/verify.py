"""`raptorflow skill verify`: are these the files that somebody trusted has signed?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cyclopts import Parameter

from raptorflow.base.json import dumps
from raptorflow.cli.question import FileUnusable
from raptorflow.skills.archive import unpack
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.signing.dsse import read_envelope
from raptorflow.skills.signing.dsse import verify as check_envelope
from raptorflow.skills.signing.errors import SignatureMalformed
from raptorflow.skills.signing.keys import read_public, read_signers
from raptorflow.skills.signing.model_signing import FILE as MODEL_SIGNATURE
from raptorflow.skills.signing.model_signing import Trust, verify_bundle
from raptorflow.skills.signing.statement import check_tree, read_statement

MAX_SIGNATURE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Tree:
    """The files to compare: of a folder, or of an archive."""

    files: dict[str, bytes]
    executables: frozenset[str]


def verify(
    target: Path = Path(),
    *,
    signature: Path | None = None,
    key: Annotated[list[Path] | None, Parameter(negative="")] = None,
    root: Annotated[list[Path] | None, Parameter(negative="")] = None,
    json: bool = False,
) -> None:
    """Verify a skill's signature; every file that is not what was signed is named, and ends it with 1.

    Args:
        target: the skill's folder or archive.
        signature: a DSSE envelope, or an OpenSSF Model Signing bundle; the skill's own `skill.oms.sig`, or
            the one `*.dsse.json` beside it, when not given.
        key: a trusted public key (PEM); may be given several times.
        root: a trusted root certificate (PEM), for bundles; may be given several times.
        json: print one JSON object.
    """
    tree = _tree(target)
    content = _read(signature or _beside(target))
    signer = _check(content, tree, key or [], root or [])
    if json:
        print(dumps({"path": str(target), "ok": True, "signer": signer, "files": len(tree.files)}))
    else:
        print(f"{target}: all {len(tree.files)} files are as {signer} signed them.")


def _check(content: bytes, tree: Tree, keys: Sequence[Path], roots: Sequence[Path]) -> str:
    """Who signed."""
    if b"sigstore.bundle" in content[:4096]:
        certificates = [one for path in roots for one in _certificates(path)]
        bundle = verify_bundle(content, Trust([read_signers(path) for path in keys], certificates))
        check_tree(
            bundle.signed, {path: each for path, each in tree.files.items() if bundle.covers(path)}, ()
        )
        return bundle.signer
    envelope = read_envelope(content)
    signer = check_envelope(envelope, [read_public(path) for path in keys])
    check_tree(read_statement(envelope.payload), tree.files, tree.executables)
    return f"key {signer[:16]}"


def _tree(target: Path) -> Tree:
    if target.is_file():
        unpacked = unpack(target.read_bytes())
        return Tree(unpacked.files, unpacked.executables)
    findings = Findings()
    files, executables = collect_files(target, findings)
    if findings.errors():
        raise SkillInvalid(findings.errors())
    if not files:
        raise FileUnusable(f"{target} holds no files.", hint="Name the skill's folder or archive.")
    return Tree(files, frozenset(executables))


def _beside(target: Path) -> Path:
    own = target / MODEL_SIGNATURE
    if own.is_file():
        return own
    place = target.resolve().parent
    stem = target.resolve().name.removesuffix(".skill") if target.is_file() else f"{target.resolve().name}-"
    found = sorted(path for path in place.glob("*.dsse.json") if path.name.startswith(stem))
    if len(found) != 1:
        message = f"There are {len(found)} signatures beside {target}."
        raise FileUnusable(message, hint="Name the one that is meant with `--signature`.")
    return found[0]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SIGNATURE + 1)
    except OSError as error:
        raise FileUnusable(f"{path} cannot be read: {error.strerror}.", hint="Name another file.") from error


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path))
    except ValueError as error:
        raise SignatureMalformed(f"{path} holds no certificate.", hint="Give a PEM file.") from error
