"""Things of this machine that must not be seen inside: made for one attack, and removed after it."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Canary:
    """A secret text, and a file that holds it."""

    text: str
    file: Path


@contextmanager
def canary(folder: Path) -> Generator[Canary]:
    """A file that everybody on this machine can read."""
    text = f"canary-{secrets.token_hex(12)}"
    file = folder / f"{text[:15]}.txt"
    file.write_text(text)
    file.chmod(0o644)
    try:
        yield Canary(text, file)
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def environment(**variables: str) -> Generator[None]:
    """Variables of this process, for as long as the block lasts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
