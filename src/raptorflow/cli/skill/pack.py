"""`raptorflow skill pack`: a byte-identical archive of a skill."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from raptorflow.base.json import dumps
from raptorflow.cli.question import FileUnusable
from raptorflow.skills.archive import read_and_pack


def pack(
    folder: Path,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json: bool = False,
) -> None:
    """Pack a skill into a byte-identical `.skill` archive and print its digest.

    Args:
        folder: the skill's folder.
        output: the archive; `<name>-<version>.skill` here when not given.
        json: print one JSON object.
    """
    skill, archive = read_and_pack(folder)
    target = output or Path(f"{skill.name}-{skill.version}.skill")
    try:
        target.write_bytes(archive)
    except OSError as error:
        raise FileUnusable(
            f"{target} cannot be written: {error.strerror}.", hint="Name another file with `--output`."
        ) from error
    if json:
        document = {"skill": skill.name, "version": skill.version, "digest": skill.digest}
        print(dumps(document | {"path": str(target), "bytes": len(archive)}))
    else:
        print(f"{target}  {len(archive):,} bytes  {skill.digest}")
