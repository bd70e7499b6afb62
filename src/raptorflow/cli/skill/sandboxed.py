"""The product's own sandbox for a skill in a folder: no server, no account, the same guarantees."""

import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from raptorflow.base.json import dumps
from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry
from raptorflow.registry.environments import Environments
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.spec import SandboxSpec
from raptorflow.settings import load_settings
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.model import VARIABLES, Skill
from raptorflow.skills.pep723 import skill_dependencies
from raptorflow.skills.ports import Ended, Job

BUILD_SECONDS = 300.0


class LocalSandbox:
    """Runs a skill's commands in the sandbox that the settings name."""

    def __init__(self, manager: SandboxManager, python: Path, environments: Environments) -> None:
        self._manager = manager
        self._python = python
        self._environments = environments
        self._built: dict[str, Path | None] = {}

    async def run(self, skill: Skill, folder: Path, job: Job) -> Ended:
        """Run one command of the skill.

        Raises:
            SandboxUnavailable: no sandbox can be made here.
            EnvironmentUnsolvable: the scripts' dependencies cannot be installed.
        """
        with tempfile.TemporaryDirectory(prefix="rf-case-") as artifacts:
            spec = SandboxSpec(
                command=job.command,
                skill_dir=folder,
                python=self._python,
                env_dir=await self._environment(folder),
                stdin=job.stdin,
                env={VARIABLES: dumps(skill.defaults())},
                inputs=job.files or {},
                limits=job.limits,
                artifacts_dir=Path(artifacts),
                run_id="case",
                pure=job.pure,
            )
            result = await self._manager.run(spec)
        return Ended(
            status=result.status,
            exit_code=result.exit_code,
            stdout=result.stdout,
            stderr=result.stderr,
            artifacts=tuple(artifact.name for artifact in result.artifacts),
            seconds=result.wall_ms / 1000,
            message=result.message,
            driver=result.driver,
        )

    async def _environment(self, folder: Path) -> Path | None:
        """The environment of the scripts' dependencies; built once, kept in the user's cache."""
        files, _ = collect_files(folder, Findings())
        wanted = "\n".join(skill_dependencies(files))
        if wanted and wanted not in self._built:
            lock = await self._environments.lock(wanted.splitlines())
            self._built[wanted] = await self._environments.ensure(lock)
        return self._built.get(wanted)


@asynccontextmanager
async def local_sandbox() -> AsyncGenerator[LocalSandbox]:
    """A sandbox for as long as the block lasts."""
    configure_telemetry(TelemetrySettings(log_level="ERROR"), service="cli")
    configured = load_settings().sandbox
    monty = configured.monty.model_copy(update={"pool": NONE_READY})
    settings = configured.model_copy(update={"pool": NONE_READY, "monty": monty})
    python = settings.python or sandbox_python()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raptorflow" / "environments"
    manager = build_manager(settings)
    try:
        yield LocalSandbox(manager, python, Environments(cache, python, BUILD_SECONDS))
    finally:
        await manager.close()
