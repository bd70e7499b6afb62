"""Carries bytes between the API server's exec stream and the agent's socket.

It is started as `PYTHON -I -S relay.py SOCKET`, and needs nothing but the standard library. A program that is
started by exec is used because its output goes to whoever asked for it alone; what a container's first
process prints, the node also writes to a log file.
"""

import os
import socket
import sys
import threading
import time

CHUNK = 65536
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.01


def main(path: str) -> None:
    """Copy both ways until the agent ends."""
    link = connected(path, time.monotonic() + PATIENCE_SECONDS)
    threading.Thread(target=send_input, args=(link,), daemon=True).start()
    while chunk := link.recv(CHUNK):
        write_all(chunk)


def connected(path: str, deadline: float) -> socket.socket:
    """The agent's socket, as soon as its first process listens."""
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


def send_input(link: socket.socket) -> None:
    """Standard input to the agent; its end is the channel's end."""
    try:
        while chunk := os.read(0, CHUNK):
            link.sendall(chunk)
        link.shutdown(socket.SHUT_WR)
    except OSError:
        # The agent has gone: the other direction sees that too, and ends the program.
        return


def write_all(chunk: bytes) -> None:
    """Everything to standard output."""
    view = memoryview(chunk)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main(sys.argv[1])
    # The thread may still wait for input that never comes.
    os._exit(0)
