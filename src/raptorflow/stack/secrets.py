"""The passwords of the embedded servers: generated once, in one file that its owner alone may read."""

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, Field

PRIVATE_FILE = 0o600
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
        _write(file, StackSecrets())
    return StackSecrets.model_validate_json(file.read_bytes())


def _write(file: Path, fresh: StackSecrets) -> None:
    """Write atomically: of two starters at once, the first one's secrets stay."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(fresh.model_dump_json())
        opened.flush()
        os.fsync(descriptor)
    try:
        os.link(temporary, file)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
