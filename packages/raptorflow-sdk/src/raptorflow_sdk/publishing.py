"""What both clients know of a publish."""

import hashlib
from pathlib import Path

from raptorflow_sdk.api.registry.models import PublishReceipt
from raptorflow_sdk.errors import RunFailed

POLL_SECONDS = 0.2
REFUSED = 422


def read_archive(archive: bytes | Path) -> bytes:
    """The bytes of a `.skill` archive."""
    return archive.read_bytes() if isinstance(archive, Path) else archive


def key_of(archive: bytes, visibility: str, install: bool) -> str:
    """The same publish sent twice is one publish, so that a broken connection can be tried again."""
    return hashlib.sha256(archive + f"\0{visibility}\0{install}".encode()).hexdigest()


def is_over(receipt: PublishReceipt) -> bool:
    """Whether a publish has ended.

    Raises:
        RunFailed: the registry refused the skill; the error says why.
    """
    if receipt.status == "failed":
        raise RunFailed(receipt.problem or {}, REFUSED)
    return receipt.status == "published"
