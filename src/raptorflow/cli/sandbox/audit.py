"""`raptorflow sandbox audit ...`: is the log of the sandboxes whole, and what does it say?"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from raptorflow.base.json import dumps, loads
from raptorflow.cli.question import FileUnusable
from raptorflow.sandbox.audit.chain import Head
from raptorflow.sandbox.audit.errors import AuditBroken
from raptorflow.sandbox.audit.export import Wanted
from raptorflow.sandbox.audit.export import export as exported
from raptorflow.sandbox.audit.verify import ChainReport
from raptorflow.sandbox.audit.verify import verify as check_chains
from raptorflow.settings import load_settings
from raptorflow.stack.places import default_data_dir

audit_app = App(name="audit", help="Verify and read the log of what sandboxes did.")


@audit_app.command
def verify(
    folder: Path | None = None,
    *,
    key_file: Path | None = None,
    against: Path | None = None,
    json: bool = False,
) -> None:
    """Verify that no record was changed, removed, moved or put in; names the first that was, and ends with 1.

    Args:
        folder: the log's folder; this machine's when not given.
        key_file: holds the key that the log is sealed with; RAPTORFLOW_SANDBOX__AUDIT__KEY for this
            machine's own log when not given.
        against: what `--json` printed earlier: then the log must go on from there.
        json: print one JSON object, which the next `--against` takes.
    """
    place = _folder(folder)
    reports = check_chains(place, key=_key(folder, key_file), anchors=_heads(against))
    broken = next((report for report in reports if report.fault), None)
    if json:
        print(dumps({"folder": str(place), "ok": not broken, "chains": [asdict(each) for each in reports]}))
        if broken:
            sys.exit(1)
        return
    Console(highlight=False).print(_table(reports) if reports else f"{place} holds no log.", markup=False)
    if broken and (fault := broken.fault):
        where = f"{fault.file}, line {fault.line}: record {fault.seq}" if fault.line else broken.chain
        raise AuditBroken(f"{where} {fault.what}.")


@audit_app.command
def export(
    folder: Path | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    tenant: str | None = None,
    run: str | None = None,
    sandbox: str | None = None,
    kind: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> None:
    """Print records as JSON lines, in the order of time.

    Args:
        folder: the log's folder; this machine's when not given.
        since: not before; without a zone it is UTC.
        until: before.
        tenant: the organisation's id.
        run: the run's id.
        sandbox: the sandbox's id.
        kind: such as `exec` or `egress`; may be given several times.
    """
    kinds = frozenset(kind) if kind else None
    wanted = Wanted(_aware(since), _aware(until), tenant, run, sandbox, kinds)
    for record in exported(_folder(folder), wanted):
        print(dumps(record))


def _folder(given: Path | None) -> Path:
    if given is None:
        settings = load_settings()
        return settings.sandbox.audit.folder(settings.data.dir or default_data_dir())
    if not given.is_dir():
        raise FileUnusable(f"{given} is not a folder.", hint="Name the folder of the audit log.")
    return given


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _key(folder: Path | None, file: Path | None) -> bytes | None:
    """The file's key, or the settings' for this machine's own log."""
    if file:
        return _read(file).strip()
    return load_settings().sandbox.audit.key_bytes() if folder is None else None


def _heads(file: Path | None) -> Sequence[Head]:
    if file is None:
        return ()
    try:
        noted: Any = loads(_read(file))
        return [Head(**chain["head"]) for chain in noted["chains"] if chain["head"]]
    except (ValueError, KeyError, TypeError) as error:
        hint = "Give what `raptorflow sandbox audit verify --json` printed."
        raise FileUnusable(f"{file} holds no heads of an audit log.", hint=hint) from error


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileUnusable(f"{file} cannot be read: {error.strerror}.", hint="Name another file.") from error


def _table(reports: Sequence[ChainReport]) -> Table:
    table = Table("chain", "records", "sealed by", "torn writes", "state", box=None)
    for report in reports:
        state = report.fault.what if report.fault else "whole"
        sealed = "a key" if report.keyed else "its hashes"
        table.add_row(report.chain, f"{report.records:,}", sealed, str(report.torn), state)
    return table
