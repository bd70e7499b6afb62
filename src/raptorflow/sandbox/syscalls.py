"""The system calls a sandboxed program may make, by what they are for.

What is in no list does not exist inside (ENOSYS): that covers calls which newer kernels add. What programs
try and must be told about is refused (EPERM). Names of other architectures and of older or newer versions
of libseccomp are left out by whoever compiles the list.
"""

import mmap
import socket

FILES = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
    fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr
    flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr
    lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat memfd_create mkdir
    mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev
    pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile
    setxattr splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink
    unlinkat utime utimensat utimes write writev
"""
WAITING = """
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
    inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll pselect6 select signalfd
    signalfd4 timerfd_create timerfd_gettime timerfd_settime
"""
MEMORY = """
    brk madvise mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap
    pkey_alloc pkey_free pkey_mprotect remap_file_pages shmat shmctl shmdt shmget semctl semget semop
    semtimedop msgctl msgget msgrcv msgsnd
"""
PROCESSES = """
    arch_prctl capget capset execve execveat exit exit_group fork futex futex_waitv get_robust_list
    get_thread_area getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority
    getresgid getresuid getrlimit getrusage getsid gettid getuid kill membarrier pidfd_open
    pidfd_send_signal prctl prlimit64 restart_syscall rseq sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_setaffinity sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid
    setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sysinfo
    tgkill times tkill uname vfork wait4 waitid waitpid
"""
SIGNALS_AND_TIME = """
    alarm clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday nanosleep pause
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_tgsigqueueinfo setitimer sigaltstack sigreturn time timer_create timer_delete timer_getoverrun
    timer_gettime timer_settime
"""
# Only what works on the two ends of a `socketpair`: event loops wake themselves with one.
SOCKET_PAIRS = """
    getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown
"""
DANGEROUS = """
    accept accept4 bind connect listen socket socketcall
    chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount name_to_handle_at open_by_handle_at
    open_tree pivot_root setns umount umount2 unshare
    add_key bpf io_uring_enter io_uring_register io_uring_setup keyctl perf_event_open request_key userfaultfd
    delete_module finit_module init_module kexec_file_load kexec_load reboot swapoff swapon
    acct fanotify_init fanotify_mark ioperm iopl lookup_dcookie modify_ldt nfsservctl quotactl quotactl_fd
    syslog vhangup
    kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace
    adjtimex clock_adjtime clock_settime clock_settime64 setdomainname sethostname settimeofday stime
    get_mempolicy mbind migrate_pages move_pages sched_setattr sched_setparam sched_setscheduler set_mempolicy
"""
ALLOWED = f"{FILES} {WAITING} {MEMORY} {PROCESSES} {SIGNALS_AND_TIME} {SOCKET_PAIRS}".split()
REFUSED = DANGEROUS.split()
# Memory that no process has to map: a group counts it, a watch over processes cannot see it. Of what is
# shared without a file, a page that stays mapped keeps all; larger buffers keep what nobody reads.
UNSEEN_MEMORY = ("memfd_create", "shmget", "semget", "msgget")
UNSEEN_MAPPING = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
# Options of sockets, by level, that make no buffer larger: all of the protocols', and of every socket
# addresses, errors, kinds, times and ends.
PROTOCOLS = (socket.IPPROTO_IP, socket.IPPROTO_TCP, socket.IPPROTO_IPV6)
HARMLESS_OPTIONS = (
    *(socket.SO_REUSEADDR, socket.SO_REUSEPORT, socket.SO_KEEPALIVE, socket.SO_LINGER, socket.SO_OOBINLINE),
    *(socket.SO_BROADCAST, socket.SO_PASSCRED, socket.SO_RCVLOWAT, socket.SO_RCVTIMEO, socket.SO_SNDTIMEO),
)
# Pages that were set aside for others (asm-generic/mman.h), which no group of ours counts.
HUGE_PAGES = 0x40000
# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h).
NAMESPACE_FLAGS = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
# Asking about terminals, pipes and descriptors; never TIOCSTI or TIOCLINUX, which type into a terminal.
# TCGETS, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FS_IOC_GETFLAGS (asm-generic/ioctls.h).
IOCTLS = (0x5401, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x80086601)
# The value that only asks (0xffffffff), and the plain Linux personality.
PERSONALITIES = (0, 0xFFFFFFFF)
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
# What a program that may ask the broker for a way out needs besides; without reach these are refused.
REACH = ("accept", "accept4", "bind", "connect", "listen")
REACH_FAMILIES = (AF_UNIX, AF_INET, AF_INET6)
# A program may only take rights away from itself with these.
LANDLOCK = ("landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self")
