"""The system calls that are refused inside: what reaches the kernel's riskier parts or a network.

A skill is refused with EPERM where it only tries; `clone3` says ENOSYS, because its flags cannot be
looked into and the C library then falls back to `clone`, whose flags can.
"""

import errno
import os
import platform
import tempfile
from functools import lru_cache
from importlib import import_module
from typing import Any

# It has no type information at all.
pyseccomp: Any = import_module("pyseccomp")

REFUSED = (
    # other networks and families; socketpair stays, event loops need it
    "socket", "socketcall",
    # namespaces, mounts, roots
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at",
    # the kernel's own machinery
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "reboot", "swapon", "swapoff", "syslog", "acct", "quotactl", "quotactl_fd",
    "iopl", "ioperm", "modify_ldt", "lookup_dcookie", "nfsservctl", "vm86", "vm86old", "uselib", "_sysctl",
    # other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise",
    # clocks, hosts, devices
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
    "mknod", "mknodat", "personality", "fanotify_init", "vhangup", "migrate_pages", "move_pages", "mbind",
    "set_mempolicy",
)  # fmt: skip
# CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
NAMESPACE_FLAGS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80)
# TIOCSTI and TIOCLINUX put characters into somebody's terminal.
TERMINAL_CALLS = (0x5412, 0x541C)
TERMINAL_MASK = 0xFFFFFFFF


@lru_cache(maxsize=1)
def filter_program() -> bytes:
    """The filter as BPF, for `bwrap --seccomp`."""
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse, absent = pyseccomp.ERRNO(errno.EPERM), pyseccomp.ERRNO(errno.ENOSYS)
    for name in REFUSED:
        if _known(name):
            rules.add_rule(refuse, name)
    rules.add_rule(absent, "clone3")
    # s390 has the arguments of clone the other way round.
    flags_at = 1 if platform.machine().startswith("s390") else 0
    for flag in NAMESPACE_FLAGS:
        rules.add_rule(refuse, "clone", pyseccomp.Arg(flags_at, pyseccomp.MASKED_EQ, flag, flag))
    for request in TERMINAL_CALLS:
        rules.add_rule(refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, TERMINAL_MASK, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def filter_descriptor() -> int:
    """A fresh descriptor from which the filter can be read; the caller closes it."""
    descriptor = os.memfd_create("seccomp")
    os.write(descriptor, filter_program())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _known(name: str) -> bool:
    """Whether this machine's libseccomp has heard of a call."""
    try:
        return int(pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)) >= 0
    except (OSError, ValueError, RuntimeError):
        return False
