"""Files by key, in a folder, in S3 or in GCS: one face over obstore."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from obstore.exceptions import AlreadyExistsError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from raptorflow.core.errors import BlobMissing, BlobsUnavailable


class BlobStore:
    """Immutable blobs under keys such as `files/ab/abcdef...`.

    Every method raises `BlobsUnavailable` when the store does not answer or refuses.

    Args:
        store: any obstore store; `open_blobs` makes one from a URL.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, key: str, content: bytes) -> bool:
        """Store `content` once; False when the key was there already (content-addressed keys)."""
        try:
            with _away_is_said():
                await self._store.put_async(key, content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    async def get(self, key: str) -> bytes:
        """The blob's bytes.

        Raises:
            BlobMissing: nothing is stored under the key.
        """
        try:
            with _away_is_said():
                answer = await self._store.get_async(key)
                return bytes(await answer.bytes_async())
        except FileNotFoundError as error:
            raise BlobMissing(f"The blob store has nothing under {key}.") from error

    async def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        try:
            with _away_is_said():
                await self._store.head_async(key)
        except FileNotFoundError:
            return False
        return True

    async def delete(self, key: str) -> None:
        """Forget a blob; forgetting what is not there is fine."""
        try:
            with _away_is_said():
                await self._store.delete_async(key)
        except FileNotFoundError:
            return


def open_blobs(url: str) -> BlobStore:
    """Open the store a URL names: an absolute path, `file://`, `memory://`, `s3://` or `gs://`.

    Credentials of S3 and GCS come from their usual environment variables.
    """
    if url.startswith("memory:"):
        return BlobStore(MemoryStore())
    if url.startswith(("/", "file://")):
        folder = Path(url.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return BlobStore(LocalStore(folder))
    return BlobStore(from_url(url))


@contextmanager
def _away_is_said() -> Generator[None]:
    try:
        yield
    except (GenericError, PermissionDeniedError, UnauthenticatedError) as error:
        # The first line says what; the rest is the client's inside.
        reason = str(error).partition("\n")[0]
        raise BlobsUnavailable(f"The blob store does not do as asked: {reason}") from error
