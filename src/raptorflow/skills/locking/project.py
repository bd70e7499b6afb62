"""`skills.toml` in a project's folder: the skills that it wishes for, each with a version range.

[skills]
"acme/brand-voice" = "^2.1"
"""

from pathlib import Path

import tomlkit

from raptorflow.base.errors import InvalidInput
from raptorflow.skills.errors import FolderUnwritable
from raptorflow.skills.frontmatter import as_mapping
from raptorflow.skills.manifest.document import REFERENCE
from raptorflow.skills.ranges import VersionRange
from raptorflow.skills.replacing import replace_file
from raptorflow.skills.resolving.model import Wishes
from raptorflow.skills.toml import read_toml

FILE = "skills.toml"
MAX_BYTES = 256 * 1024


class ProjectInvalid(InvalidInput):
    """A project's file cannot be read."""

    code = "project-invalid"
    default_hint = 'Write `[skills]` and below it lines such as `"acme/ads" = "^1.2"`.'


def read_wishes(folder: Path) -> dict[str, str]:
    """What a project wishes for; nothing when it has no file.

    Raises:
        ProjectInvalid: the file is none.
        VersionRangeInvalid: a range is none.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        document = read_toml(path, MAX_BYTES)
    except (OSError, ValueError) as error:
        raise ProjectInvalid(f"{path} cannot be read: {error}.") from error
    wishes = as_mapping(document.get("skills", {}))
    if wishes is None:
        raise ProjectInvalid(f"`skills` of {path} is no table.")
    for name, wanted in wishes.items():
        check_wish(name, wanted)
    return {name: str(wanted) for name, wanted in wishes.items()}


def check_wish(name: str, wanted: object) -> None:
    """Refuse what names no skill or no range of versions.

    Raises:
        ProjectInvalid: the name is none.
        VersionRangeInvalid: the range is none.
    """
    if not REFERENCE.fullmatch(name):
        raise ProjectInvalid(f"{name[:80]!r} names no skill.", hint="Write `namespace/name`.")
    if not isinstance(wanted, str):
        raise ProjectInvalid(f"The version range of {name} is no text.")
    VersionRange.parse(wanted)


def write_wishes(folder: Path, wishes: Wishes) -> None:
    """Write what is wished for; comments and order of a file that is there stay.

    Raises:
        FolderUnwritable: the file cannot be written; what was there is as it was.
    """
    path = folder / FILE
    document = tomlkit.parse(path.read_bytes()) if path.exists() else tomlkit.document()
    table = document.setdefault("skills", tomlkit.table())
    for name in [name for name in table if name not in wishes]:
        del table[name]
    for name, wanted in wishes.items():
        if table.get(name) != wanted:
            table[name] = wanted
    try:
        replace_file(path, tomlkit.dumps(document).encode())
    except OSError as error:
        raise FolderUnwritable(f"{path} cannot be written: {error.strerror}.") from error
