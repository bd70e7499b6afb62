"""R6-R8 and R20-R22: time, processes that will not end, the clock, and core dumps."""

from raptorflow.base.clock import Stopwatch
from raptorflow.sandbox.attacks.model import Attack, Outcome, Trial, outcomes
from raptorflow.sandbox.attacks.program import together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.attacks.steps import Step, Steps

SHARE = 0.1
# Quotas are given out in slices of a tenth of a second.
SLACK_SECONDS = 0.15
SPIN = """
for _ in range(3):
    if os.fork() == 0:
        break
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    pass
try:
    while os.wait():
        pass
except ChildProcessError:
    pass
"""
SLEEP = "time.sleep(8)"
STUBBORN = {
    "deaf": """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(8)
    """,
    "new session": """
    if os.fork() == 0:
        os.setsid()
    time.sleep(8)
    """,
    "fork chain": """
    end = time.monotonic() + 8
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
    """,
}
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (0, 1, 2):
            os.close(number)
        time.sleep(8)
    os._exit(0)
"""
ALIVE_CONTROL = """
child = os.fork()
if child == 0:
{body}
    os._exit(0)
time.sleep(0.3)
if os.waitpid(child, os.WNOHANG) != (0, 0):
    raise Absent('it ended by itself')
os.kill(child, signal.SIGKILL)
"""


async def spin(stage: Stage) -> Trial:
    """R6: processor time is ended by the clock, and shared out until then."""
    text = stage.text({"spin": SPIN}, {"SECONDS": 30}, apart=False, outside=False)
    limits = {"timeout_seconds": 1.5, "cpus": SHARE}
    watch = Stopwatch()
    result = await stage.inside(text, limits=limits)
    whole = watch.elapsed_ms() / 1000
    text = stage.text({"spin": SPIN}, {"SECONDS": 0.8}, apart=False, outside=True)
    free = await stage.outside(text)
    control = free.cpu_seconds > 1.1 * SHARE * free.wall_seconds
    # A machine has started under its quota too, and what that took is counted with the run.
    seconds = whole if stage.boundary == "virtual-machine" else result.wall_ms / 1000
    outcome, words = _shared(stage, result.status, result.cpu_ms, seconds)
    return Trial(
        outcomes(outcome), words, control, f"{free.cpu_seconds:.2f} s in {free.wall_seconds:.2f} s without"
    )


def _shared(stage: Stage, status: str, cpu_ms: float | None, wall: float) -> tuple[Outcome, str]:
    if status != "timeout":
        return "through", f"status {status}"
    held = stage.report.guarantees.get("cpu")
    if held and held.holder != "kernel":
        return "killed:timeout", f"the share of the processor is only {held.holder} for this user"
    if cpu_ms is None:
        return "broken", "nobody counted the processor's time"
    most = SHARE * wall * 1.1 + SLACK_SECONDS
    words = f"{cpu_ms / 1000:.2f} s of the processor in {wall:.2f} s, {most:.2f} s allowed"
    return ("killed:timeout" if cpu_ms / 1000 <= most else "through"), words


async def stubborn(stage: Stage) -> Trial:
    """R8: nothing inside outlives its run, however it hides; `Stage.inside` looks for what is left."""
    found: list[str] = []
    for name, code in STUBBORN.items():
        text = stage.text({name: code}, {}, apart=False, outside=False)
        result = await stage.inside(text, limits={"timeout_seconds": 1})
        found.append(f"{name}: {result.status}")
    result = await stage.inside(stage.text({"daemon": DAEMON}, {}, apart=False, outside=False))
    found.append(f"daemon: {result.status}")
    text = stage.text({"daemon": DAEMON}, {}, apart=False, outside=True)
    free = await stage.outside(text)
    outlived = free.left > 0
    ended = all(line.endswith(("timeout", "ok")) for line in found)
    return Trial(
        outcomes("removed" if ended else "broken"),
        together(found),
        outlived,
        f"{free.left} processes outlived the same program outside",
    )


CLOCKS = (
    Attack(
        "R6",
        "Spinning",
        "use the processor in four processes without end",
        "a clock ends every process; the group's quota shares the processor out until then",
        spin,
        outcomes("killed:timeout"),
    ),
    Attack(
        "R7",
        "Sleeping",
        "do nothing, for ever",
        "a clock outside, which the sandbox cannot see",
        Steps(
            {"sleep": Step(SLEEP, twin=ALIVE_CONTROL.format(body=f"    {SLEEP}"))},
            limits={"timeout_seconds": 1},
            each=True,
        ),
        outcomes("killed:timeout"),
    ),
    Attack(
        "R8",
        "Processes that will not end",
        "ignore signals, start sessions, fork in a chain, leave a daemon",
        "the first process of the pid namespace is killed, and with it every other; groups are killed too",
        stubborn,
        outcomes("removed"),
    ),
    Attack(
        "R20",
        "Setting the clock",
        "set the machine's clock by each call that can",
        "no capability, and the filter refuses the calls",
        Steps(
            {
                "clock_settime": Step(
                    "reach('clock_settime', 0, ctypes.byref((ctypes.c_long * 2)(0, -1)))", maybe=False
                ),
                "settimeofday": "reach('settimeofday', ctypes.byref((ctypes.c_long * 2)(0, -1)), None)",
                "clock_adjtime": Step(
                    "block = (ctypes.c_long * 64)()\nblock[0] = 0x2000\n"
                    "reach('clock_adjtime', 99, ctypes.byref(block))"
                ),
                "time.clock_settime": Step("time.clock_settime(0, 0)", twin="time.clock_gettime(0)"),
            },
        ),
        in_guest=outcomes("refused", "contained"),
    ),
    Attack(
        "R21",
        "Core dumps",
        "allow itself core dumps",
        "a hard limit of 0 on their size",
        Steps(
            {
                "raise the limit": """
                hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
                if hard == 0:
                    raise Refused('the hard limit is 0')
                resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
                """,
            }
        ),
    ),
    Attack(
        "R22",
        "The program that core dumps go to",
        "name a program of its own, which the kernel would start as root outside",
        "/proc/sys is read-only",
        Steps(
            {
                name: Step(
                    f"os.close(os.open({path!r}, os.O_WRONLY))",
                    twin="os.close(os.open('x', os.O_WRONLY | os.O_CREAT))",
                    root=True,
                    maybe=name == "modprobe",
                )
                for name, path in {
                    "core_pattern": "/proc/sys/kernel/core_pattern",
                    "core_pipe_limit": "/proc/sys/kernel/core_pipe_limit",
                    "modprobe": "/proc/sys/kernel/modprobe",
                }.items()
            }
        ),
    ),
)
