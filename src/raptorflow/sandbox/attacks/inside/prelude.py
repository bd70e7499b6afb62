"""What every probe stands on. It is copied into the sandbox, and runs outside too, for the control.

Standard library only. Each step prints one JSON line: its name, `through`, `refused`, `absent` or `broken`,
and a few words.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import signal
from collections.abc import Callable, Mapping

STEP_SECONDS = 5
LINE = '{"step":'
LET_PAST = "let past: "
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ENOTBLK}
NOT_REACHED = {errno.EPERM, errno.ENOSYS, errno.EACCES}
# Outside: a probe that goes wrong must not hurt the machine.
OUTER_LIMITS = {
    resource.RLIMIT_AS: 2 << 30,
    resource.RLIMIT_CPU: 20,
}
libc = ctypes.CDLL(None, use_errno=True)

# Numbers of system calls on x86_64 and on aarch64 (which has not all of them); from 424 on they are equal.
NUMBERS: dict[str, tuple[int, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "finit_module": (313, 273),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}


class Refused(Exception):
    """The step found a door shut."""


class LetPast(Exception):
    """The step was let past a guard, and came to nothing only because nobody answered behind it."""


class Absent(Exception):
    """The step did not find what it looked for."""


def call(name: str, *arguments: object) -> int:
    """A system call by name.

    Raises:
        OSError: it failed.
    """
    number = NUMBERS[name][platform.machine() != "x86_64"]
    if number is None:
        raise OSError(errno.ENOSYS, "not on this machine")
    ctypes.set_errno(0)
    result: int = libc.syscall(number, *arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def reach(name: str, *arguments: object) -> None:
    """Get as far as the kernel's look at the arguments, which are senseless on purpose: nothing happens.

    Raises:
        OSError: the call was refused before.
    """
    try:
        call(name, *arguments)
    except OSError as error:
        if error.errno in NOT_REACHED:
            raise


def say(name: str, saw: str, words: str) -> None:
    """Print a step's line."""
    os.write(1, (json.dumps({"step": name, "saw": saw, "words": words[:300]}) + "\n").encode())


def bounded() -> None:
    """Limits for a probe that runs outside."""
    for kind, value in OUTER_LIMITS.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def run(steps: Mapping[str, Callable[[], object]], *, apart: bool) -> None:
    """Take every step, each in a process of its own if they could hurt each other."""
    for name, step in steps.items():
        if not apart:
            say(name, *_take(step))
            continue
        child = os.fork()
        if child == 0:
            signal.alarm(STEP_SECONDS)
            say(name, *_take(step))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            saw = "refused" if number == signal.SIGSYS else "broken"
            say(name, saw, f"killed by {signal.Signals(number).name}")


def _take(step: Callable[[], object]) -> tuple[str, str]:
    try:
        words = step()
    except Refused as refused:
        return "refused", str(refused)
    except Absent as absent:
        return "absent", str(absent)
    except LetPast as past:
        return "through", f"{LET_PAST}{past}"
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return ("absent" if error.errno in ABSENT else "refused"), name
    except MemoryError:
        return "refused", "MemoryError"
    except BaseException as error:
        return "broken", f"{type(error).__name__}: {error}"
    return "through", "" if words is None else str(words)
