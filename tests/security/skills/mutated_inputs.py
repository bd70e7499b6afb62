"""A program of its own: reads mutated inputs of one kind, and prints as JSON what that cost.

    python mutated_inputs.py archives|manifests|exports|evals|envelopes|bundles COUNT SEED

It ends with a traceback when one is neither accepted nor refused with a code, when a file would lie outside,
or when one costs more than the limits below.
"""

import json
import resource
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from documents import BUNDLES, ENVELOPES, EVALS, EXPORTS
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from signers import KEY, TRUST, payload_of
from strategies import ARCHIVES, FOLDERS, SKILL_MD

from raptorflow.base.errors import RaptorFlowError
from raptorflow.skills.archive import ArchiveLimits, Unpacked, unpack
from raptorflow.skills.errors import ArchiveRefused
from raptorflow.skills.evals.reading import read_evals
from raptorflow.skills.exported import read_export
from raptorflow.skills.findings import Findings
from raptorflow.skills.reader import inspect_files
from raptorflow.skills.signing.dsse import read_envelope, verify
from raptorflow.skills.signing.model_signing import verify_bundle
from raptorflow.skills.signing.statement import check_tree, read_statement
from raptorflow.skills.text import control_in

KIB, MIB = 1024, 1024 * 1024
STATUS, FORGET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# An allocator takes memory from the system in larger pieces than it is asked for.
ALLOCATOR = 8 * MIB
MOST_CPU_SECONDS = 2.0
# The process itself: Python, its libraries, and all that is read.
MOST_ADDRESSES = 2048 * MIB
# Limits small enough that thousands of archives reach them.
LIMITS = ArchiveLimits(archive_bytes=MIB, file_bytes=64 * KIB, total_bytes=256 * KIB, files=30, ratio=200)
# A tar is held whole beside the files taken out of it, and a buffer doubles while it grows.
MOST_FOR_ARCHIVE = 4 * LIMITS.total_bytes + LIMITS.entries * 4 * KIB
# A manifest of 256 KiB is held as text, as values and as places of keys.
MOST_FOR_MANIFEST = 12 * MIB
# An export's archives are held beside what one of them unpacks to; the inputs here are below a mebibyte.
MOST_FOR_EXPORT = 8 * MIB
# JSON of up to 2 MiB, which is held as text, decoded, and as values.
MOST_FOR_DOCUMENT = 16 * MIB


def status(field: str) -> int:
    """A number of bytes that the system counts of this process, libraries in C and Rust included."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * KIB


@dataclass
class Costs:
    """What the inputs so far came to, and what the worst of them cost."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    cpu_seconds: float = 0.0
    memory: int = 0
    resident: int = 0

    def measured(self, read: Callable[[], str], most_memory: int) -> None:
        """Read once against the clock and the system, and once more against Python's own count of memory."""
        FORGET_PEAK.write_text("5")
        before, started = status("VmRSS"), time.process_time()
        outcome = read()
        seconds, resident = time.process_time() - started, status("VmHWM") - before
        tracemalloc.start()
        try:
            assert read() == outcome, "the same input has another outcome the second time"
            memory = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert seconds < MOST_CPU_SECONDS, f"it took {seconds:.1f} s"
        assert memory < most_memory, f"it took {memory} bytes of memory"
        assert resident < most_memory + ALLOCATOR, f"the process grew by {resident} bytes"
        self.outcomes[outcome] += 1
        self.cpu_seconds, self.memory = max(self.cpu_seconds, seconds), max(self.memory, memory)
        self.resident = max(self.resident, resident)


def read_archive(data: bytes) -> str:
    try:
        unpacked = unpack(data, LIMITS)
    except ArchiveRefused as error:
        return error.code
    assert sum(map(len, unpacked.files.values())) <= LIMITS.total_bytes
    assert len(unpacked.files) <= LIMITS.files
    return "accepted"


