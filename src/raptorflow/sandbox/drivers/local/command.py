"""The command line of bubblewrap: what the sandbox sees, and nothing else."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from raptorflow.sandbox.interpreter import interpreter_folder
from raptorflow.sandbox.spec import ENVIRONMENT, HELPER, INPUTS, OUTPUTS, SKILL, WORK, SandboxSpec

NOBODY = "65534"
TMP = "/" + "tmp"
TMP_BYTES = 64 * 1024 * 1024
# What dynamic linking and time zones read; nothing that names users, hosts or secrets.
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "alternatives")
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True)
class Pipes:
    """Descriptors that bubblewrap inherits and closes before the command starts.

    Attributes:
        info: it writes the sandbox's first pid.
        block: it waits here, everything mounted, before it lets the command go.
        seccomp: the filter.
    """

    info: int
    block: int
    seccomp: int

    def all(self) -> tuple[int, ...]:
        """Every descriptor."""
        return (self.info, self.block, self.seccomp)


def sandbox_command(bwrap: Path, spec: SandboxSpec, pipes: Pipes) -> list[str]:
    """The whole command line for a run.

    Args:
        bwrap: bubblewrap's binary.
        spec: the run.
        pipes: inherited descriptors.
    """
    return [
        str(bwrap),
        *("--unshare-all", "--unshare-user", "--uid", NOBODY, "--gid", NOBODY, "--hostname", "sandbox"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
        *("--info-fd", str(pipes.info), "--block-fd", str(pipes.block), "--seccomp", str(pipes.seccomp)),
        *_system(spec.python),
        *_mounts(spec),
        *_variables(spec),
        *("--chdir", WORK, "--"),
        *inner_command(spec),
    ]


def inner_command(spec: SandboxSpec) -> list[str]:
    """The command as it is called inside: our Python, and the skill's files by their place there."""
    program, *arguments = spec.command
    if program in {"python", "python3"}:
        program = f"{ENVIRONMENT}/bin/python" if spec.env_dir else str(spec.python)
    elif _is_file(spec.skill_dir, program):
        program = f"{SKILL}/{program}"
    placed = [f"{SKILL}/{part}" if _is_file(spec.skill_dir, part) else part for part in arguments]
    return [program, *placed]


def _is_file(folder: Path, path: str) -> bool:
    """Whether an argument names a file of the skill."""
    if not path or path.startswith(("/", "-")) or ".." in path.split("/"):
        return False
    return (folder / path).is_file()


def _system(python: Path) -> list[str]:
    """The system's programs and libraries, read-only."""
    arguments = ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in LINKS:
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for name in ETC:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    folder = interpreter_folder(python)
    return [*arguments, "--ro-bind", str(folder), str(folder)] if folder else arguments


def _mounts(spec: SandboxSpec) -> list[str]:
    """The skill, its environment, the workspace and the inputs."""
    arguments = ["--ro-bind", str(spec.skill_dir), SKILL]
    if spec.env_dir:
        arguments += ["--ro-bind", str(spec.env_dir), ENVIRONMENT]
    helper = helper_folder()
    if helper:
        arguments += ["--ro-bind", str(helper), f"{HELPER}/{helper.name}"]
    arguments += ["--size", str(spec.limits.disk_bytes), "--tmpfs", WORK]
    arguments += ["--size", str(min(TMP_BYTES, spec.limits.disk_bytes)), "--tmpfs", TMP]
    arguments += ["--dir", INPUTS, "--dir", OUTPUTS]
    for name, path in spec.inputs.items():
        arguments += ["--ro-bind", str(path), f"{INPUTS}/{name}"]
    return arguments


def helper_folder() -> Path | None:
    """The package that skills may import, wherever it is installed; found without importing it."""
    spec = find_spec("raptorflow_skill")
    return Path(spec.origin).parent if spec and spec.origin else None


def _variables(spec: SandboxSpec) -> list[str]:
    """An environment made from nothing."""
    path = f"{ENVIRONMENT}/bin:/usr/bin:/bin" if spec.env_dir else "/usr/bin:/bin"
    variables = {
        "PATH": path,
        "HOME": WORK,
        "LANG": "C.UTF-8",
        "PYTHONPATH": HELPER,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "RAPTORFLOW_RUN": spec.run_id,
        # Numeric libraries start a thread a core; a sandbox has one core and few processes.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        **spec.env,
    }
    return [part for name, value in variables.items() for part in ("--setenv", name, value)]
