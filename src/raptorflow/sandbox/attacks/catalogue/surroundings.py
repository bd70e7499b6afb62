"""P10-P19: what lies around a process: terminals, sockets, memory of others, signals, groups, priorities."""

import asyncio
import ctypes
import secrets
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from raptorflow.sandbox.attacks.canary import canary, environment
from raptorflow.sandbox.attacks.model import Attack, Trial, outcomes
from raptorflow.sandbox.attacks.processes import running
from raptorflow.sandbox.attacks.program import said
from raptorflow.sandbox.attacks.stage import SHARED, TMP, Stage
from raptorflow.sandbox.attacks.steps import Step, Steps

IN_GUEST = outcomes("refused", "absent", "contained")
ALLOWED_DEVICES = (
    *("fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom"),
    *("zero", "core", "console", "mqueue"),
)
# The step runs as the only user of a terminal that it makes for itself.
IN_A_TERMINAL = """
import pty
child, master = pty.fork()
if child == 0:
    try:
        {code}
    except OSError as error:
        os._exit(error.errno)
    os._exit(0)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
if status:
    raise OSError(status, os.strerror(status))
"""
TTY = "os.close(os.open('/dev/tty', os.O_RDWR))"
TYPE = "import termios; fcntl.ioctl(0, termios.TIOCSTI, b'x')"
VARIABLES = {
    "SSH_AUTH_SOCK": "ssh-agent",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=bus",
    "DISPLAY": ":77",
    "WAYLAND_DISPLAY": "wayland-77",
    "GPG_AGENT_INFO": "gpg-agent",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "RAPTORFLOW_GATEWAY__VAULT__KEY": "canary",
}
PAIR, ALONE = "one, two = socket.socketpair()", "one = socket.socket(socket.AF_UNIX)"
# The first line is a heading.
SYSV = "if len(open('/proc/sysvipc/{kind}').readlines()) < 2: raise Absent('empty')"
SIGNAL = """
child = os.fork()
if child == 0:
    time.sleep(4)
    os._exit(0)
try:
    os.kill(TARGET, 0)
except ProcessLookupError:
    raise Absent('no such process')
finally:
    os.kill(child, signal.SIGKILL)
"""
KILL_ALL = """
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(4)
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(-1, signal.SIGTERM)
if os.WTERMSIG(os.waitpid(child, 0)[1]) != signal.SIGTERM:
    raise Refused('not even its child')
"""