def lay_out(unpacked: Unpacked) -> None:
    """Write what was accepted, and look that nothing lies anywhere else."""
    with tempfile.TemporaryDirectory() as outer:
        root = Path(outer) / "a" / "b"
        for path, content in unpacked.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        written = {path for path in Path(outer).rglob("*") if path.is_file()}
        assert written == {root / path for path in unpacked.files}


def read_folder(files: dict[str, bytes]) -> str:
    findings = Findings()
    skill = inspect_files(files, (), "greet", findings)
    errors = findings.errors()
    assert bool(errors) != bool(skill), "neither a skill nor an error, or both"
    for finding in findings.all:
        whole = f"{finding.code}{finding.file}{finding.message}{finding.remedy}"
        assert all((finding.code, finding.message, finding.remedy))
        assert not control_in(whole), repr(whole)
        assert finding.line is None or finding.line >= 1
        finding.model_dump_json()
    return errors[0].code if errors else "accepted"


def read_exported(data: bytes) -> str:
    try:
        skills = read_export(data)
    except ArchiveRefused as error:
        return error.code
    # Whoever imports it writes each below a folder of the skill's name.
    assert all(name.count("/") == 1 and ".." not in name for name in (each.name for each in skills))
    assert not any(control_in(f"{each.name}{each.version}{each.digest}") for each in skills)
    assert sum(len(each.archive) for each in skills) <= len(data)
    return "accepted"


def read_cases(files: dict[str, bytes]) -> str:
    findings = Findings()
    given = {"SKILL.md": SKILL_MD, "skill.toml": GO, "go.py": b"print(1)\n"} | files
    skill = inspect_files(given, (), "greet", findings)
    assert skill, findings.all
    read_evals(given, skill, findings)
    errors = findings.errors()
    assert not any(control_in(finding.message) for finding in errors)
    return errors[0].code if errors else "accepted"


def read_signed(data: bytes) -> str:
    try:
        envelope = read_envelope(data)
        verify(envelope, [KEY.public_key()])
        check_tree(read_statement(envelope.payload), {"SKILL.md": SKILL_MD}, ())
    except RaptorFlowError as error:
        return error.code
    return "accepted"


def read_bundle(data: bytes) -> str:
    try:
        bundle = verify_bundle(data, TRUST)
    except RaptorFlowError as error:
        return error.code
    # Whatever was changed, it says what was signed.
    resources = payload_of(data)["predicate"]["resources"]
    assert bundle.signed.files == {each["name"]: each["digest"] for each in resources}
    return "accepted"


GO = b'schema = 1\n[skill]\nversion = "1.0.0"\n[actions.go]\ncommand = ["python", "go.py"]\n'


@dataclass(frozen=True)
class Kind:
    """Inputs, how one is read, and the most bytes of memory it may cost beside itself."""

    inputs: st.SearchStrategy[Any]
    read: Callable[[Any], str]
    memory: int


KINDS = {
    "archives": Kind(ARCHIVES, read_archive, MOST_FOR_ARCHIVE),
    "manifests": Kind(FOLDERS, read_folder, MOST_FOR_MANIFEST),
    "exports": Kind(EXPORTS, read_exported, MOST_FOR_EXPORT),
    "evals": Kind(EVALS, read_cases, MOST_FOR_DOCUMENT),
    "envelopes": Kind(ENVELOPES, read_signed, MOST_FOR_DOCUMENT),
    "bundles": Kind(BUNDLES, read_bundle, MOST_FOR_DOCUMENT),
}


def main(name: str, count: int, first: int) -> None:
    """Try that many, and print the costs."""
    costs, kind = Costs(), KINDS[name]
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    bounded = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )

    @seed(first)
    @bounded
    @given(kind.inputs)
    def try_one(data: Any) -> None:
        costs.measured(lambda: kind.read(data), kind.memory + (len(data) if isinstance(data, bytes) else 0))
        if name == "archives" and kind.read(data) == "accepted":
            lay_out(unpack(data, LIMITS))

    # Zip files with one name twice are meant, and certificates that are damaged.
    warnings.simplefilter("ignore", UserWarning)
    try_one()
    print(json.dumps(vars(costs)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
