"""The system calls that the interpreter's process may make: to compute, to read and write its pipes, to end.

Compiled by libseccomp for `bwrap --seccomp`. Anything else does not exist for it (ENOSYS), so glibc falls
back where it can. A thread may be started, a process may not; `execve` is left because bubblewrap starts the
program by it. The system's libraries are inside, and with them whatever programs lie among them: whoever
starts one has exchanged the interpreter for it, behind the same walls and under the same filter.
"""

import errno
import tempfile
from importlib import import_module
from typing import Any

from raptorflow.sandbox.errors import SandboxUnavailable

_ALLOWED = """
    access arch_prctl brk clock_getres clock_gettime clock_nanosleep close dup epoll_create1 epoll_ctl
    epoll_pwait epoll_wait eventfd2 execve exit exit_group faccessat faccessat2 fcntl fstat futex getpid
    getrandom gettid gettimeofday lseek madvise membarrier mmap mprotect mremap munmap nanosleep
    newfstatat openat poll ppoll pread64 prlimit64 read readlink readlinkat readv restart_syscall rseq
    rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield set_robust_list
    set_tid_address sigaltstack statx tgkill wait4 waitid write writev
"""
_PR_SET_NAME = 15
_CLONE_THREAD = 0x00010000


def call_filter() -> bytes:
    """The filter as BPF.

    Raises:
        SandboxUnavailable: libseccomp is not installed.
    """
    library = _library()
    rules = library.SyscallFilter(library.ERRNO(errno.ENOSYS))
    rules.set_attr(library.Attr.ACT_BADARCH, library.KILL_PROCESS)
    for name in _ALLOWED.split():
        _allow(library, rules, name)
    _allow(library, rules, "clone", library.Arg(0, library.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
    _allow(library, rules, "prctl", library.Arg(0, library.EQ, _PR_SET_NAME))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _allow(library: Any, rules: Any, name: str, *arguments: Any) -> None:
    """Add a rule; not every machine has every call."""
    try:
        number = int(library.resolve_syscall(library.system_arch(), name))
    except (OSError, ValueError, RuntimeError):
        return
    if number >= 0:
        rules.add_rule(library.ALLOW, name, *arguments)


def _library() -> Any:
    """pyseccomp; it has no type information, and no life without libseccomp."""
    try:
        return import_module("pyseccomp")
    except (ImportError, RuntimeError, OSError) as error:
        message = f"The system call filter cannot be compiled: {error}."
        raise SandboxUnavailable(message, hint="Debian: apt-get install libseccomp2") from error
