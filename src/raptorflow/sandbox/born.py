"""A process for good: its number alone is given to another one later."""

from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
# Fields of `/proc/PID/stat` after the name (proc(5): state is the 3rd of all, starttime the 22nd).
STATE, STARTED = 0, 19
ENDED = {"Z", "X"}


def born(pid: int) -> list[str]:
    """Its number, when it was started in ticks, and the id of the machine's boot; empty when it has ended."""
    try:
        # The name in parentheses may contain anything; the fields after it have no spaces.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[STATE] in ENDED else [str(pid), fields[STARTED], BOOT.read_text().strip()]
