"""The passwords of the embedded servers: generated once, in one file that its owner alone may read."""

import secrets
from pathlib import Path

from pydantic import BaseModel, Field

from raptorflow.stack.places import write_private

FILE_NAME = "secrets.json"
SECRET_BYTES = 32


def _secret() -> str:
    # URL-safe, so that no connection URL needs escaping.
    return secrets.token_urlsafe(SECRET_BYTES)


class StackSecrets(BaseModel):
    """One password a role, and the key that accounts encrypt their signing keys with."""

    superuser: str = Field(default_factory=_secret)
    owner: str = Field(default_factory=_secret)
    app: str = Field(default_factory=_secret)
    valkey: str = Field(default_factory=_secret)
    accounts: str = Field(default_factory=_secret)


def stack_secrets(data_dir: Path) -> StackSecrets:
    """Read the secrets of a data folder, made on the first call."""
    file = data_dir / FILE_NAME
    if not file.exists():
        write_private(file, StackSecrets().model_dump_json())
    return StackSecrets.model_validate_json(file.read_bytes())
