"""`raptorflow skill publish`: pack a skill, send it, and wait until the registry has checked it."""

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.status import Status

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.cli.client import ApiClient
from raptorflow.cli.connection import read_connection
from raptorflow.skills.archive import pack
from raptorflow.skills.validate import validate as find_faults

POLL_SECONDS = 0.1
LIMIT_SECONDS = 900.0
DONE = {"published", "failed"}
STEPS = {
    "checking": "Checking the skill",
    "environment": "Building its Python environment",
    "storing": "Storing its files",
    "indexing": "Indexing it for search",
}
EXIT_FAILED = 1


class PublishFailed(RaptorFlowError):
    """The registry refused the skill."""

    code = "publish-failed"

    def __init__(self, problem: JsonObject) -> None:
        super().__init__(str(problem.get("detail")), hint=problem.get("hint"))
        self._problem = problem

    def problem(self, instance: str | None = None) -> JsonObject:
        """The registry's own problem document."""
        return self._problem


def publish(
    folder: Path,
    *,
    visibility: Literal["org", "public"] = "org",
    install: bool = True,
    json: bool = False,
    url: str | None = None,
    token: str | None = None,
) -> None:
    """Publish a skill to a server, into the namespace of your organisation.

    Args:
        folder: the skill's folder.
        visibility: for your organisation alone, or for everybody on the server.
        install: install it for your organisation too.
        json: print one JSON object.
        url: the server; RAPTORFLOW_URL or the one started on this machine when not given.
        token: a personal access token; RAPTORFLOW_TOKEN when not given.
    """
    archive = pack(folder)
    options = {"visibility": visibility, "install": str(install).lower()}
    console = Console(quiet=json)
    for finding in find_faults(folder):
        # Errors have been refused above: what is left is worth knowing, and no reason not to publish.
        console.print("[yellow]![/yellow] ", end="")
        console.print(f"{finding.where()}: {finding.message} {finding.remedy}", markup=False, highlight=False)
    with console.status("Sending the skill ...") as status:
        receipt = asyncio.run(_publish(ApiClient(read_connection(url, token)), archive, options, status))
    if json:
        print(dumps(receipt))
        if receipt["status"] == "failed":
            sys.exit(EXIT_FAILED)
    elif receipt["status"] == "failed":
        raise PublishFailed(receipt["problem"])
    else:
        console.print(f"[green]✓[/green] Published {receipt['skill']} {receipt['version']}")
        console.print(f"  {receipt['digest']}", highlight=False)


async def _publish(client: ApiClient, archive: bytes, options: dict[str, str], status: Status) -> JsonObject:
    # The same archive sent twice is the same publish, so that a broken connection can be tried again.
    headers = {"Idempotency-Key": hashlib.sha256(archive + dumps(options).encode()).hexdigest()}
    async with client, asyncio.timeout(LIMIT_SECONDS):
        path = "/api/v1/registry/publishes"
        receipt = await client.request("POST", path, params=options, content=archive, headers=headers)
        while receipt["status"] not in DONE:
            status.update(f"{STEPS.get(receipt['step'], 'Waiting for a worker')} ...")
            await asyncio.sleep(POLL_SECONDS)
            receipt = await client.request("GET", f"{path}/{receipt['publish_id']}")
        return receipt
