"""R13 and F14: archives that try to be more than they look, or to write elsewhere."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping

from raptorflow.sandbox.attacks.model import Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.skills.archive import unpack
from raptorflow.skills.errors import ArchiveRefused

SKILL = b"---\nname: probe\ndescription: A probe.\n---\n"
GIB = 1024**3
MIB = 1024**2


def _zip(names: Mapping[str, bytes], *, mode: int = 0o100644) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"SKILL.md": SKILL, **names}.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (0o100644 if name == "SKILL.md" else mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return made.getvalue()


def _tar(change: Callable[[tarfile.TarInfo], None], content: bytes = b"") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.GNU_FORMAT) as archive:
        skill = tarfile.TarInfo("SKILL.md")
        skill.size = len(SKILL)
        archive.addfile(skill, io.BytesIO(SKILL))
        entry = tarfile.TarInfo("x")
        entry.size = len(content)
        change(entry)
        archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _named(name: str) -> bytes:
    return _tar(lambda entry: setattr(entry, "name", name), b"x")


def _kind(kind: bytes, target: str = "") -> bytes:
    def change(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname = kind, target

    return _tar(change)


def _twice() -> bytes:
    made = io.BytesIO(_zip({"a": b"1"}))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("A", b"2")
    return made.getvalue()


def _huge_header() -> bytes:
    """A header that promises far more than follows."""
    plain = bytearray(gzip.decompress(_tar(lambda entry: None, b"x")))
    at = 1024
    plain[at + 124 : at + 136] = b"77777777777\0"
    plain[at + 148 : at + 156] = b" " * 8
    plain[at + 148 : at + 156] = b"%06o\0 " % sum(plain[at : at + 512])
    return gzip.compress(bytes(plain))


def _bomb_zip() -> bytes:
    return _zip({"big": bytes(256 * MIB)})


def _bomb_gzip() -> bytes:
    """Zeros in zeros, a few kilobytes small."""
    block = gzip.compress(bytes(64 * MIB))
    return block * 16


GOOD = {"zip": lambda: _zip({"a/b.txt": b"x"}), "tar.gz": lambda: _named("a/b.txt")}
BOMBS = {"zip": _bomb_zip, "tar.gz": _bomb_gzip}
ODD: dict[str, Callable[[], bytes]] = {
    "zip ..": lambda: _zip({"../x": b"x"}),
    "zip absolute": lambda: _zip({"/etc/x": b"x"}),
    "zip backslash": lambda: _zip({"..\\x": b"x"}),
    "zip link": lambda: _zip({"x": b"/etc/passwd"}, mode=0o120777),
    "zip device": lambda: _zip({"x": b""}, mode=0o020666),
    "zip duplicate in another case": _twice,
    "tar ..": lambda: _named("../x"),
    "tar absolute": lambda: _named("/etc/x"),
    "tar dots inside": lambda: _named("a/../../x"),
    "tar control character": lambda: _named("a\nb"),
    "tar link": lambda: _kind(tarfile.SYMTYPE, "/etc/passwd"),
    "tar hard link": lambda: _kind(tarfile.LNKTYPE, "/etc/passwd"),
    "tar device": lambda: _kind(tarfile.CHRTYPE),
    "tar pipe": lambda: _kind(tarfile.FIFOTYPE),
    "tar sparse": lambda: _kind(tarfile.GNUTYPE_SPARSE),
    "tar size that is not there": _huge_header,
}


async def bombs(stage: Stage) -> Trial:
    """R13: archives that unpack without end."""
    return _tried(BOMBS)


async def odd(stage: Stage) -> Trial:
    """F14: archives whose entries lead elsewhere or are no files."""
    return _tried(ODD)


def _tried(archives: Mapping[str, Callable[[], bytes]]) -> Trial:
    taken = [name for name, make in archives.items() if (said := _said(make()))[0] and said]
    alive = {name: _said(make())[0] for name, make in GOOD.items()}
    return Trial(
        outcomes("through" if taken else "refused"),
        together([f"taken: {name}" for name in taken]) or f"{len(archives)} of {len(archives)} refused",
        all(alive.values()),
        together(f"an ordinary {name} is {'taken' if ok else 'refused'}" for name, ok in alive.items()),
    )


def _said(data: bytes) -> tuple[bool, str]:
    """Whether it was taken, and what was said if not."""
    try:
        unpack(data)
    except ArchiveRefused as refused:
        return False, refused.message
    return True, ""
