"""`raptorflow skill pack`: a byte-identical archive of a skill, and its bill of materials."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from raptorflow.base.json import dumps
from raptorflow.cli.question import FileUnusable
from raptorflow.skills.bill import bill
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.layouts import Layout, packed
from raptorflow.skills.reader import read_skill


def pack(
    folder: Path = Path(),
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    layout: Layout = "skill",
    bom: Path | None = None,
    json: bool = False,
) -> None:
    """Pack a skill into a byte-identical archive and print its digest.

    Args:
        folder: the skill's folder.
        output: the archive; `<name>-<version>.skill` here when not given.
        layout: `skill` has the files below the skill's name; `zip` and `tar.gz` have SKILL.md at the root.
        bom: write a CycloneDX bill of materials here.
        json: print one JSON object.
    """
    skill = read_skill(folder)
    files, executables = collect_files(folder, Findings())
    archive = packed(skill.name, files, executables, layout)
    target = output or Path(f"{skill.name}-{skill.version}.{layout}")
    write(target, archive)
    if bom:
        write(bom, dumps(bill(skill, files)).encode() + b"\n")
    if json:
        document = {"skill": skill.name, "version": skill.version, "digest": skill.digest}
        print(
            dumps(document | {"path": str(target), "bytes": len(archive), "bom": str(bom) if bom else None})
        )
    else:
        print(f"{target}  {len(archive):,} bytes  {skill.digest}")


def write(target: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        FileUnusable: it cannot be written.
    """
    try:
        target.write_bytes(content)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}."
        raise FileUnusable(message, hint="Name another file with `--output`.") from error
