"""Reads any CSV: finds encoding, delimiter and header, then streams rows: large files need little memory."""

import csv
import difflib
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from raptorflow_skill import progress
from raptorflow_skill.errors import SkillError
from text_encoding import find_encoding

HEAD_CHARACTERS = 256 * 1024
HEAD_LINES = 60
SAMPLE_ROWS = 2000
MOST_COLUMNS = 2000
LONGEST_CELL = 1024 * 1024
DELIMITERS = ",;\t|"
LARGE_BYTES = 8 * 1024 * 1024
REPORT_ROWS = 100_000
MOST_NAMED = 30
END = "\x1e\x1e\x1e"
csv.field_size_limit(LONGEST_CELL)
_NEW_LINE = re.compile(r"\r\n|\r|\n")
_SEPARATOR_LINE = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)


@dataclass
class Tally:
    """What was seen while reading: rows, and those with another number of fields than the header."""

    rows: int = 0
    ragged: int = 0


@dataclass(frozen=True)
class Table:
    """A CSV file, understood but not read.

    Attributes:
        skipped: records above and including the header.
        header: unique column names.
        sample: the first rows, each as long as the header.
        notes: what had to be assumed.
    """

    path: Path
    encoding: str
    delimiter: str
    skipped: int
    header: tuple[str, ...]
    sample: list[list[str]]
    notes: tuple[str, ...]

    def rows(self, tally: Tally | None = None) -> Iterator[list[str]]:
        """Every row, padded or cut to the header's length; empty lines are left out.

        Raises:
            SkillError: a quote is never closed.
        """
        seen = tally or Tally()
        width = len(self.header)
        large = self.path.stat().st_size > LARGE_BYTES
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as file:
            for row in islice(_records(file, self.delimiter, self.path.name), self.skipped, None):
                if not any(row):
                    continue
                seen.rows += 1
                if len(row) != width:
                    seen.ragged += 1
                    row = _fitted(row, width)
                if large and seen.rows % REPORT_ROWS == 0:
                    progress.report(self._fraction(file), f"{seen.rows:,} rows read")
                yield row

    def _fraction(self, file: TextIO) -> float:
        return file.buffer.tell() / self.path.stat().st_size

    def column(self, wanted: str) -> str:
        """A column's exact name, whatever the case of `wanted`.

        Raises:
            SkillError: there is no such column; the message names the nearest ones.
        """
        plain = " ".join(wanted.split()).casefold()
        for name in self.header:
            if name.casefold() == plain:
                return name
        raise column_missing(wanted, self.header)

    def index(self, column: str) -> int:
        """A column's place by its exact name."""
        return self.header.index(column)


def column_missing(wanted: str, columns: Sequence[str]) -> SkillError:
    """The error that says which columns there are, the most similar first."""
    by_plain = {name.casefold(): name for name in columns}
    near = [by_plain[plain] for plain in difflib.get_close_matches(wanted.casefold(), by_plain, 3, 0.6)]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return SkillError("column-missing", f"There is no column {wanted!r}.{meant}", columns_listed(columns))


def columns_listed(columns: Sequence[str]) -> str:
    """The sentence that says which columns there are."""
    shown = ", ".join(columns[:MOST_NAMED])
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return f"The columns are: {shown}{more}."


def open_table(path: Path) -> Table:
    """Understand a CSV file.

    Raises:
        SkillError: it is empty, no text, no table, or has no rows.
    """
    encoding, assumed = find_encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = _NEW_LINE.split(file.read(HEAD_CHARACTERS))[:HEAD_LINES]
    separator = _SEPARATOR_LINE.fullmatch(lines[0])
    delimiter = separator.group(1) if separator else _delimiter(lines)
    notes = list(assumed)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        records = _records(file, delimiter, path.name)
        first = list(islice(records, HEAD_LINES))
        above = _above_header(first[1:]) + 1 if separator else _above_header(first)
        names = first[above] if above < len(first) else []
        rest = [*first[above + 1 :], *islice(records, SAMPLE_ROWS)]
    header, doubled = _unique(names)
    sample = [_fitted(row, len(header)) for row in rest if any(row)]
    _refuse_no_table(path.name, header, sample)
    described = [" ".join(" ".join(row).split()) for row in first[bool(separator) : above] if any(row)]
    if described:
        notes.append(f"{len(described)} lines above the header were left out: {described[0][:80]!r}.")
    if doubled:
        notes.append(f"Columns with the same name got a number: {', '.join(doubled[:5])}.")
    return Table(path, encoding, delimiter, above + 1, header, sample, tuple(notes))


