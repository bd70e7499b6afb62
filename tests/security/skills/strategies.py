"""Archives and manifests of skills that are nearly right: made well, then changed at a few places."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from gzip import compress

from hypothesis import strategies as st

KIB = 1024
SKILL_MD = b"---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n"
NAMES = st.one_of(
    st.sampled_from(["SKILL.md", "greet/SKILL.md", "greet/a.py", "a/b", "A/B", "a", ".hidden", "./greet/x"]),
    st.sampled_from(
        ["../x", "/etc/x", "a/../../x", "a\\..\\x", "C:/x", "con", "a ", "x\0y", "d/" * 30 + "x"]
    ),
    st.text(max_size=40),
)
CONTENTS = st.one_of(
    st.just(SKILL_MD),
    st.binary(max_size=200),
    st.integers(0, 512 * KIB).map(bytes),
)
NUMBERS = st.sampled_from([0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
Mutation = Callable[[bytes, float, bytes, int], bytes]


def overwritten(data: bytes, place: float, piece: bytes, _: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + piece + data[start + len(piece) :]


def with_number(data: bytes, place: float, _: bytes, number: int) -> bytes:
    return overwritten(data, place, number.to_bytes(4, "little"), 0)


def inserted(data: bytes, place: float, piece: bytes, _: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + piece + data[start:]


def cut_out(data: bytes, place: float, _: bytes, number: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + data[start + number % 64 :]


def cut_off(data: bytes, place: float, _: bytes, __: int) -> bytes:
    return data[: int(place * len(data))]


def doubled(data: bytes, place: float, _: bytes, number: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + data[start : start + number % 2048] * 2 + data[start + number % 2048 :]


def flooded(data: bytes, place: float, piece: bytes, number: int) -> bytes:
    return inserted(data, place, piece[:12] * (number % 40_000), 0)


BINARY = (overwritten, with_number, inserted, cut_out, cut_off, doubled)
ANY = (*BINARY, flooded)


def mutated(data: st.SearchStrategy[bytes], kinds: tuple[Mutation, ...]) -> st.SearchStrategy[bytes]:
    """The data, changed at up to four places."""
    step = st.tuples(st.sampled_from(kinds), st.floats(0, 1), PIECES, NUMBERS)

    def changed(start: bytes, steps: list[tuple[Mutation, float, bytes, int]]) -> bytes:
        for kind, place, piece, number in steps:
            start = kind(start, place, piece, number)
        return start

    return st.builds(changed, data, st.lists(step, max_size=4))


FRAGMENTS = (
    *(
        "[",
        "{",
        "- ",
        "? ",
        "a: ",
        "&a ",
        "*a ",
        "<<: *a\n",
        "!!binary ",
        "!!int x\n",
        "---\n",
        "...\n",
        "|+1\n",
    ),
    *(
        "'",
        '"',
        "\\x",
        "\t",
        "\r",
        "\ufeff",
        "\x85",
        "\u2028",
        "\u202e",
        "\x1b[2J",
        "%YAML 9\n",
        "key: a: b\n",
    ),
    *("a.", "a = {", "[[x]]\n", "[a]\n", '"""', "1e999", "0x", "1979-01-01", "# /// script\n", "# ///\n"),
    *('{"$ref": "#"}', '"$id": "x"', "](", "](a", "[a](b)\n", "`", "NaN", "1" * 30),
)
PIECES = st.one_of(st.binary(max_size=8), st.sampled_from([piece.encode() for piece in FRAGMENTS]))


def zipped(entries: list[tuple[str, bytes, int, int]], comment: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.comment = comment
        for name, content, mode, method in entries:
            entry = zipfile.ZipInfo(name or "x")
            entry.external_attr, entry.compress_type = mode << 16, method
            archive.writestr(entry, content)
    return target.getvalue()


def tarred(entries: list[tuple[str, bytes, bytes, int]], form: int, records: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, content, kind, mode in entries:
            entry = tarfile.TarInfo(name.replace("\0", "") or "x")
            entry.type, entry.mode, entry.linkname, entry.size = kind, mode, "/etc/passwd", len(content)
            entry.pax_headers = records
            archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def with_checksums(plain: bytes) -> bytes:
    """A tar whose headers say the right checksum again, so that a mutation gets past it."""
    mended = bytearray(plain)
    for start in range(0, len(mended) - 511, 512):
        if mended.startswith(b"ustar", start + 257):
            mended[start + 148 : start + 156] = b" " * 8
            mended[start + 148 : start + 156] = f"{sum(mended[start : start + 512]):06o}\0 ".encode()
    return bytes(mended)


MODES = st.sampled_from([0o100644, 0o100755, 0o120777, 0o010644, 0, 0o040755])
METHODS = st.sampled_from(
    [zipfile.ZIP_DEFLATED] * 6 + [zipfile.ZIP_STORED] * 3 + [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
KINDS = st.sampled_from([tarfile.REGTYPE] * 8 + [bytes([kind]) for kind in b"1235xgLKS7Z\0"])
FORMS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
RECORDS = st.dictionaries(
    st.sampled_from(["path", "size", "GNU.sparse.major", "comment"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
    max_size=2,
)
ZIPS = st.builds(
    zipped, st.lists(st.tuples(NAMES, CONTENTS, MODES, METHODS), max_size=8), st.binary(max_size=30)
)
TARS = st.builds(tarred, st.lists(st.tuples(NAMES, CONTENTS, KINDS, MODES), max_size=8), FORMS, RECORDS)
ARCHIVES = st.one_of(
    mutated(ZIPS, BINARY),
    mutated(TARS, BINARY).map(with_checksums).map(compress),
    mutated(TARS.map(compress), BINARY),
)

FRONTMATTER = st.sampled_from(
    [
        SKILL_MD,
        b"\xef\xbb\xbf---\r\nname: greet\r\ndescription: >-\r\n  Greets\r\n  people.\r\n---\r\nHi\r\n",
        b"---\nname: greet\ndescription: 'a --- b'\nmetadata: {a: &a [1, *a], b: !!str 2}\n"
        b"allowed-tools: [Read]\n---\n",
        b"---\nname: greet\ndescription: key: a: b\nx: &x {k: [v, v]}\ny: {<<: *x}\n---\n"
        b"[a](a.md) `[b](b.md)`\n",
    ]
)
MANIFESTS = st.sampled_from(
    [
        b'schema = 1\n[skill]\nversion = "1.0.0"\ntags = ["a"]\n'
        b'[limits]\ntimeout = "60s"\nmemory = "512MB"\n',
        b'schema = 1\n[actions.go]\ncommand = ["python", "go.py"]\n'
        b'input = "in.json"\noutput = {type = "object"}\n',
        b'schema = 1\n[permissions]\nnetwork = ["a.example:443"]\nsecrets = {K = "a.example:443"}\n'
        b'[variables.v]\ntype = "number"\ndefault = 1.5\n[requires]\n"a/b" = "^1"\n',
    ]
)
SCHEMAS = st.just(
    b'{"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"pattern": "^(a+)+$"}}}'
)
SCRIPTS = st.just(
    b'# /// script\n# requires-python = ">=3.11"\n# dependencies = ["httpx>=0.27"]\n# ///\nprint(1)\n'
)
FOLDERS = st.fixed_dictionaries(
    {
        "SKILL.md": FRONTMATTER | mutated(FRONTMATTER, ANY),
        "skill.toml": MANIFESTS | mutated(MANIFESTS, ANY),
        "in.json": SCHEMAS | mutated(SCHEMAS, ANY),
        "go.py": SCRIPTS | mutated(SCRIPTS, ANY),
    }
)
