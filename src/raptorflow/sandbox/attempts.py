"""What the programs of self-tests begin with: they try what must not be possible, and tell what came of it.

An answer is what the kernel said to an attempt: 0 is success, otherwise the error's number.
"""

from collections.abc import Mapping

START = """
import errno, json, os, signal, socket, sys, time

def answer(attempt):
    try:
        attempt()
    except OSError as error:
        return error.errno
    return 0

def write(path, size):
    with open(path, "wb", buffering=0) as file:
        for begin in range(0, size, 65536):
            file.write(bytes(min(65536, size - begin)))

def fork_many(count):
    for _ in range(count):
        if os.fork() == 0:
            signal.pause()
            os._exit(0)

def interfaces():
    return [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]

def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())

def status():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    names = ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Uid")
    return {name: lines[name].strip() for name in names if name in lines}

# More than a share of one period, if the machine is not so busy that it takes several to get it.
def overspend(seconds):
    began = time.monotonic()
    while time.process_time() < seconds and time.monotonic() - began < 3:
        pass
"""
LOOPBACK_ONLY = ["lo"]
_NO_CAPABILITIES = "0" * 16


def is_powerless(status: Mapping[str, str]) -> bool:
    """Whether a process of this status has no rights, and can get none. Not every kernel tells the second."""
    bounds = {status["CapEff"], status["CapBnd"]}
    return bounds == {_NO_CAPABILITIES} and status.get("NoNewPrivs", "1") == "1"
