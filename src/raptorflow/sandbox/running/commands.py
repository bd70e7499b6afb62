"""From a run that is asked for to what is built for it, and to the program that is started in it."""

import math
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from raptorflow.sandbox.agent.kept import agent_folder
from raptorflow.sandbox.agent.launch import AGENT
from raptorflow.sandbox.agent.programs import Program
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.interpreter import Mount, interpreter_mounts
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.sandbox.spec import ENVIRONMENT, HELPER, SKILL, WORK, SandboxSpec
from raptorflow.skills.capabilities import MIB, Limits

PROXY = "http://127.0.0.1:3128"
SERVICES = "/run/raptorflow/services.sock"
BROKER = "RAPTORFLOW_BROKER"
PAGE = os.sysconf("SC_PAGE_SIZE")
ENVIRONMENT_PYTHON = Path(ENVIRONMENT) / "bin" / "python"


def blueprint_of(spec: SandboxSpec) -> Blueprint:
    """What is built for a run. Runs of one skill under the same limits get equal ones.

    Raises:
        SandboxUnavailable: the interpreter cannot be shown inside.
    """
    return Blueprint(
        limits=spec.limits,
        mounts=tuple(_mounts(spec)),
        python=spec.python_inside,
        packages=_packages(spec),
        reach=spec.reach.reaches_outside(),
        workspace_bytes=_workspace_bytes(spec),
    )


def program_of(spec: SandboxSpec, settings: SandboxSettings) -> Program:
    """The command as it is called inside, with its environment and the limits of each process."""
    return Program(
        arguments=inner_command(spec),
        variables=variables(spec),
        folder=WORK,
        open_files=settings.open_files,
        # Above the workspace: a full workspace should say so, and not that a file is too large.
        file_bytes=_workspace_bytes(spec) + PAGE,
    )


def inner_command(spec: SandboxSpec) -> list[str]:
    """Our Python, and the skill's files by their place inside."""
    program, *arguments = spec.command
    if program in {"python", "python3"}:
        program = str(ENVIRONMENT_PYTHON if spec.env_dir and not spec.image_python else spec.python_inside)
    elif _is_file(spec.skill_dir, program):
        program = f"{SKILL}/{program}"
    placed = [f"{SKILL}/{part}" if _is_file(spec.skill_dir, part) else part for part in arguments]
    return [program, *placed]


def variables(spec: SandboxSpec) -> dict[str, str]:
    """An environment made from nothing; a spec adds to it and cannot change where programs are found."""
    given = {"RAPTORFLOW_RUN": spec.run_id, **spec.env, **_ways_out(spec)}
    fixed = _fixed(with_environment=spec.env_dir is not None, packages=_packages(spec))
    return {**_usual(spec.limits), **given, **fixed}


def base_variables(blueprint: Blueprint) -> dict[str, str]:
    """What of the environment is the same for every run of a blueprint."""
    fixed = _fixed(with_environment=_has_environment(blueprint), packages=blueprint.packages)
    return {**_usual(blueprint.limits), **fixed}


def interpreter_of(blueprint: Blueprint) -> str:
    """What `python` means inside."""
    own = _has_environment(blueprint) and not blueprint.packages
    return str(ENVIRONMENT_PYTHON if own else blueprint.python)


def _has_environment(blueprint: Blueprint) -> bool:
    return any(str(mount.target) == ENVIRONMENT for mount in blueprint.mounts)


def _usual(limits: Limits) -> dict[str, str]:
    """What a skill may set otherwise."""
    threads = str(math.ceil(limits.cpus))
    return {
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        # Numeric libraries start a thread for each core of the host; a sandbox has few cores and processes.
        "OPENBLAS_NUM_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }


def _fixed(*, with_environment: bool, packages: Path | None) -> dict[str, str]:
    path = "/usr/bin:/bin"
    return {
        "PATH": f"{ENVIRONMENT}/bin:{path}" if with_environment else path,
        "HOME": WORK,
        "USER": "nobody",
        "PYTHONPATH": f"{HELPER}:{packages}" if packages else HELPER,
    }


def _ways_out(spec: SandboxSpec) -> dict[str, str]:
    """Where programs that may go out find the broker; it, and not these variables, decides who may."""
    found: dict[str, str] = {}
    if spec.reach.network or spec.reach.secrets:
        found |= {name: PROXY for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    if spec.reach.services:
        found[BROKER] = SERVICES
    return found


def _mounts(spec: SandboxSpec) -> list[Mount]:
    """The skill, its environment, the interpreters, the helper that skills import, and the agent."""
    shown = [Mount(spec.skill_dir, Path(SKILL))]
    pythons = [] if spec.image_python else [spec.python]
    if spec.env_dir:
        shown.append(Mount(spec.env_dir, Path(ENVIRONMENT)))
    if spec.env_dir and not spec.image_python:
        pythons.append(spec.env_dir / "bin" / "python")
    targets = {mount.target: mount for python in pythons for mount in interpreter_mounts(python)}
    if helper := _helper():
        shown.append(Mount(helper, Path(HELPER) / helper.name))
    return [*shown, *targets.values(), Mount(agent_folder(spec.python), Path(AGENT))]


def _packages(spec: SandboxSpec) -> Path | None:
    """Where an image's interpreter finds an environment's packages; that of the environment is not there."""
    if not spec.image_python or not spec.env_dir:
        return None
    inside = next(spec.env_dir.glob("lib/python3*/site-packages"), spec.env_dir).relative_to(spec.env_dir)
    return Path(ENVIRONMENT) / inside


@cache
def _helper() -> Path | None:
    found = find_spec("raptorflow_skill")
    return Path(found.origin).parent if found and found.origin else None


def _workspace_bytes(spec: SandboxSpec) -> int:
    return spec.limits.disk_bytes + _room_for_inputs(spec)


def _room_for_inputs(spec: SandboxSpec) -> int:
    """What inputs take of the workspace beside its limit, rounded up, so that few sizes are in use."""
    total = sum(path.stat().st_size + PAGE for path in spec.inputs.values())
    return room_for(total)


def room_for(total: int) -> int:
    """So many bytes in whole MiB; beyond 64 MiB in steps of a 64th of the next power of two.

    A program may use what is too much, so that is less than a MiB, or than 1/32 of the whole.
    """
    step = max(MIB, (1 << max(0, total - 1).bit_length()) // 64)
    return math.ceil(total / step) * step


def _is_file(folder: Path, path: str) -> bool:
    """Whether an argument names a file of the skill."""
    if not path or path.startswith(("/", "-")) or ".." in path.split("/"):
        return False
    return os.path.isfile(folder / path)
