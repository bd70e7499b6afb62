"""The first process of a sandbox: holds it open until the agent has come and gone.

It is started as `PYTHON -I -S holder.py SOCKET`. The agent comes by exec, so its output goes to the channel
alone (what a first process prints, the node writes to a log file), and it can end every other process without
ending its own channel. When it has gone, this ends, and with it everything in the container. Nobody else can
come after it.
"""

import os
import signal
import socket
import sys
from importlib import import_module

# Of the working folder, which is the workspace: for inputs, and for what a run leaves.
FOLDERS = ("in", "out")


def main(path: str) -> None:
    """Make the workspace's folders, wait for the agent, then for its end."""
    for name in FOLDERS:
        os.makedirs(name, exist_ok=True)
    # Compiles it into the cache that the agent then starts from.
    import_module("guest.main")
    signal.signal(signal.SIGCHLD, reap)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(1)
        peer, _ = listener.accept()
        os.unlink(path)
    peer.recv(1)


def reap(_number: int, _frame: object) -> None:
    """Take the end of processes whose parents have ended before them."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))
    main(sys.argv[1])
