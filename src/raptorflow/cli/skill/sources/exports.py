"""Skills of an export, or of a single archive."""

from pathlib import Path

from raptorflow.cli.question import FileUnusable
from raptorflow.skills.archive import unpack
from raptorflow.skills.exported import Exported, is_export, read_export
from raptorflow.skills.sources.basket import Basket, Found


def gather_file(file: Path, basket: Basket) -> None:
    """The skills of an export, each compared with its digest; or the one in an archive.

    Raises:
        ArchiveRefused: it is neither.
        FileUnusable: it cannot be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileUnusable(f"{file} cannot be read: {error.strerror}.", hint="Name another file.") from error
    if is_export(content):
        for each in read_export(content):
            keep_exported(each, str(file), basket)
    else:
        unpacked = unpack(content)
        basket.take(Found(file.name, str(file), unpacked.files, unpacked.executables))


def keep_exported(skill: Exported, source: str, basket: Basket) -> None:
    """Keep a skill whose digest was compared already."""
    unpacked = unpack(skill.archive)
    namespace, _, plain = skill.name.rpartition("/")
    told = f"{source} {skill.name}@{skill.version}"
    basket.take(
        Found(
            skill.name,
            told,
            unpacked.files,
            unpacked.executables,
            promised=plain,
            namespace=namespace,
        )
    )
