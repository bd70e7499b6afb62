"""`python -m raptorflow.cli.samples`: publishes the sample skills and installs them for the administrator.

They take the way of every skill: packed, uploaded, checked and indexed by a worker. What was published
before is not published again. It is a program of its own, and runs only when the samples have changed.
"""

import asyncio
import hashlib
import sys
from pathlib import Path
from uuid import UUID

from raptorflow.base.errors import PartUnavailable, RaptorFlowError
from raptorflow.cli.first_steps import ADMIN_EMAIL, ADMIN_NAME, open_accounts
from raptorflow.cli.sample_files import sample_folders
from raptorflow.core.blobs import open_blobs
from raptorflow.core.db import Database
from raptorflow.core.programs import end_with
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.registry.build import build_registry
from raptorflow.registry.embeddings import MiniLmEmbedder
from raptorflow.registry.lookup import HOME_NAMESPACE
from raptorflow.registry.schemas import PublishReceipt
from raptorflow.registry.service import SkillsRegistry
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.settings import Settings, load_settings
from raptorflow.skills.archive import pack

HOME_NAME = "RaptorFlow"
POLL_SECONDS = 0.1
PUBLISH_SECONDS = 300.0
DONE = ("published", "failed")


class SampleNotPublished(PartUnavailable):
    """A sample skill did not pass."""

    code = "sample-not-published"


async def install_samples(settings: Settings) -> list[str]:
    """Publish and install every sample; their references.

    Raises:
        SampleNotPublished: one did not pass, or no worker took it in time.
    """
    async with open_accounts(settings) as accounts:
        admin = await accounts.ensure_user(ADMIN_EMAIL, ADMIN_NAME, admin=True)
        home = await accounts.ensure_organisation(HOME_NAMESPACE, HOME_NAME)
        org_id = await accounts.personal_organisation(admin)
    database = Database(settings.database_url(), pool_size=2)
    places = (settings.data_dir(), sandbox_python())
    blobs = open_blobs(settings.blobs_url())
    registry = build_registry(database, blobs, MiniLmEmbedder(), settings.registry, places)
    try:
        published = [await _publish(registry, home, folder) for folder in sample_folders()]
        for ref, sample_version in published:
            await registry.install(org_id, admin, ref, sample_version)
        return [ref for ref, _ in published]
    finally:
        await database.close()


async def _publish(registry: SkillsRegistry, home: UUID, folder: Path) -> tuple[str, str]:
    archive = await asyncio.to_thread(pack, folder)
    key = f"sample-{hashlib.sha256(archive).hexdigest()}"
    receipt = await registry.publish((home, HOME_NAMESPACE), None, archive, visibility="public", key=key)
    async with asyncio.timeout(PUBLISH_SECONDS):
        while receipt.status not in DONE:
            await asyncio.sleep(POLL_SECONDS)
            receipt = await registry.publish_status(home, receipt.publish_id)
    return _outcome(receipt, folder)


def _outcome(receipt: PublishReceipt, folder: Path) -> tuple[str, str]:
    if receipt.status == "failed" or not receipt.version:
        detail = (receipt.problem or {}).get("detail", "it was refused")
        raise SampleNotPublished(f"The sample {folder.name} was not published: {detail}")
    return f"{HOME_NAMESPACE}/{folder.name}", receipt.version


def main() -> None:
    """Install them with the settings of the environment, and print what was installed."""
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="cli")
    try:
        print("\n".join(asyncio.run(install_samples(load_settings()))))
    except RaptorFlowError as error:
        end_with(error)
    except TimeoutError:
        sys.exit(f"No worker published the samples within {PUBLISH_SECONDS:.0f} s.")


if __name__ == "__main__":
    main()
