"""A question and its files, checked before anything is started or sent."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raptorflow.base.errors import InvalidInput, TooLarge

MIB = 1024 * 1024


class FileUnusable(InvalidInput):
    """A file that was named cannot be sent or written."""

    code = "file-unusable"


class FileTooLarge(TooLarge):
    """A file is larger than the server would take."""

    code = "file-too-large"
    default_hint = "Send a part of it, or raise RAPTORFLOW_ORCHESTRATOR__MAX_FILE_BYTES."


@dataclass(frozen=True)
class Question:
    """What is asked, about which files, and where artefacts go."""

    text: str
    files: Sequence[Path]
    out: Path


def check_question(asked: Question, *, limit_bytes: int | None = None) -> None:
    """Find what cannot work.

    Args:
        asked: the question.
        limit_bytes: how large a file may be, when that is known here.

    Raises:
        InvalidInput: there is no question.
        FileUnusable: a file is not there, is none, or cannot be read.
        FileTooLarge: a file is larger than the limit.
    """
    if not asked.text.strip():
        raise InvalidInput("The question is empty.", hint='Ask one: raptorflow ask "..." --file data.csv')
    for path in asked.files:
        size = _checked_size(path)
        if limit_bytes is not None and size > limit_bytes:
            message = f"{path.name} has {size / MIB:,.1f} MiB; a file may have {limit_bytes / MIB:g} MiB."
            raise FileTooLarge(message, details={"limit_bytes": limit_bytes, "received_bytes": size})


def _checked_size(path: Path) -> int:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise FileUnusable(f"{path} is a folder.", hint="Name a file in it.")
        if not stat.S_ISREG(found.st_mode):
            # Its size is not known, and it can be read only once.
            raise FileUnusable(f"{path} is a pipe or a device, not a file.", hint="Save it to a file first.")
        with path.open("rb"):
            return found.st_size
    except FileNotFoundError as error:
        raise FileUnusable(f"There is no file {path}.", hint="Check the path.") from error
    except OSError as error:
        raise FileUnusable(
            f"{path} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
