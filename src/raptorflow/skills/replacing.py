"""Replaces a file by another content: whole or not at all."""

import os
import tempfile
from pathlib import Path

NEW_FILE = 0o644


def replace_file(file: Path, content: bytes) -> None:
    """Write a file; one that is there keeps its mode, and its content when this fails.

    Raises:
        OSError: it cannot be written.
    """
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as fresh:
        place = Path(fresh.name)
        try:
            fresh.write(content)
            fresh.flush()
            place.chmod(file.stat().st_mode & 0o7777 if file.exists() else NEW_FILE)
            os.replace(place, file)
        except OSError:
            place.unlink(missing_ok=True)
            raise
