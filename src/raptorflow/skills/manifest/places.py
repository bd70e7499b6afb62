"""Where the keys of a TOML document stand, which no TOML reader tells."""

import re

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_KEY})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*({_KEY})[ \t]*=")

KeyPath = tuple[str, ...]


class KeyPlaces:
    """Finds the line of a key; for a key inside a line's value, that line."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        table: KeyPath = ()
        for number, line in enumerate(text.split("\n"), 1):
            if header := _HEADER.match(line):
                table = _parts(header.group(1))
                self._lines.setdefault(table, number)
            elif assignment := _ASSIGNMENT.match(line):
                self._lines.setdefault(table + _parts(assignment.group(1)), number)

    def line(self, *path: str) -> int | None:
        """The line of a key or of the nearest table around it, counted from 1."""
        known = (self._lines.get(path[:length]) for length in range(len(path), 0, -1))
        return next((number for number in known if number is not None), None)


def _parts(key: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))
