"""The hidden names beside a skill's folder, of what placing leaves there; no client takes them for skills."""

import re
from pathlib import Path

_NEW, _OLD, _BACKUP = "new", "old", "backup"
_BESIDE = re.compile(rf"\..+\.(?:(?:{_NEW}|{_OLD})-\w+|{_BACKUP}-[0-9]+)")


def prefix_of_new(target: Path) -> str:
    """Begins the name of a folder that is not whole yet, or goes."""
    return _prefix(target, _NEW)


def prefix_of_old(target: Path) -> str:
    """Begins the name of a folder that holds what is being replaced."""
    return _prefix(target, _OLD)


def backup_of(target: Path, number: int) -> Path:
    """Where somebody's own work is kept when it was replaced."""
    return target.with_name(f"{_prefix(target, _BACKUP)}{number}")


def lies_beside(name: str) -> bool:
    """Whether a folder's name is one of these."""
    return _BESIDE.fullmatch(name) is not None


def _prefix(target: Path, kind: str) -> str:
    return f".{target.name}.{kind}-"