def tally_notes(tally: Tally) -> list[str]:
    """What a careful reader should know of the reading."""
    if not tally.ragged:
        return []
    return [f"{tally.ragged:,} of {tally.rows:,} rows have another number of fields than the header."]


def _records(file: TextIO, delimiter: str, name: str) -> Iterator[list[str]]:
    # The mark is a record of its own, unless a quote is still open: then it ends up inside the last field.
    reader = csv.reader(chain(file, [END]), delimiter=delimiter)
    begins = 1
    try:
        for row in reader:
            if row and row[-1].endswith(END):
                if row != [END]:
                    raise _never_closed(name, begins)
                return
            yield row
            begins = reader.line_num + 1
    except csv.Error as error:
        message = f"{name} cannot be read as CSV near line {reader.line_num:,}: {error}."
        raise SkillError("not-a-table", message, "Look for a quote that is never closed.") from error


def _never_closed(name: str, line: int) -> SkillError:
    message = f"{name} has a quote that is never closed, in the record that begins in line {line:,}."
    return SkillError("not-a-table", message, "Close it or take it out: what follows is lost otherwise.")


def _refuse_no_table(name: str, header: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
    if len(header) > MOST_COLUMNS:
        raise SkillError(
            "too-many-columns",
            f"{name} has {len(header):,} columns; {MOST_COLUMNS:,} are the most that can be read.",
            "Leave out the columns that do not matter.",
        )
    if not sample:
        columns = f"a header with {len(header)} columns" if len(header) > 1 else "one line"
        raise SkillError("no-rows", f"{name} has {columns} and no rows.", "Export it again with its rows.")


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter that splits most lines into the same number of fields; the more fields the better."""

    def fitness(delimiter: str) -> tuple[float, int]:
        widths = _widths(lines, delimiter)
        if not widths:
            return (0.0, 0)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return (count / widths.total(), width) if width > 1 else (0.0, 0)

    return max(DELIMITERS, key=fitness)


def _widths(lines: Sequence[str], delimiter: str) -> Counter[int]:
    try:
        rows = list(csv.reader((f"{line}\n" for line in lines if line.strip()), delimiter=delimiter))
    except csv.Error:
        return Counter()
    # The last of many lines may be cut off.
    return Counter(len(row) for row in (rows[:-1] if len(rows) > 2 else rows))


def _above_header(first: Sequence[Sequence[str]]) -> int:
    """How many records stand above the header: blank lines, and titles with fewer fields than the table."""
    filled = [len(row) for row in first if any(cell.strip() for cell in row)]
    width = Counter(filled).most_common(1)[0][0] if filled else 0
    for place, row in enumerate(first):
        cells = [cell for cell in row if cell.strip()]
        if cells and (len(row) >= width or len(cells) > max(2, width // 2)):
            return place
    return len(first)


def _fitted(row: list[str], width: int) -> list[str]:
    return row if len(row) == width else (row + [""] * width)[:width]


def _unique(names: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Names without blanks around; empty and doubled ones get a number, and the doubled are named."""
    taken: set[str] = set()
    unique: list[str] = []
    doubled: list[str] = []
    for number, name in enumerate(names, 1):
        plain = " ".join(name.split()) or f"column {number}"
        candidate, count = plain, 1
        while candidate.casefold() in taken:
            count += 1
            candidate = f"{plain} ({count})"
        if count > 1:
            doubled.append(candidate)
        taken.add(candidate.casefold())
        unique.append(sys.intern(candidate))
    return tuple(unique), doubled
