"""What exec starts: says to the sandbox's first process that it is there, and becomes the agent.

It is started as `PYTHON -I -S entry.py SOCKET`. The connection is never used; that it closes when this
process ends, however it ends, is what the first process waits for. Programs do not inherit it.
"""

import os
import socket
import sys
import time
from importlib import import_module

PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.01


def connected(path: str, deadline: float) -> socket.socket:
    """A connection to the first process, as soon as it listens."""
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(path)
        except OSError:
            link.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return link


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))
    present = connected(sys.argv[1], time.monotonic() + PATIENCE_SECONDS)
    import_module("guest.main").run("stdio", "alone")
