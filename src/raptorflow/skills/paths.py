"""Paths inside a skill: relative, and such that every file system keeps them apart."""

import unicodedata

from raptorflow.skills.text import control_in, hidden_in

MAX_PATH = 200
MAX_DEPTH = 15
# An archive may put the skill's folder, of at most 64 characters and a slash, around every path.
WRAPPER = 65
FORBIDDEN = frozenset('\\:*?"<>|\t\n\r\f\x85\u2028\u2029')
# Names of devices on Windows, whatever extension follows.
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def path_problem(path: str, *, wrapped: bool = False) -> str | None:
    """Why a path cannot be in a skill, as the end of a sentence; None when it can.

    Args:
        path: relative, with `/`.
        wrapped: the skill's folder may stand before it.
    """
    parts = path.split("/")
    if path.startswith("/") or not all(parts) or not {".", ".."}.isdisjoint(parts):
        return "leads outside or nowhere"
    if len(parts) > MAX_DEPTH + wrapped or len(path) > MAX_PATH + wrapped * WRAPPER:
        return f"is deeper than {MAX_DEPTH} folders or longer than {MAX_PATH} characters"
    if not FORBIDDEN.isdisjoint(path) or control_in(path) or hidden_in(path):
        return "has characters that not every system can store"
    if any(part.endswith((" ", ".")) or part.startswith(" ") for part in parts):
        return "has a name with a space or a dot at its edge"
    if any(part.partition(".")[0].casefold() in DEVICES for part in parts):
        return "has the name of a device"
    return None


class Spellings:
    """Remembers paths, and tells when a new one would fall onto an old one on some file system."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, bool]] = {}

    def clash(self, path: str) -> str | None:
        """Remember a file's path; the path it cannot live beside, or None."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            known = self._known.setdefault(_folded(folder), (folder, False))
            if known != (folder, False):
                return known[0]
        if known := self._known.get(_folded(path)):
            return known[0]
        self._known[_folded(path)] = (path, True)
        return None


def _folded(path: str) -> str:
    """As a file system sees it that knows neither case nor ways of composing a letter."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
