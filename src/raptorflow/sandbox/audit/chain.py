"""The chain: every record carries the hash of the one before it, and its own over both. Pure.

    hash = SHA-256(prev, canonical JSON of the record without `hash`)

or HMAC-SHA-256 (RFC 2104) of the same under a key. `seq` counts from 1; `prev` of the first is 64 zeros.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import cast

from raptorflow.base.json import JsonObject, canonical, loads

START = "0" * 64
KEY_ID_LENGTH = 12
NAME = re.compile(r"chain-(?:(?P<key>[0-9a-f]{12})-)?(?P<slot>[1-9]\d{0,3})")


@dataclass(frozen=True)
class Head:
    """The newest record of a chain: noted elsewhere, it proves later that nothing before it was changed."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True)
class Seal:
    """How records are hashed.

    Attributes:
        key: None seals with nothing but the hash itself.
    """

    key: bytes | None = None

    @property
    def key_id(self) -> str | None:
        """Tells keys apart without telling what they are."""
        if self.key is None:
            return None
        named = hmac.digest(self.key, b"raptorflow audit key id", hashlib.sha256)
        return named.hex()[:KEY_ID_LENGTH]

    def hash(self, record: JsonObject) -> str:
        """Of a record with `prev` and without `hash`."""
        sealed = str(record["prev"]).encode() + canonical(record)
        if self.key is None:
            return hashlib.sha256(sealed).hexdigest()
        return hmac.digest(self.key, sealed, hashlib.sha256).hex()

    def line(self, fields: JsonObject, head: Head) -> tuple[bytes, Head]:
        """The next record as a line, and the head of the chain with it."""
        record = {**fields, "chain": head.chain, "seq": head.seq + 1, "prev": head.hash}
        digest = self.hash(record)
        return canonical({**record, "hash": digest}) + b"\n", Head(head.chain, head.seq + 1, digest)

    def holds(self, record: JsonObject) -> bool:
        """Whether a record is as it was sealed."""
        without = {name: value for name, value in record.items() if name != "hash"}
        return hmac.compare_digest(self.hash(without), str(record["hash"]))


def read_line(line: bytes) -> JsonObject | None:
    """A line as a record; None when it is none, or not in the one form that records are written in."""
    try:
        given: object = loads(line)
    except ValueError:
        return None
    if not isinstance(given, dict) or canonical(cast("object", given)) + b"\n" != line:
        return None
    record = cast("JsonObject", given)
    forms = {"chain": str, "seq": int, "prev": str, "hash": str, "kind": str, "at": str}
    return record if all(isinstance(record.get(name), form) for name, form in forms.items()) else None
