"""Reads any CSV: finds encoding and delimiter, then streams rows, so that a large file needs little memory."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raptorflow_skill.errors import SkillError

HEAD_BYTES = 256 * 1024
SAMPLE_ROWS = 2000
DELIMITERS = ",;\t|"
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
BINARY_MAGIC = (
    b"\x89PNG",
    b"PK\x03\x04",
    b"%PDF",
    b"\x1f\x8b",
    b"GIF8",
    b"\xff\xd8\xff",
    b"\x7fELF",
    b"SQLite",
)
MOST_CONTROL = 0.02
csv.field_size_limit(1024 * 1024)


@dataclass(frozen=True)
class Table:
    """A CSV file, understood but not read.

    Attributes:
        header: unique column names.
        sample: the first rows, each as long as the header.
        notes: what had to be assumed.
    """

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    sample: list[list[str]]
    notes: tuple[str, ...]

    def rows(self) -> Iterator[list[str]]:
        """Every row, padded or cut to the header's length; empty lines are left out."""
        width = len(self.header)
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            next(reader, None)
            for row in reader:
                if row and any(row):
                    yield row if len(row) == width else (row + [""] * width)[:width]

    def index(self, column: str) -> int:
        """A column's place, whatever the case of its name.

        Raises:
            SkillError: there is no such column.
        """
        wanted = column.strip().casefold()
        for number, name in enumerate(self.header):
            if name.casefold() == wanted:
                return number
        raise SkillError(
            "column-missing", f"There is no column {column!r}.", f"The columns are: {', '.join(self.header)}."
        )


def open_table(path: Path) -> Table:
    """Understand a CSV file.

    Raises:
        SkillError: it is empty, no text, or has no rows.
    """
    name = path.name
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip():
        raise SkillError("file-empty", f"{name} is empty.", "Export it again with its rows.")
    encoding, notes = _encoding(head, name)
    text = head.decode(encoding, errors="replace")
    delimiter = _delimiter(text)
    table = Table(path, encoding, delimiter, (), [], ())
    try:
        header, ragged, sample = _sample(table)
    except csv.Error as error:
        raise SkillError(
            "not-a-table", f"{name} cannot be read as CSV: {error}.", "Save it as CSV."
        ) from error
    if not sample:
        raise SkillError("no-rows", f"{name} has a header and no rows.", "Export it again with its rows.")
    if ragged:
        notes.append(f"{ragged} of the first rows have another number of fields than the header.")
    return Table(path, encoding, delimiter, header, sample, tuple(notes))


def _encoding(head: bytes, name: str) -> tuple[str, list[str]]:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, []
    control = sum(byte < 9 or 13 < byte < 32 for byte in head[:8192]) / len(head[:8192])
    if head.startswith(BINARY_MAGIC) or b"\0" in head or control > MOST_CONTROL:
        raise SkillError("not-text", f"{name} is a binary file, not a CSV.", "Export the data as CSV.")
    try:
        # The head may end in the middle of a character.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as error:
        note = (
            f"{name} is not UTF-8 (byte {error.start}); it was read as Windows-1252. Check accented letters."
        )
        return "cp1252", [note]
    return "utf-8", []


def _delimiter(text: str) -> str:
    """The delimiter that splits the first lines into the same number of fields, most of them."""
    lines = text.splitlines()[:50]
    if len(lines) > 1:
        lines = lines[: max(2, len(lines) - 1)]

    def consistency(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if not counts or counts[0] < 2:
            return (0.0, 0)
        return (sum(count == counts[0] for count in counts) / len(counts), counts[0])

    return max(DELIMITERS, key=consistency)


def _sample(table: Table) -> tuple[tuple[str, ...], int, list[list[str]]]:
    with table.path.open(encoding=table.encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=table.delimiter)
        header = _unique(next((row for row in reader if any(cell.strip() for cell in row)), []))
        width, ragged, sample = len(header), 0, list[list[str]]()
        for row in reader:
            if len(sample) >= SAMPLE_ROWS:
                break
            if row and any(row):
                ragged += len(row) != width
                sample.append((row + [""] * width)[:width])
    return header, ragged, sample


def _unique(names: list[str]) -> tuple[str, ...]:
    """Names without blanks around; empty and doubled ones get a number."""
    seen: dict[str, int] = {}
    unique: list[str] = []
    for number, name in enumerate(names, 1):
        plain = " ".join(name.split()) or f"column {number}"
        seen[plain.casefold()] = seen.get(plain.casefold(), 0) + 1
        count = seen[plain.casefold()]
        unique.append(plain if count == 1 else f"{plain} ({count})")
    return tuple(unique)
