"""Walks a log and names the first record of each chain that is not what was written.

A chain alone proves that nothing in it was changed, taken out, moved or put in, unless somebody wrote all of
it anew; a key, or a head that was noted elsewhere, proves that too. That the last records were cut off is
seen only by a noted head.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.chain import NAME, START, Head, Seal, read_line
from raptorflow.sandbox.audit.files import chain_files, chain_names, lines_of


@dataclass(frozen=True)
class Fault:
    """Where a chain breaks, and how."""

    file: str
    line: int
    seq: int
    what: str


@dataclass(frozen=True)
class ChainReport:
    """What was found of one chain.

    Attributes:
        records: those that hold, from the first on.
        keyed: whether a key seals them.
        head: the last one that holds.
        torn: writes that did not end; what they left is beside the file.
        unfinished_bytes: after the last whole line: a write that is going on, or that never ended.
        fault: the first record that does not hold.
    """

    chain: str
    keyed: bool
    records: int = 0
    head: Head | None = None
    torn: int = 0
    unfinished_bytes: int = 0
    fault: Fault | None = None


@dataclass
class _Walk:
    seal: Seal
    head: Head
    anchors: dict[int, Head]
    records: int = 0
    torn: int = 0
    unfinished_bytes: int = 0
    met: set[int] = field(default_factory=set[int])


def verify(folder: Path, *, key: bytes | None = None, anchors: Iterable[Head] = ()) -> list[ChainReport]:
    """Check every chain of a folder.

    Args:
        folder: the log.
        key: what it was sealed with; then a chain without a seal is a fault, too.
        anchors: heads that were noted earlier. A chain may begin after one, when what came before was moved
            away.
    """
    noted = list(anchors)
    names = sorted({*chain_names(folder), *(head.chain for head in noted)})
    return [
        _verify_chain(folder, name, key, [head for head in noted if head.chain == name]) for name in names
    ]


def _verify_chain(folder: Path, chain: str, key: bytes | None, anchors: Sequence[Head]) -> ChainReport:
    named = NAME.fullmatch(chain)
    key_id = named["key"] if named else None
    seal = Seal(key if key_id else None)
    if problem := _wrong_key(key_id, key):
        return ChainReport(chain, keyed=bool(key_id), fault=Fault(chain, 0, 0, problem))
    walk = _Walk(seal, Head(chain, 0, START), {head.seq: head for head in anchors})
    fault = _walk(walk, _lines(folder, chain)) or _missing_anchor(walk, chain)
    return ChainReport(
        chain,
        keyed=bool(key_id),
        records=walk.records,
        head=walk.head if walk.records else None,
        torn=walk.torn,
        unfinished_bytes=walk.unfinished_bytes,
        fault=fault,
    )


def _wrong_key(key_id: str | None, key: bytes | None) -> str | None:
    if key_id and key is None:
        return "it is sealed with a key, and none was given"
    if key and not key_id:
        return "it is not sealed with a key"
    if key and key_id != Seal(key).key_id:
        return "it is sealed with another key"
    return None


@dataclass(frozen=True)
class _Line:
    file: str
    number: int
    text: bytes
    is_last: bool


def _lines(folder: Path, chain: str) -> Iterator[_Line]:
    files = chain_files(folder, chain)
    for path in files:
        for number, text in enumerate(lines_of(path), 1):
            yield _Line(path.name, number, text, path == files[-1])


def _walk(walk: _Walk, lines: Iterator[_Line]) -> Fault | None:
    for line in lines:
        if line.is_last and not line.text.endswith(b"\n"):
            walk.unfinished_bytes = len(line.text)
            return None
        record = read_line(line.text)
        problem = "is not a record" if record is None else _problem(walk, record)
        if record is None or problem:
            what = problem or ""
            if record and record["seq"] > walk.head.seq + 1 and _comes_later(walk.head.seq + 1, lines):
                what = (
                    f"stands where record {walk.head.seq + 1} should, which comes later: they were reordered"
                )
            return Fault(line.file, line.number, record["seq"] if record else walk.head.seq + 1, what)
        walk.head = Head(walk.head.chain, record["seq"], record["hash"])
        walk.records += 1
        walk.torn += record["kind"] == "torn"
    return None


def _comes_later(seq: int, lines: Iterator[_Line]) -> bool:
    return any(record["seq"] == seq for line in lines if (record := read_line(line.text)))


def _problem(walk: _Walk, record: JsonObject) -> str | None:
    """Why a record does not hold; None when it does."""
    if record["chain"] != walk.head.chain:
        return f"belongs to {record['chain']}: it was inserted"
    if not walk.seal.holds(record):
        return "was changed"
    if not walk.records:
        _begin_after_anchor(walk, record)
    wanted = walk.head.seq + 1
    if record["seq"] > wanted:
        return f"follows {walk.head.seq}: records {wanted} to {record['seq'] - 1} were removed"
    if record["seq"] < wanted:
        return f"comes again after {walk.head.seq}: it, or the one before, was inserted"
    if record["prev"] != walk.head.hash:
        return f"does not follow record {walk.head.seq}, which was exchanged"
    anchor = walk.anchors.get(wanted)
    if anchor and anchor.hash != record["hash"]:
        return "is not the one that was noted: the log was written anew"
    return None


def _begin_after_anchor(walk: _Walk, record: JsonObject) -> None:
    """What came before a noted head may have been moved away."""
    anchor = walk.anchors.get(record["seq"] - 1)
    if anchor and anchor.hash == record["prev"]:
        walk.head = anchor


def _missing_anchor(walk: _Walk, chain: str) -> Fault | None:
    lost = [seq for seq in sorted(walk.anchors) if seq > walk.head.seq]
    if not lost:
        return None
    what = f"was noted, and the log ends at {walk.head.seq}: records were cut off"
    return Fault(chain, 0, lost[0], what)
