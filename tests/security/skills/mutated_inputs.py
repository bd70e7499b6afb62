"""A program of its own: reads mutated archives or manifests, and prints as JSON what that cost.

    python mutated_inputs.py archives|manifests COUNT SEED

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

from hypothesis import HealthCheck, Phase, given, seed, settings
from strategies import ARCHIVES, FOLDERS

from raptorflow.skills.archive import ArchiveLimits, Unpacked, unpack
from raptorflow.skills.errors import ArchiveRefused
from raptorflow.skills.findings import Findings
from raptorflow.skills.reader import inspect_files
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


def main(kind: str, count: int, first: int) -> None:
    """Try that many, and print the costs."""
    costs = Costs()
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
    @given(ARCHIVES)
    def archives(data: bytes) -> None:
        costs.measured(lambda: read_archive(data), len(data) + MOST_FOR_ARCHIVE)
        if read_archive(data) == "accepted":
            lay_out(unpack(data, LIMITS))

    @seed(first)
    @bounded
    @given(FOLDERS)
    def manifests(files: dict[str, bytes]) -> None:
        costs.measured(lambda: read_folder(files), MOST_FOR_MANIFEST)

    # Zip files with one name twice are meant.
    warnings.simplefilter("ignore", UserWarning)
    (archives if kind == "archives" else manifests)()
    print(json.dumps(vars(costs)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
