"""What a signature says of a skill: an in-toto statement over its tree and each of its files.

The format is https://in-toto.io/Statement/v1: its subjects are the files, the predicate names the tree.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from raptorflow.base.json import JsonObject, canonical, loads
from raptorflow.skills.frontmatter import as_list, as_mapping
from raptorflow.skills.listing import Listing
from raptorflow.skills.model import Skill
from raptorflow.skills.signing.errors import SignatureMalformed, TreeDrifted

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://raptorflow.dev/attestation/skill/v1"


@dataclass(frozen=True)
class Signed:
    """What was signed.

    Attributes:
        files: the SHA-256 of each file, by path.
        executables: the paths that were executable; None when the statement does not say.
    """

    name: str
    version: str | None
    files: Mapping[str, str]
    executables: frozenset[str] | None


def statement(skill: Skill) -> bytes:
    """The statement of a skill, the same bytes every time."""
    document: JsonObject = {
        "_type": STATEMENT,
        "subject": [{"name": each.path, "digest": {"sha256": each.sha256}} for each in skill.files],
        "predicateType": PREDICATE,
        "predicate": {
            "skill": skill.name,
            "version": skill.version,
            "digest": skill.digest,
            "executables": sorted(each.path for each in skill.files if each.executable),
        },
    }
    return canonical(document)


def read_statement(payload: bytes) -> Signed:
    """Read a statement of ours.

    Raises:
        SignatureMalformed: it is none.
    """
    try:
        document = as_mapping(loads(payload)) or {}
    except ValueError as error:
        raise SignatureMalformed("What was signed is not JSON.") from error
    if document.get("_type") != STATEMENT or document.get("predicateType") != PREDICATE:
        raise SignatureMalformed("What was signed is no statement about a skill.")
    predicate = as_mapping(document.get("predicate")) or {}
    files: dict[str, str] = {}
    for subject in map(as_mapping, as_list(document.get("subject")) or []):
        path = (subject or {}).get("name")
        digest = (as_mapping((subject or {}).get("digest")) or {}).get("sha256")
        if not isinstance(path, str) or not isinstance(digest, str) or path in files:
            raise SignatureMalformed("A file of the statement has no name or digest, or is named twice.")
        files[path] = digest
    executables = as_list(predicate.get("executables"))
    if not files or executables is None:
        raise SignatureMalformed("The statement names no files, or does not say which are executable.")
    name, version = str(predicate.get("skill")), str(predicate.get("version"))
    return Signed(name, version, files, frozenset(map(str, executables)))


def check_tree(signed: Signed, files: Mapping[str, bytes], executables: Collection[str]) -> None:
    """Compare a tree with what was signed.

    Raises:
        TreeDrifted: they differ; every file is named.
    """
    modes = frozenset(executables) if signed.executables is None else signed.executables
    if drifted := Listing(signed.files, modes).differences(Listing.of(files, executables)):
        raise TreeDrifted([str(each) for each in drifted])
