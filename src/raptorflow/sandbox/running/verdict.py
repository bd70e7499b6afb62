"""From what was seen at the end of a run to one word about it."""

import errno
import os
import signal
from dataclasses import dataclass

from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.result import Status
from raptorflow.skills.capabilities import Limits

SIGNALLED = 128
KILLED = SIGNALLED + signal.SIGKILL
MIB = 1024 * 1024
DISK_FULL_SIGNS = (os.strerror(errno.ENOSPC).encode(), os.strerror(errno.EFBIG).encode())
PIDS_SIGNS = (os.strerror(errno.EAGAIN).encode(), b"can't start new thread", b"annot fork")
MEMORY_SIGNS = (b"MemoryError", os.strerror(errno.ENOMEM).encode())
# The shell's way, which bubblewrap follows: an exit code of 128 + n stands for signal n.
SIGNALS = {SIGNALLED + number: number.name for number in signal.Signals}
LIMIT_SIGNALS: dict[str, Status] = {"SIGXFSZ": "disk_full", "SIGXCPU": "timeout"}


@dataclass(frozen=True)
class Evidence:
    """What was seen.

    Attributes:
        ended_by: the limit for which we ended it; None when it ended by itself.
        code: the exit code, as shells count them.
        usage: what was counted from outside.
        errors: the end of what it printed to stderr; it decides only where the kernel did not count exactly.
    """

    ended_by: Status | None
    code: int
    usage: Usage
    errors: bytes


def judge(seen: Evidence) -> Status:
    """What ended it: a limit that we acted on, the kernel's word, signs of a limit, or its own exit."""
    if seen.ended_by:
        return seen.ended_by
    if seen.usage.out_of_memory:
        return "oom"
    if seen.code == 0:
        return "ok"
    if limit := _limit_hit(seen):
        return limit
    return "signal" if seen.code in SIGNALS else "error"


def shell_code(exited: int) -> int:
    """An exit code as shells count them, from one where minus the signal stands for a signal."""
    return exited if exited >= 0 else SIGNALLED - exited


def signal_name(code: int) -> str | None:
    """The signal that an exit code stands for."""
    return SIGNALS.get(code)


def explain(status: Status, seen: Evidence, limits: Limits) -> str | None:
    """A sentence about a limit that was hit, with its value."""
    sentences = {
        "timeout": f"It ran longer than {limits.timeout_seconds:g} s.",
        "oom": f"It used more memory than its {limits.memory_bytes / MIB:g} MiB.",
        "disk_full": f"It wrote more than the {limits.disk_bytes / MIB:g} MiB of its workspace.",
        "pids": f"It started more than {limits.pids} processes and threads.",
        "output_limit": f"It printed more than {limits.output_bytes} bytes.",
    }
    sentence = sentences.get(status)
    if status == "timeout" and seen.usage.tasks_refused:
        return f"{sentence} It also tried to start more than {limits.pids} processes and threads."
    return sentence


def _limit_hit(seen: Evidence) -> Status | None:
    """The limit behind a failing exit, if there is one."""
    if status := LIMIT_SIGNALS.get(SIGNALS.get(seen.code, "")):
        return status
    if seen.usage.disk_full or _any(DISK_FULL_SIGNS, seen.errors):
        return "disk_full"
    if seen.usage.tasks_refused:
        return "pids"
    if seen.usage.exact:
        return None
    if _any(PIDS_SIGNS, seen.errors):
        return "pids"
    return "oom" if _any(MEMORY_SIGNS, seen.errors) else None


def _any(signs: tuple[bytes, ...], text: bytes) -> bool:
    return any(sign in text for sign in signs)
