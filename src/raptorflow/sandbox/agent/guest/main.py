"""The guest agent: the first program in every sandbox, and the only one that the host talks to.

    python -I -S -c "..." HOW [alone] [filter:HEX]

HOW says where its channel is: `socket` (descriptor 0), `stdio` (0 and 1), `device:PATH`, `vsock:PORT`.
`alone` says that it has a process namespace to itself, in which it may end everything.
`filter:` says that programs start under this system call filter (BPF, in hexadecimal), or not at all.

The agent says that it is there, waits for the host's greeting, and then does what frames ask. When the
channel ends it ends what runs inside, and itself.
"""

import os
import sys
from _collections_abc import Callable

from . import wire
from .files import Files
from .host import Host
from .light import socket as sockets
from .loop import Loop
from .programs import Programs
from .rekey import rekey
from .ways import Ways, accepted

FILTER = "filter:"
# On a machine's console: whoever freezes it waits for that.
UP = b"raptorflow: the agent is up\n"


class Agent:
    """Hands each frame to whom it concerns.

    Args:
        ends: the descriptors that the channel is read from and written to.
        alone: whether it has a process namespace to itself.
        calls: the filter for the system calls of programs; None for none.
    """

    def __init__(self, ends: tuple[int, int], *, alone: bool, calls: bytes | None) -> None:
        self._loop = Loop()
        self._host = Host(self._loop, ends, self._take, self._end)
        self._programs = Programs(self._loop, self._host, alone=alone, calls=calls)
        self._files = Files(self._loop, self._host)
        self._ways = Ways(self._loop, self._host)
        self._calls: dict[int, Callable[[int, bytes], None]] = {
            wire.HELLO: self._greet,
            wire.EXEC: self._programs.start,
            wire.STDIN: self._programs.feed,
            wire.KILL: self._kill,
            wire.PUT: self._files.put,
            wire.GET: self._files.get,
            wire.LIST: self._files.names,
            wire.DATA: self._data,
            wire.CLOSE: self._close,
            wire.CREDIT: self._credit,
            wire.PING: self._answer,
            wire.REKEY: self._rekey,
        }

    def run(self) -> None:
        """Work until the host is gone."""
        try:
            self._ways.listen()
            self._host.send(wire.BORN, 0, wire.packed([wire.VERSION]))
            self._loop.run()
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
        # A mistake of its own must not leave programs without an agent.
        self._end()

    def _take(self, came: wire.Frame) -> None:
        kind, stream, payload = came
        self._calls[kind](stream, payload)

    def _greet(self, stream: int, payload: bytes) -> None:
        (nonce,) = wire.unpacked(payload, 1)
        self._host.send(wire.READY, stream, wire.packed([nonce, b"%d" % self._programs.landlock]))

    def _answer(self, stream: int, payload: bytes) -> None:
        self._host.send(wire.PONG, stream, payload)

    def _kill(self, _stream: int, _payload: bytes) -> None:
        self._programs.kill()

    def _data(self, stream: int, payload: bytes) -> None:
        if not self._files.write(stream, payload):
            self._ways.take(stream, payload)

    def _credit(self, stream: int, payload: bytes) -> None:
        count = wire.granted(payload)
        self._files.grant(stream, count)
        self._ways.grant(stream, count)

    def _close(self, stream: int, _payload: bytes) -> None:
        self._files.close(stream)
        self._ways.close(stream)

    def _rekey(self, stream: int, payload: bytes) -> None:
        seed, microseconds = wire.unpacked(payload, 2)
        rekey(seed, wire.number(microseconds))
        self._host.send(wire.DONE, stream)

    def _end(self) -> None:
        self._programs.kill()
        os._exit(0)


def run(how: str, *words: str) -> None:
    """Be the agent of the channel that `how` names."""
    given = [word[len(FILTER) :] for word in words if word.startswith(FILTER)]
    calls = bytes.fromhex(given[0]) if given else None
    Agent(_ends(how), alone="alone" in words, calls=calls).run()


def _ends(how: str) -> tuple[int, int]:
    kind, _, place = how.partition(":")
    if kind == "device":
        opened = os.open(place, os.O_RDWR | os.O_CLOEXEC)
        os.write(2, UP)
        return opened, opened
    if kind == "vsock":
        return _accepted(int(place))
    # Programs get descriptors 0 to 3 of their own; the channel moves out of their way.
    reading = os.dup(0)
    writing = reading if kind == "socket" else os.dup(1)
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 0)
    os.dup2(silence, 1)
    os.close(silence)
    return reading, writing


def _accepted(port: int) -> tuple[int, int]:
    """The host's connection over vsock."""
    listener = sockets.socket(sockets.AF_VSOCK, sockets.SOCK_STREAM)
    listener.bind((sockets.VMADDR_CID_ANY, port))
    listener.listen(1)
    os.write(2, UP)
    descriptor = accepted(listener)
    return descriptor, descriptor


if __name__ == "__main__":
    run(*sys.argv[1:])
