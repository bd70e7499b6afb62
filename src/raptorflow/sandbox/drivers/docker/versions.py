"""Which versions of an engine's parts are known to let containers out.

Only what the parts call themselves is known here: distributions mend older versions without changing that.
"""

import re
from collections.abc import Mapping
from typing import Any

# Private control group namespaces came with it (Docker 20.10).
OLDEST_API = (1, 41)
NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
# Flaws, and the version of each series that mends them, the newest first; sources:
# https://github.com/opencontainers/runc/security/advisories (GHSA-xr7r-f8xq-vfvv, GHSA-9493-h29p-rfm2,
# GHSA-qw9x-cqr3-wc7r, GHSA-cgrx-mc8f-2prm).
RUNC = (
    ("CVE-2024-21626", ((1, 1, 12),)),
    ("CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881", ((1, 4, 0), (1, 3, 3), (1, 2, 8))),
)
MENDED_RUNC = "1.2.8, 1.3.3 or 1.4.0"


def too_old(version: Mapping[str, Any]) -> str | None:
    """Why an engine cannot be used at all, or None."""
    said = str(version.get("ApiVersion", "0.0"))
    found = NUMBERS.match(said)
    if found and (int(found[1]), int(found[2])) >= OLDEST_API:
        return None
    oldest = ".".join(map(str, OLDEST_API))
    return f"The engine speaks version {said} of its interface; {oldest} is the oldest that will do."


def runc_flaws(version: Mapping[str, Any]) -> tuple[str, ...]:
    """The known ways out of the runtime that an engine has; empty when it is new enough or unknown."""
    found = NUMBERS.match(runc_version(version))
    if found is None:
        return ()
    number = (int(found[1]), int(found[2]), int(found[3] or 0))
    return tuple(flaw for flaw, mended in RUNC if not _mended(number, mended))


def runc_version(version: Mapping[str, Any]) -> str:
    """As the engine tells it; empty when it does not."""
    parts: list[Mapping[str, Any]] = version.get("Components") or []
    return next((str(part.get("Version")) for part in parts if part.get("Name") == "runc"), "")


def _mended(version: tuple[int, int, int], mended: tuple[tuple[int, int, int], ...]) -> bool:
    """Whether it is in a series as new as its mended version, or newer than all."""
    if version >= mended[0]:
        return True
    return any(version[:2] == fix[:2] and version >= fix for fix in mended)
