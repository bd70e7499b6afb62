"""The first process of a sandbox: waits for one connection, then becomes the agent that speaks over it.

It is started as `PYTHON -I -S starter.py SOCKET PROGRAM ARGUMENTS...`, and needs nothing but the standard
library. The agent so has the channel as its standard input and output and is the container's first process:
when it ends, everything in the container does. There is never a second connection.
"""

import os
import socket
import sys


def main(path: str, program: list[str]) -> None:
    """Accept one connection and become the program."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(1)
        peer, _ = listener.accept()
        os.unlink(path)
    os.dup2(peer.fileno(), 0)
    os.dup2(peer.fileno(), 1)
    peer.close()
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
