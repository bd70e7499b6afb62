"""P1-P9: what a process is allowed to be, and the kernel's riskier calls, with arguments that do nothing."""

import platform
import struct

from raptorflow.sandbox.attacks.model import Attack, outcomes
from raptorflow.sandbox.attacks.steps import Step, Steps

IN_GUEST = outcomes("refused", "absent", "contained")
X86 = platform.machine() == "x86_64"
STATUS = """
fields = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
value = fields[{field!r}].split()[0]
if {good}:
    raise Absent(value)
return value
"""
# `int 0x80` with call number 20 (getpid): filters go by numbers, and these are another architecture's.
OLD_ENTRY = struct.pack("<B I B B B", 0xB8, 20, 0xCD, 0x80, 0xC3)
RUN_CODE = """
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write({code!r})
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
if ctypes.CFUNCTYPE(ctypes.c_int)(address)() <= 0:
    raise Refused('no such entry')
"""
CHILD = """
child = os.fork()
if child == 0:
    time.sleep(4)
    os._exit(0)
try:
    {code}
finally:
    os.kill(child, signal.SIGKILL)
"""
NEW = {
    "user": 0x10000000,
    "network": 0x40000000,
    "mount": 0x20000,
    "process": 0x20000000,
    "IPC": 0x8000000,
    "host name": 0x4000000,
    "group": 0x2000000,
    "time": 0x80,
}
CLONE = """
child = call('clone', {flag} | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""
FAMILIES = {
    "packets": ("socket.AF_PACKET", "socket.SOCK_RAW", "0"),
    "routes": ("socket.AF_NETLINK", "socket.SOCK_RAW", "0"),
    "audit": ("socket.AF_NETLINK", "socket.SOCK_RAW", "9"),
    "firewall": ("socket.AF_NETLINK", "socket.SOCK_RAW", "12"),
    "kernel's ciphers": ("38", "socket.SOCK_SEQPACKET", "0"),
    "virtual machines": ("40", "socket.SOCK_STREAM", "0"),
    "express data path": ("44", "socket.SOCK_RAW", "0"),
    "raw internet": ("socket.AF_INET", "socket.SOCK_RAW", "1"),
    "bluetooth": ("31", "socket.SOCK_RAW", "1"),
}

PRIVILEGES = (
    Attack(
        "P1",
        "Being somebody",
        "be root, have capabilities, gain privileges, run without a filter",
        "a user namespace without capabilities, no new privileges, a seccomp filter",
        Steps(
            {
                "capabilities": STATUS.format(field="CapEff", good="int(value, 16) == 0"),
                "capabilities it could get": STATUS.format(field="CapBnd", good="int(value, 16) == 0"),
                "root": Step(STATUS.format(field="Uid", good="int(value) >= 1000")),
                "new privileges": STATUS.format(field="NoNewPrivs", good="value == '1'"),
                "no filter": STATUS.format(field="Seccomp", good="value == '2'"),
            },
            place="unguarded",
        ),
        outcomes("absent"),
        in_guest=outcomes("absent", "contained"),
    ),
    Attack(
        "P2",
        "New namespaces",
        "make namespaces by unshare, clone and clone3, in which it would have capabilities; join others",
        "the filter looks at the flags; clone3, whose flags it cannot see, does not exist inside",
        Steps(
            {
                **{f"unshare {name}": f"call('unshare', {flag})" for name, flag in NEW.items()},
                **{
                    f"clone {name}": CLONE.format(flag=flag)
                    for name, flag in NEW.items()
                    if name != "time"  # that flag shares its bit with the signal to send
                },
                "clone3": "reach('clone3', None, 0)",
                "setns": "reach('setns', -1, 0)",
            },
            place="unguarded",
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P3",
        "io_uring",
        "make a ring, through which calls pass filters by",
        "the filter refuses the calls",
        Steps({"io_uring_setup": "reach('io_uring_setup', 8, None)"}),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P4",
        "Programs in the kernel, page faults",
        "bpf, perf_event_open, userfaultfd",
        "the filter refuses the calls",
        Steps(
            {
                "bpf": Step("reach('bpf', 0, None, 0)", maybe=True),
                "perf_event_open": Step("reach('perf_event_open', None, 0, 0, -1, 0)"),
                "userfaultfd": Step("reach('userfaultfd', 1)"),
                "memfd_secret": Step("reach('memfd_secret', -1)", maybe=True),
            },
            place="unguarded",
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P5",
        "The kernel's keys",
        "read, add and request keys of the user who runs the sandbox",
        "the filter refuses the calls",
        Steps(
            {
                "keyctl": "reach('keyctl', 0, -3, 0, 0, 0)",
                "add_key": "reach('add_key', b'user', None, None, 0, 0)",
                "request_key": "reach('request_key', b'user', b'raptorflow-none', None, 0)",
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P6",
        "Reaching into processes",
        "trace, read and compare processes, take their descriptors",
        "the filter refuses the calls, also for its own children",
        Steps(
            {
                "ptrace": CHILD.format(code="call('ptrace', 16, child, 0, 0)"),
                "process_vm_readv": CHILD.format(code="reach('process_vm_readv', child, 0, 0, 0, 0, 0)"),
                "pidfd_getfd": CHILD.format(code="call('pidfd_getfd', os.pidfd_open(child), 1, 0)"),
                "kcmp": Step(CHILD.format(code="reach('kcmp', os.getpid(), child, 99, 0, 0)"), maybe=True),
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P7",
        "Running the machine",
        "load modules and kernels, reboot, swap, account, read the log, set limits on disks and names",
        "no capability, and the filter refuses the calls",
        Steps(
            {
                "init_module": Step("reach('init_module', None, 0, b'')", maybe=True),
                "finit_module": Step("reach('finit_module', -1, b'', 0)", maybe=True),
                "kexec_load": Step("reach('kexec_load', 0, 0, None, 0xFFFF)", maybe=True),
                # Without the magic numbers nothing starts anew (reboot(2)).
                "reboot": "reach('reboot', 0, 0, 0, None)",
                "swapon": Step("reach('swapon', b'/nonexistent', 0)", maybe=True),
                "acct": Step("reach('acct', b'/nonexistent')", maybe=True),
                "syslog": Step("reach('syslog', 10, None, 0)", maybe=True),
                "quotactl": Step("reach('quotactl', 0x80000700, b'/nonexistent', 0, None)", maybe=True),
                "iopl": Step("reach('iopl', 0)", maybe=True),
                "setdomainname": "reach('setdomainname', b'x', 1)",
            },
            place="unguarded",
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P8",
        "Other ways to be a program",
        "a predictable address space, segment tables, the 32-bit and x32 entries to the kernel",
        "the filter knows the architecture: another one's calls kill; the rest is refused",
        Steps(
            {
                "personality": "call('personality', 0x0040000)",
                "modify_ldt": Step("reach('modify_ldt', 0, None, 0)", maybe=not X86),
                "32-bit entry": Step(RUN_CODE.format(code=OLD_ENTRY), maybe=True),
                "x32 entry": Step("if libc.syscall(0x40000000 | 39) < 0: raise Absent('none')", maybe=True),
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P9",
        "Sockets to the kernel",
        "make packet, netlink, cipher, vsock, express data path and raw sockets",
        "the filter lets no socket be made but a pair (and, with a way out, local ones)",
        Steps(
            {
                name: Step(
                    f"socket.socket({family}, {kind}, {protocol}).close()",
                    maybe=name not in {"packets", "routes", "raw internet"},
                )
                for name, (family, kind, protocol) in FAMILIES.items()
            },
            place="unguarded",
        ),
    ),
)
