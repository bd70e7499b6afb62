"""`raptorflow skill sign`: a signature over every file of a skill, beside it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from raptorflow.base.errors import InvalidInput
from raptorflow.base.json import dumps
from raptorflow.cli.skill.pack import write
from raptorflow.skills.reader import read_skill
from raptorflow.skills.signing.dsse import sign as signed
from raptorflow.skills.signing.keys import key_id, new_key, read_private
from raptorflow.skills.signing.statement import statement


class KeyNotNamed(InvalidInput):
    """Nobody said with which key to sign."""

    code = "key-not-named"
    default_hint = "Give `--key FILE`, or make a key with `--new-key FILE`."


def sign(
    folder: Path = Path(),
    *,
    key: Path | None = None,
    new_key_file: Annotated[Path | None, Parameter(name="--new-key")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json: bool = False,
) -> None:
    """Sign a skill with an Ed25519 key; the DSSE envelope lies beside its archive.

    Args:
        folder: the skill's folder.
        key: the PEM file of the private key.
        new_key_file: make a key here first (and its public half beside it, `.pub`), and sign with it.
        output: the envelope; `<name>-<version>.dsse.json` here when not given.
        json: print one JSON object.
    """
    skill = read_skill(folder)
    if new_key_file:
        secret = new_key(new_key_file)
    elif key:
        secret = read_private(key)
    else:
        raise KeyNotNamed("The skill cannot be signed without a key.")
    target = output or Path(f"{skill.name}-{skill.version}.dsse.json")
    write(target, dumps(signed(statement(skill), secret)).encode() + b"\n")
    signer = key_id(secret.public_key())
    if json:
        print(dumps({"skill": skill.name, "digest": skill.digest, "path": str(target), "key_id": signer}))
    else:
        print(f"{target}  signed by {signer[:16]}  {skill.digest}")
