"""Whether a file is text, and in which encoding."""

import codecs
from pathlib import Path

from raptorflow_skill.errors import SkillError

CHUNK = 1024 * 1024
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BINARY = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook or Office document",
    b"\x1f\x8b": "a gzip archive",
    b"\x7fELF": "a program",
    b"SQLite format": "an SQLite database",
    b"PAR1": "a Parquet file",
}
EXPORT = "Export the data as CSV (in Excel: Save as, CSV UTF-8)."
MOST_CONTROL = 0.02
CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\v\f\r\x1b")


def find_encoding(path: Path) -> tuple[str, tuple[str, ...]]:
    """The encoding of a text file, and what had to be assumed to read it.

    Raises:
        SkillError: the file is missing, empty, binary, or in no encoding we know.
    """
    try:
        with path.open("rb") as file:
            head = file.read(CHUNK)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise SkillError(
            "file-unreadable", f"{path.name} cannot be read: {reason}.", "Send the file again."
        ) from error
    if not head.strip(b" \t\r\n\0" + codecs.BOM_UTF8):
        raise SkillError("file-empty", f"{path.name} is empty.", "Export it again with its rows.")
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, ()
    if unmarked := _unmarked_utf16(head):
        return unmarked, (f"{path.name} was read as UTF-16; it does not say so itself.",)
    _refuse_binary(path.name, head)
    return _utf8_or_windows(path)


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without a mark, known by the zero halves of Latin letters."""
    sample = head[:4096]
    half = len(sample) // 2
    if half < 4:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.05 * half else None


def _refuse_binary(name: str, head: bytes) -> None:
    known = next((kind for magic, kind in BINARY.items() if head.startswith(magic)), None)
    sample = head[:8192]
    control = (len(sample) - len(sample.translate(None, CONTROL))) / len(sample)
    if known or control > MOST_CONTROL:
        raise SkillError("not-text", f"{name} is {known or 'a binary file'}, not a CSV.", EXPORT)


def _utf8_or_windows(path: Path) -> tuple[str, tuple[str, ...]]:
    """UTF-8 when all of the file is, otherwise Windows-1252 when all of it can be."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if (nul := chunk.find(0)) >= 0:
                message = f"{path.name} is a binary file, not a CSV: byte {place + nul:,} is zero."
                raise SkillError("not-text", message, EXPORT)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return _windows(path)
            place += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "utf-8", (f"{path.name} ends in the middle of a character; it may be cut off.",)
    return "utf-8", ()


def _windows(path: Path) -> tuple[str, tuple[str, ...]]:
    place = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                chunk.decode("cp1252")
            except UnicodeDecodeError as error:
                raise SkillError(
                    "encoding-unknown",
                    f"{path.name} is neither UTF-8 nor Windows-1252 (byte {place + error.start:,}).",
                    "Save it as UTF-8.",
                ) from error
            place += len(chunk)
    return "cp1252", (f"{path.name} is not UTF-8; it was read as Windows-1252. Check accented letters.",)
