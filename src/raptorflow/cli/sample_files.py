"""The sample skills as they lie in the package; light, because every start looks at them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from raptorflow import samples


def sample_folders() -> Iterator[Path]:
    """The skills that ship with the product."""
    for folder in samples.__path__:
        yield from sorted(file.parent for file in Path(folder).glob("skills/*/SKILL.md"))


def samples_fingerprint() -> str:
    """What the samples are, so that a start knows whether there is anything to do."""
    digest = hashlib.sha256()
    for folder in sample_folders():
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"{folder.name}/{file.relative_to(folder)}"
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
