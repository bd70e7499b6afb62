"""What to run in a sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from raptorflow.skills.capabilities import Limits

SKILL, ENVIRONMENT, WORK = "/skill", "/env", "/work"
INPUTS, OUTPUTS = "/work/in", "/work/out"
HELPER = "/opt/raptorflow"


@dataclass(frozen=True)
class SandboxSpec:
    """One run of a command, with everything it may see.

    Inside: `/skill` and `/env` read-only, `/work` fresh and of limited size (where the command starts),
    `/work/in` with the inputs, `/work/out` for artefacts, `/tmp`. No network.

    Attributes:
        command: `python` or a program of the system, and its arguments; arguments that name a file of the
            skill are found in `/skill`.
        skill_dir: the skill's files.
        env_dir: its Python environment, or None.
        python: the interpreter that environments are built on.
        stdin: what the command reads.
        inputs: files of the host by the name they get in `/work/in`.
        env: more environment variables; never a credential.
        limits: seconds, bytes, cores and counts.
        run_id: for names and logs.
        artifacts_dir: where artefacts are copied to; None keeps none.
    """

    command: tuple[str, ...]
    skill_dir: Path
    python: Path
    env_dir: Path | None = None
    stdin: bytes = b""
    inputs: Mapping[str, Path] = field(default_factory=dict[str, Path])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: Limits = field(default_factory=Limits)
    run_id: str = ""
    artifacts_dir: Path | None = None
