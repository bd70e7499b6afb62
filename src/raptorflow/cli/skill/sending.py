"""Hands an archive to the registry, and waits for its word."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping

from raptorflow.base.errors import PartUnavailable, RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.client import ApiClient

PATH = "/api/v1/registry/publishes"
POLL_SECONDS = 0.1
LIMIT_SECONDS = 900.0
DONE = {"published", "failed"}
STEPS = {
    "checking": "Checking the skill",
    "scanning": "Looking for signs of harm",
    "environment": "Building its Python environment",
    "storing": "Storing its files",
    "indexing": "Indexing it for search",
}


class PublishFailed(RaptorFlowError):
    """The registry refused the skill."""

    code = "publish-failed"

    def __init__(self, problem: JsonObject) -> None:
        super().__init__(str(problem.get("detail")), hint=problem.get("hint"))
        self._problem = problem

    def problem(self, instance: str | None = None) -> JsonObject:
        """The registry's own problem document."""
        return self._problem


class PublishOverdue(PartUnavailable):
    """No worker has taken the publish, or it takes too long."""

    code = "publish-overdue"
    default_hint = "See whether a worker runs; the same command goes on with the same publish."


def say_nothing(_words: str) -> None:
    """For those who do not wait and watch."""


async def send(
    client: ApiClient,
    archive: bytes,
    options: Mapping[str, str],
    tell: Callable[[str], None] = say_nothing,
) -> JsonObject:
    """Send an archive and wait until the registry has checked it; the receipt, `published` or `failed`.

    Args:
        client: to the server.
        archive: as `raptorflow skill pack` makes it.
        options: `visibility`, and whether to `install` it.
        tell: is told how far it is.

    Raises:
        ServerRefused: the server does not take it.
        PublishOverdue: it was not done in time.
    """
    # The same archive sent twice is the same publish, so that a broken connection can be tried again.
    headers = {"Idempotency-Key": hashlib.sha256(archive + dumps(dict(options)).encode()).hexdigest()}
    receipt = await client.request("POST", PATH, params=dict(options), content=archive, headers=headers)
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while receipt["status"] not in DONE:
                tell(f"{STEPS.get(receipt['step'], 'Waiting for a worker')} ...")
                await asyncio.sleep(POLL_SECONDS)
                receipt = await client.request("GET", f"{PATH}/{receipt['publish_id']}")
    except TimeoutError as error:
        raise PublishOverdue(f"The publish was not done within {LIMIT_SECONDS:.0f} s.") from error
    return receipt
