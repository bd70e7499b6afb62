"""A script's bytes as the text that the pure tier runs, read as Python reads a file."""

import io
from tokenize import detect_encoding

PYTHONS = frozenset({"python", "python3"})


def script_text(content: bytes) -> str | None:
    """The text by the encoding that its first lines declare, with plain line ends; None when it is none."""
    try:
        encoding, _ = detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, ValueError, LookupError):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def script_of(command: tuple[str, ...]) -> str | None:
    """The file that a command gives to Python, relative to the skill's folder; None when it gives none."""
    if len(command) < 2 or command[0] not in PYTHONS:
        return None
    path = command[1].removeprefix("./")
    outside = not path or path.startswith(("/", "-")) or ".." in path.split("/")
    return None if outside else path
