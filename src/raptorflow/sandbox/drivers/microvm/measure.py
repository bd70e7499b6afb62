"""What a machine uses, seen from outside: its monitor's group or process holds all of it."""

import os
from pathlib import Path

from raptorflow.sandbox.cgroups.group import Group
from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.drivers.microvm.monitor import Guest

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
USER_TIME, SYSTEM_TIME, RESIDENT = 11, 12, 21


def usage_of(group: Group | None, guest: Guest) -> Usage:
    """Time and memory of the monitor; what was refused inside is the word of the guest's first process.

    Memory includes the guest's kernel and files. The host's kernel has not counted what went on inside, so
    signs in a program's output are taken into account too.
    """
    console = guest.console
    counted = _grouped(group) if group else _alone(guest.pid)
    return Usage(
        cpu_ms=counted.cpu_ms,
        memory_bytes=counted.memory_bytes,
        peak_memory_bytes=counted.peak_memory_bytes,
        out_of_memory=counted.out_of_memory + console.out_of_memory,
        tasks_refused=console.tasks_refused,
        throttled=counted.throttled,
        disk_full=console.disk_full,
        exact=False,
    )


def _grouped(group: Group) -> Usage:
    counted, memory = group.usage(), group.memory()
    return Usage(
        cpu_ms=counted.cpu_ms,
        memory_bytes=memory.anonymous + memory.shared,
        peak_memory_bytes=counted.peak_memory_bytes,
        out_of_memory=counted.out_of_memory,
        throttled=counted.throttled,
    )


def _alone(pid: int) -> Usage:
    try:
        # The name in parentheses may contain anything; the fields after it are numbers.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Usage()
    spent = int(fields[USER_TIME]) + int(fields[SYSTEM_TIME])
    return Usage(cpu_ms=spent * 1000 / TICKS, memory_bytes=int(fields[RESIDENT]) * PAGE)
