"""What kind of file some bytes are, by how they begin."""

from collections.abc import Mapping

# https://en.wikipedia.org/wiki/List_of_file_signatures
_PROGRAMS: Mapping[bytes, str] = {
    b"\x7fELF": "a program for Linux",
    b"MZ": "a program for Windows",
    b"\xcf\xfa\xed\xfe": "a program for macOS",
    b"\xce\xfa\xed\xfe": "a program for macOS",
    b"\xca\xfe\xba\xbe": "a program for macOS or Java",
    b"dex\n": "a program for Android",
    b"\0asm": "a WebAssembly program",
}
_ARCHIVES: Mapping[bytes, str] = {
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
_DOCUMENTS = (
    "docx",
    "xlsx",
    "pptx",
    "odt",
    "ods",
    "odp",
    "epub",
    "potx",
    "dotx",
    "xltx",
    "numbers",
    "pages",
    "key",
)


def program_of(path: str, content: bytes) -> str | None:
    """Which kind of program a file is; None when it is none."""
    if path.endswith((".pyc", ".pyo")):
        return "compiled Python"
    return next((kind for start, kind in _PROGRAMS.items() if content.startswith(start)), None)


def archive_of(path: str, content: bytes) -> str | None:
    """Which kind of archive a file is; documents that are zips inside do not count."""
    if path.rpartition(".")[2].lower() in _DOCUMENTS:
        return None
    return next((kind for start, kind in _ARCHIVES.items() if content.startswith(start)), None)


def is_locked(content: bytes) -> bool:
    """Whether a zip's first entry is encrypted (APPNOTE.TXT of PKWARE, 4.4.4, bit 0)."""
    return content.startswith(b"PK\x03\x04") and len(content) > 8 and bool(content[6] & 1)
