"""Taking a secret out of what a host answers, byte for byte, so that lengths stay true.

A host that repeats what it was sent, in a page of echoes or an error's text, must not hand the secret to the
sandbox. The value is found as it is and in the spellings that answers use. A host that means to pass it on in
a spelling of its own can: it is the one that holds the secret already.
"""

import base64
import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, quote_plus

MASK = b"*"
SHORTEST = 8
"""Bytes of a value that can be found without finding half the answer."""


def spellings(value: str) -> frozenset[bytes]:
    """A value as it may stand in an answer: plain, in JSON, in a URL, in base64 at each of its alignments."""
    plain = value.encode()
    texts = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    texts |= {quote(value, safe=""), quote(value), quote_plus(value)}
    encoded = {core for shift in range(3) for core in _base64_cores(plain, shift)}
    return frozenset(
        one for one in {plain, *(text.encode() for text in texts), *encoded} if len(one) >= SHORTEST
    )


def _base64_cores(plain: bytes, shift: int) -> Iterable[bytes]:
    """What of the base64 text depends on the value alone when `shift` bytes stand before it."""
    text = base64.b64encode(bytes(shift) + plain)
    first = -(-shift * 4 // 3)
    last = (shift + len(plain)) * 4 // 3
    core = text[first:last]
    return {core, core.translate(bytes.maketrans(b"+/", b"-_"))}


class Needles:
    """What is to be masked for one sandbox; it grows, also while answers are under way.

    Args:
        first: what is known already.
    """

    def __init__(self, first: Iterable[bytes] = ()) -> None:
        self._all: set[bytes] = set()
        self.longest_first: Sequence[bytes] = ()
        self.pattern = re.compile(b"")
        self.add(first)

    def add(self, more: Iterable[bytes]) -> None:
        """Mask these too, from now on and in every answer."""
        if new := set(more) - self._all:
            self._all |= new
            self.longest_first = sorted(self._all, key=len, reverse=True)
            self.pattern = re.compile(b"|".join(map(re.escape, self.longest_first)))

    def clear(self) -> None:
        """Forget them."""
        self._all.clear()
        self.longest_first = ()


class Redactor:
    """Masks secrets in bytes that come in pieces; what could be the beginning of one is held back.

    Args:
        needles: what to mask; looked at anew for each piece, since a secret may be sent on another connection
            while this answer is still coming.
    """

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._kept = b""
        self.masked = 0

    def feed(self, piece: bytes) -> bytes:
        """What may be passed on now."""
        if not self._needles.longest_first:
            return piece
        whole = self._kept + piece
        masked, safe = self._masked(whole)
        self._kept = whole[safe:]
        return masked[:safe]

    def finish(self) -> bytes:
        """What was held back."""
        rest, self._kept = self._kept, b""
        return self.whole(rest)

    def whole(self, text: bytes) -> bytes:
        """The same for bytes that are complete."""
        # To look for each is far quicker than the pattern, and hardly ever is one there.
        found = any(needle in text for needle in self._needles.longest_first)
        return self._needles.pattern.sub(self._mask, text) if found else text

    def _masked(self, whole: bytes) -> tuple[bytes, int]:
        """The bytes with every secret masked, and how many of them no later byte can change."""
        safe = len(whole) - self._open_end(whole)
        if safe < len(whole):
            safe = max(
                [safe, *(one.end() for one in self._needles.pattern.finditer(whole) if one.start() < safe)]
            )
        return self.whole(whole[:safe]), safe

    def _open_end(self, whole: bytes) -> int:
        """The length of the longest end that a secret may begin with."""
        return max(_overlap(whole, needle) for needle in self._needles.longest_first)

    def _mask(self, found: re.Match[bytes]) -> bytes:
        self.masked += 1
        return MASK * len(found[0])


def _overlap(whole: bytes, needle: bytes) -> int:
    """How long an end of `whole` is that `needle` begins with and goes on after."""
    at = whole.find(needle[:1], max(0, len(whole) - len(needle) + 1))
    while at >= 0 and not needle.startswith(whole[at:]):
        at = whole.find(needle[:1], at + 1)
    return len(whole) - at if at >= 0 else 0
