"""Brings the schema forward, in a process of its own.

What migrates takes seconds to import; a start that has nothing to migrate does not pay for that.
"""

import hashlib
import os
import sys
from importlib.metadata import version
from pathlib import Path

from raptorflow import migrations
from raptorflow.stack.process import run_to_end

OWNER_URL_VARIABLE = "RAPTORFLOW_DATABASE__OWNER_URL"
MIGRATE_SECONDS = 300.0


async def bring_schema_forward(owner_url: str, logs: Path) -> None:
    """Migrate a database.

    Args:
        owner_url: a login that owns the tables.
        logs: the folder for the output.

    Raises:
        EmbeddedPartFailed: a migration failed.
    """
    await run_to_end(
        "The migration",
        [sys.executable, "-P", "-m", "raptorflow.stack.migrate"],
        environment={**os.environ, OWNER_URL_VARIABLE: owner_url},
        log=logs / "migration.log",
        seconds=MIGRATE_SECONDS,
    )


def schema_fingerprint() -> str:
    """What the schema is made from: our migrations, and the engine that makes its own tables."""
    digest = hashlib.sha256(version("dbos").encode())
    for folder in migrations.__path__:
        for file in sorted(Path(folder).rglob("*.py")):
            digest.update(b"\0" + file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
