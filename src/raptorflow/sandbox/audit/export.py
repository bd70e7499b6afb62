"""The log for other programs: JSON lines of all chains in the order of time, with what one asks for."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from raptorflow.base.json import JsonObject
from raptorflow.sandbox.audit.chain import read_line
from raptorflow.sandbox.audit.files import chain_files, chain_names, lines_of
from raptorflow.sandbox.audit.records import OCSF_CLASSES


@dataclass(frozen=True)
class Wanted:
    """Which records; None means all.

    Attributes:
        since: not before.
        until: before.
    """

    since: datetime | None = None
    until: datetime | None = None
    tenant: str | None = None
    run: str | None = None
    sandbox: str | None = None
    kinds: frozenset[str] | None = None

    def takes(self, record: JsonObject) -> bool:
        """Whether a record is one of them."""
        named = {"tenant": self.tenant, "run": self.run, "sandbox": self.sandbox}
        if any(value is not None and record.get(name) != value for name, value in named.items()):
            return False
        if self.kinds is not None and record["kind"] not in self.kinds:
            return False
        # Times are written in one form, which sorts as text.
        since, until = _text(self.since), _text(self.until)
        return (since is None or record["at"] >= since) and (until is None or record["at"] < until)


def export(folder: Path, wanted: Wanted) -> Iterator[JsonObject]:
    """Records as they were written, with the name of their OCSF class (https://schema.ocsf.io).

    What is not a record is left out: whether the log is whole is `verify`'s to say.
    """
    chains = (_records(folder, chain) for chain in chain_names(folder))
    for record in heapq.merge(*chains, key=lambda record: record["at"]):
        if wanted.takes(record):
            yield {**record, "class_name": OCSF_CLASSES.get(record["kind"], "Base Event")}


def _records(folder: Path, chain: str) -> Iterator[JsonObject]:
    for path in chain_files(folder, chain):
        for line in lines_of(path):
            if record := read_line(line):
                yield record


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
