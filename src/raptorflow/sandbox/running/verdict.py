"""From what was seen at the end of a run to one word about it."""

import errno
import os
import signal
from dataclasses import dataclass

from raptorflow.sandbox.driver import Usage
from raptorflow.sandbox.result import Status
from raptorflow.skills.capabilities import Limits

# As the Korn shell counts: 256 + n stands for signal n. A program may exit with 128 + n itself.
SIGNALLED = 256
KILLED = SIGNALLED + signal.SIGKILL
MIB = 1024 * 1024
DISK_FULL_SIGNS = (os.strerror(errno.ENOSPC).encode(), os.strerror(errno.EFBIG).encode())
PIDS_SIGNS = (os.strerror(errno.EAGAIN).encode(), b"can't start new thread", b"annot fork")
MEMORY_SIGNS = (b"MemoryError", os.strerror(errno.ENOMEM).encode())
SIGNAL_NAMES = {number.value: number.name for number in signal.Signals}
LIMIT_SIGNALS: dict[str, Status] = {"SIGXFSZ": "disk_full", "SIGXCPU": "timeout"}


@dataclass(frozen=True)
class Evidence:
    """What was seen.

    Attributes:
        ended_by: the limit for which we ended it; None when it ended by itself.
        code: the exit code, or for a signal what `shell_code` makes of it.
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
    return "signal" if signal_name(seen.code) else "error"


def shell_code(exited: int) -> int:
    """An exit code, and for minus a signal a number above all exit codes (0 to 255) that stands for it."""
    return exited if exited >= 0 else SIGNALLED - exited


def exit_code(code: int) -> int | None:
    """The code that it exited with; None when a signal ended it."""
    return code if code < SIGNALLED else None


def signal_name(code: int) -> str | None:
    """The signal that such a code stands for; None for an exit code."""
    number = code - SIGNALLED
    if number <= 0:
        return None
    if number in SIGNAL_NAMES:
        return SIGNAL_NAMES[number]
    return f"SIGRTMIN{number - signal.SIGRTMIN:+d}"


def explain(status: Status, seen: Evidence, limits: Limits) -> str | None:
    """A sentence about a limit that was hit, with its value."""
    sentences = {
        "timeout": f"It ran longer than {limits.timeout_seconds:g} s.",
        "oom": f"It used more memory than its {limits.memory_bytes / MIB:g} MiB.",
        "disk_full": (
            f"It wrote more than the {limits.disk_bytes / MIB:g} MiB of its workspace, or filled `/tmp`."
        ),
        "pids": f"It started more than {limits.pids} processes and threads.",
        "output_limit": f"It printed more than {limits.output_bytes} bytes.",
    }
    sentence = sentences.get(status)
    if status == "timeout" and seen.usage.tasks_refused:
        return f"{sentence} It also tried to start more than {limits.pids} processes and threads."
    return sentence


def _limit_hit(seen: Evidence) -> Status | None:
    """The limit behind a failing exit, if there is one."""
    if status := LIMIT_SIGNALS.get(signal_name(seen.code) or ""):
        return status
    if seen.usage.disk_full:
        return "disk_full"
    if seen.usage.tasks_refused:
        return "pids"
    return None if seen.usage.exact else _limit_told(seen.errors)


def _limit_told(errors: bytes) -> Status | None:
    """The limit that a program complains of."""
    if _any(DISK_FULL_SIGNS, errors):
        return "disk_full"
    if _any(PIDS_SIGNS, errors):
        return "pids"
    return "oom" if _any(MEMORY_SIGNS, errors) else None


def _any(signs: tuple[bytes, ...], text: bytes) -> bool:
    return any(sign in text for sign in signs)
