"""Telling HTTP from what is not, by the first line that is sent.

A request line is `method target HTTP/version` (RFC 9112, section 3). Servers read more than that: any method,
any white space between the words and before them, a lone LF at the end. So what is looked for is the version,
which each of them needs to see a `Host` after it; wherever in the line it stands.
"""

import re

from raptorflow.sandbox.broker.errors import TunnelNotTls
from raptorflow.sandbox.broker.ports import Stream

WHITE = b"\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0"
"""What some server takes for white space."""
VERSION = re.compile(rb"(?<![a-z0-9/._~%-])http/")
"""In lower case; not as a part of a path."""
NAME = b"http/"
METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]*")
"""A token of RFC 9110, section 5.6.2, of any length."""
CONTROL = re.compile(rb"[\0-\x08\x0e-\x1b\x7f]")
"""Bytes that are no text."""
LONGEST_LINE = 64 * 1024
"""No server reads a request line that is longer."""


class FirstLine:
    """The first line of what is sent, in pieces; each is looked at once."""

    def __init__(self) -> None:
        self._length = 0
        self._end = b""
        self._has_method = False
        self._is_text = True
        self._over = False

    def see(self, piece: bytes) -> bool:
        """Whether all that came so far may pass; False while it could become a request.

        What by its look is none passes before its line has ended: without that end, no server takes it for a
        request either.

        Raises:
            TunnelNotTls: it is a request.
        """
        if not self._length:
            piece = piece.lstrip(WHITE)
        if self._over or not piece:
            return self._over
        line, end, _ = piece.partition(b"\n")
        self._refuse_version(line)
        self._length += len(line)
        self._over = bool(end) or self._length > LONGEST_LINE
        self._is_text = self._is_text and self._goes_on(line)
        return self._over or not self._is_text

    def _refuse_version(self, line: bytes) -> None:
        whole = self._end + line.lower()
        if NAME in whole and VERSION.search(whole):
            raise TunnelNotTls("Plain HTTP was sent through a tunnel.")
        # As much as an unfinished version may have, with the byte before it.
        self._end = whole[-len(NAME) :]

    def _goes_on(self, line: bytes) -> bool:
        """Whether a method, white space and text may go on like this."""
        if not self._has_method:
            method = METHOD.match(line)
            line = line[method.end() :] if method else line
            self._has_method = line[:1] != b"" and line[:1] in WHITE
            if not self._has_method:
                return not line
        return not CONTROL.search(line)


class Watched:
    """A stream whose first line is read to its end while it passes.

    Args:
        line: has seen what came before.
        stream: what follows.
    """

    def __init__(self, line: FirstLine, stream: Stream) -> None:
        self._line = line
        self._stream = stream
        self.write, self.end, self.close = stream.write, stream.end, stream.close

    async def read(self) -> bytes:
        """The next bytes.

        Raises:
            TunnelNotTls: the line is a request's.
        """
        piece = await self._stream.read()
        self._line.see(piece)
        return piece
