"""Whether this machine has memory for sandboxes that nobody has asked for yet."""

import re
from pathlib import Path

PROC = Path("/proc")
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)
_STALLED = re.compile(r"^some avg10=([\d.]+)", re.MULTILINE)
KIB = 1024


class MemoryPressure:
    """Reads what the kernel says.

    Sources: `MemAvailable` of `/proc/meminfo`, and pressure stall information
    (https://docs.kernel.org/accounting/psi.html), which a kernel may be without. What cannot be read does
    not count as pressure: the pool's own caps hold all the same.

    Args:
        spare_bytes: less available memory than this is pressure.
        stall_percent: more of the last ten seconds spent waiting for memory than this is pressure.
        proc: where the kernel shows it.
    """

    def __init__(self, spare_bytes: int, stall_percent: float, proc: Path = PROC) -> None:
        self._spare_bytes = spare_bytes
        self._stall_percent = stall_percent
        self._proc = proc

    def __call__(self) -> bool:
        """Whether nothing should be made ahead now."""
        available = self._number("meminfo", _AVAILABLE)
        stalled = self._number("pressure/memory", _STALLED)
        short = available is not None and available * KIB < self._spare_bytes
        return short or (stalled is not None and stalled > self._stall_percent)

    def _number(self, name: str, pattern: re.Pattern[str]) -> float | None:
        try:
            found = pattern.search((self._proc / name).read_text())
        except OSError:
            return None
        return float(found[1]) if found else None