async def abstract_sockets(stage: Stage) -> Trial:
    """P11: sockets without a file, which only a network namespace hides."""
    name = f"\0rf-canary-{secrets.token_hex(6)}"
    with (
        socket.socket(socket.AF_UNIX) as stream,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        stream.bind(name)
        stream.listen()
        datagrams.bind(f"{name}-datagrams")
        return await Steps(
            {
                "stream": "socket.socket(socket.AF_UNIX).connect(NAME)",
                "datagram": """
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', NAME + '-datagrams')
                """,
                "datagram from a pair": """
                one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
                one.sendto(b'x', NAME + '-datagrams')
                """,
                "connect an end of a pair": Step(
                    f"{PAIR}; one.connect(NAME)", twin=f"{ALONE}; one.connect(NAME)"
                ),
                "bind an end of a pair": Step(
                    f"{PAIR}; one.bind('there')", twin=f"{ALONE}; one.bind('there')"
                ),
            },
            facts={"NAME": name},
        )(stage)


async def agents(stage: Stage) -> Trial:
    """P12: the desktop's and the keys' sockets, and the variables that lead to them."""
    with canary(stage.folder) as bird, environment(**VARIABLES):
        steps = {name: f"if {name!r} not in os.environ: raise Absent('unset')" for name in VARIABLES}
        steps["socket folder"] = f"os.stat({str(bird.file)!r})"
        more = ("/run/user", "/run/dbus/system_bus_socket", f"{TMP}/.X11-unix")
        maybe = {
            path: Step(f"if not os.listdir({path!r}): raise Absent('empty')", maybe=True) for path in more
        }
        return await Steps({**steps, **maybe})(stage)


@contextmanager
def shared_segment() -> Generator[int]:
    """A System V segment of this machine; its key."""
    libc = ctypes.CDLL(None, use_errno=True)
    key = secrets.randbelow(2**30) + 1
    segment = libc.shmget(key, 4096, 0o1666)
    if segment == -1:
        raise OSError(ctypes.get_errno(), "shmget")
    try:
        yield key
    finally:
        libc.shmctl(segment, 0, None)


@contextmanager
def shared_file(name: str) -> Generator[None]:
    """POSIX shared memory of this machine, which is a file."""
    file = Path(SHARED, name)
    file.write_text("canary")
    try:
        yield
    finally:
        file.unlink()


async def others_memory(stage: Stage) -> Trial:
    """P13: memory that is shared by a name, of this machine."""
    name = f"rf-canary-{secrets.token_hex(6)}"
    with shared_segment() as key, shared_file(name):
        return await Steps(
            {
                "System V memory": "call('shmget', KEY, 0, 0)",
                "its list": """
                    if not any(line.split()[0] == str(KEY) for line in open('/proc/sysvipc/shm')):
                        raise Absent('not listed')
                    """,
                "its semaphores": Step(SYSV.format(kind="sem"), twin="open('/proc/sysvipc/sem').read()"),
                "its queues": Step(SYSV.format(kind="msg"), twin="open('/proc/sysvipc/msg').read()"),
                "POSIX memory": "os.stat(f'/dev/shm/{NAME}')",
            },
            facts={"KEY": key, "NAME": name},
        )(stage)


async def signals(stage: Stage) -> Trial:
    """P16: signals to a process of this machine, by its number and to everybody; the agent may be hit."""
    sentinel = await asyncio.create_subprocess_exec("sleep", "60")
    facts = {"TARGET": sentinel.pid}
    try:
        trial = await Steps({"by its number": Step(SIGNAL)}, facts=facts)(stage)
        codes = {"everybody": KILL_ALL}
        result = await stage.inside(stage.text(codes, facts, apart=False, outside=False))
        free = await stage.outside(stage.text(codes, facts, apart=False, outside=True), "unguarded")
        alive = sentinel.returncode is None and sentinel.pid in running()
    finally:
        with suppress(ProcessLookupError):
            sentinel.kill()
        await sentinel.wait()
    told = said(free.stdout).get("everybody")
    control = trial.control and told is not None and told.saw == "through"
    answer = said(result.stdout).get("everybody")
    # Without an answer, it has hit itself or the agent.
    tried = answer.saw != "broken" if answer else result.status in {"signal", "sandbox_error"}
    lives, told_inside = "lives on" if alive else "died", answer.saw if answer else "no answer"
    everybody = f"everybody: {told_inside}, status {result.status}, a process outside {lives}"
    words = f"{trial.evidence}; {everybody}"
    if not alive or "through" in trial.outcomes:
        seen = outcomes("through")
    else:
        seen = outcomes("contained" if tried and "broken" not in trial.outcomes else "broken")
    return Trial(seen, words, control, "both reach others without the guard")


SURROUNDINGS = (
    Attack(
        "P10",
        "Typing into a terminal",
        "open the terminal of whoever started it, and push characters into it",
        "a session of its own without a terminal, and the filter refuses the requests",
        Steps(
            {
                "open": Step(TTY, twin=IN_A_TERMINAL.format(code=TTY)),
                "type": Step(TYPE, twin=IN_A_TERMINAL.format(code=TYPE), maybe=True),
                "be on one": Step(
                    "if not os.isatty(0): raise Absent('standard input is none')",
                    twin=IN_A_TERMINAL.format(code="os.isatty(0) or os._exit(1)"),
                ),
            }
        ),
    ),
    Attack(
        "P11",
        "Abstract sockets",
        "connect to a socket of this machine that has no file",
        "a network namespace, in which there are none but its own; and no socket can be made",
        abstract_sockets,
    ),
    Attack(
        "P12",
        "Agents and desktops",
        "find ssh-agent, D-Bus, X11, Wayland, gpg-agent, and credentials in variables",
        "the environment is made from nothing, and their folders are not mounted",
        agents,
    ),
    Attack(
        "P13",
        "Shared memory of others",
        "find memory of this machine by key and by name",
        "an IPC namespace, and a /dev/shm of its own",
        others_memory,
    ),
    Attack(
        "P14",
        "Devices",
        "find a device beyond the harmless ones",
        "/dev is made from nothing",
        Steps(
            {
                "list": f"""
                more = sorted(set(os.listdir('/dev')) - set({ALLOWED_DEVICES!r}))
                if not more:
                    raise Absent('only harmless ones')
                return more
                """
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P15",
        "What the kernel tells",
        "read its log, addresses, start line, and what the firmware says of the machine",
        "covered files, no /sys, no call for the log",
        Steps(
            {
                "log": Step("reach('syslog', 10, None, 0)", maybe=True),
                "addresses": Step(
                    """
                    with open('/proc/kallsyms') as file:
                        lines = [file.readline() for _ in range(200)]
                    if not any(int(line.split()[0], 16) for line in lines if line):
                        raise Absent('zeros')
                    """,
                    maybe=True,
                ),
                "start line": "if not open('/proc/cmdline').read(): raise Absent('empty')",
                "firmware": Step("os.listdir('/sys/class/dmi/id')", maybe=True),
                "devices": "os.listdir('/sys/devices')",
                "timers": Step("if not open('/proc/timer_list').read(1): raise Absent('empty')", maybe=True),
                "keys": Step("if not open('/proc/keys').read(1): raise Absent('empty')", maybe=True),
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P16",
        "Signals to others",
        "signal a process of this machine, and every process there is",
        "a pid namespace: there is nobody else to signal",
        signals,
        outcomes("contained"),
    ),
    Attack(
        "P17",
        "Leaving its group",
        "find the control groups, move out of its own, raise its limits",
        "there is no cgroup file system inside, and none can be mounted",
        Steps(
            {
                "find": Step(
                    """
                    if not list(Path('/sys/fs/cgroup').glob('**/cgroup.procs')):
                        raise Absent('none')
                    """
                ),
                "move": Step(
                    """
                    file = next(iter(Path('/sys/fs/cgroup').glob('**/cgroup.procs')), None)
                    os.close(os.open(file or '/sys/fs/cgroup/cgroup.procs', os.O_WRONLY))
                    """,
                    twin="os.close(os.open('x', os.O_WRONLY | os.O_CREAT))",
                    root=True,
                ),
                "mount": Step(
                    "os.mkdir('g'); reach('mount', b'x', b'g', b'cgroup2', 0, None)",
                    place="unguarded",
                    maybe=True,
                ),
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P18",
        "Raising its limits",
        "lower a limit and raise it again",
        "hard limits can only be lowered without a capability",
        Steps(
            {
                "files": Step(
                    """
                    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
                    try:
                        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
                    except ValueError:
                        raise Refused('ValueError')
                    """,
                    twin="resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))",
                    root=True,
                ),
                "queues": Step(
                    """
                    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))
                    try:
                        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (4096, 4096))
                    except ValueError:
                        raise Refused('ValueError')
                    """,
                    twin="resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 100))",
                    root=True,
                ),
            }
        ),
        in_guest=IN_GUEST,
    ),
    Attack(
        "P19",
        "Going first",
        "become a real-time process, or one of a higher priority",
        "no capability; the filter refuses other schedulers",
        Steps(
            {
                "real time": Step(
                    "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
                    twin="os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
                    root=True,
                ),
                "priority": Step("os.setpriority(0, 0, -20)", twin="os.setpriority(0, 0, 5)", root=True),
                "nice": Step("os.nice(-5)", twin="os.nice(5)", root=True),
            }
        ),
        in_guest=IN_GUEST,
    ),
)
