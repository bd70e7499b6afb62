"""What to run: one command, the files it may see, and how much it may use."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from raptorflow.sandbox.errors import SandboxSpecInvalid
from raptorflow.skills.capabilities import MIB, Capabilities, Limits

SKILL, ENVIRONMENT, WORK = "/skill", "/env", "/workspace"
INPUTS, OUTPUTS = "/workspace/in", "/workspace/out"
HELPER = "/opt/raptorflow"
# Of all input files together, where settings say nothing else.
MAX_INPUT_FILES_BYTES = 256 * MIB

INPUT_NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class SandboxSpec:
    """One run.

    Inside, `/skill` and `/env` are read-only, `/workspace` is the working folder (writable, capped in size,
    gone afterwards), `/workspace/in` holds the inputs, files written below `/workspace/out` are artefacts,
    and `/tmp` is small. There is no network; what `reach` names is reached through the broker.

    Attributes:
        command: the program and its arguments; `python` and `python3` mean the environment's interpreter, or
            else the base interpreter, and what names a file of the skill is found in `/skill`.
        skill_dir: the skill's folder.
        python: the base interpreter, which environments are built on.
        image_python: the interpreter of the sandbox's own image, where that has one; it then runs the skill,
            with the environment's packages.
        run_id: names the run in logs and in the kernel's groups.
        artifacts_dir: the host folder that artefacts are copied to, made when missing; None keeps none.
        env_dir: a Python environment, or None.
        stdin: what the program reads.
        inputs: name -> host file.
        env: further environment variables; never a credential.
        limits: how much it may use.
        reach: what the broker lets it reach: hosts, secrets' hosts, services (its own limits are not read).
        declared: what the skill asks for, so that a refusal can say whether that or the grant lacks a line.
        tenant: the organisation whose run it is, for quotas, secrets and the audit log.
        skill: `owner/name@version`, for the audit log.
        pure: it declares that it only computes: it may be run in the pure tier, and is run in a sandbox when
            it cannot.
    """

    command: tuple[str, ...]
    skill_dir: Path
    python: Path
    run_id: str = "run"
    artifacts_dir: Path | None = None
    env_dir: Path | None = None
    stdin: bytes = b""
    inputs: Mapping[str, Path] = field(default_factory=dict[str, Path])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: Limits = field(default_factory=Limits)
    reach: Capabilities = field(default_factory=Capabilities)
    declared: Capabilities | None = None
    tenant: str = ""
    skill: str = ""
    pure: bool = False
    image_python: Path | None = None

    @property
    def python_inside(self) -> Path:
        """The base interpreter as it is found inside."""
        return self.image_python or self.python

    def check(self, *, max_input_bytes: int, max_input_files_bytes: int = MAX_INPUT_FILES_BYTES) -> None:
        """Refuse what makes no sense, before anything is built.

        Args:
            max_input_bytes: of standard input.
            max_input_files_bytes: of all input files together.

        Raises:
            SandboxSpecInvalid: says what.
        """
        if not self.command or not self.command[0] or self.command[0].startswith("-"):
            raise SandboxSpecInvalid("The command names no program.")
        if any("\0" in part for part in (*self.command, *self.env.values())):
            raise SandboxSpecInvalid("The command or a variable contains a NUL character.")
        if not RUN_ID.fullmatch(self.run_id):
            raise SandboxSpecInvalid(
                f"The run id {self.run_id!r} is not made of letters, digits, `.`, `_`, `-`."
            )
        if bad := [name for name in self.env if not ENV_NAME.fullmatch(name)]:
            raise SandboxSpecInvalid(f"{bad[0]!r} cannot name an environment variable.")
        if len(self.stdin) > max_input_bytes:
            raise SandboxSpecInvalid(
                f"The standard input has {len(self.stdin)} bytes, at most {max_input_bytes} are taken."
            )
        self._check_files()
        self._check_sizes(max_input_files_bytes)

    def _check_sizes(self, most: int) -> None:
        total = sum(file.stat().st_size for file in self.inputs.values())
        if total > most:
            raise SandboxSpecInvalid(
                f"The input files have {total} bytes together, at most {most} are taken.",
                hint="Hand over fewer or smaller files, or raise RAPTORFLOW_SANDBOX__MAX_INPUT_FILES_BYTES.",
            )

    def _check_files(self) -> None:
        for folder in (self.skill_dir, self.env_dir):
            if folder and not folder.is_dir():
                raise SandboxSpecInvalid(f"{folder} is not a folder.")
        for name, file in self.inputs.items():
            if not INPUT_NAME.fullmatch(name) or name in {".", ".."}:
                raise SandboxSpecInvalid(f"{name!r} cannot name an input file.")
            if not file.is_file() or not os.access(file, os.R_OK):
                raise SandboxSpecInvalid(f"The input {name} ({file}) is not a readable file.")
