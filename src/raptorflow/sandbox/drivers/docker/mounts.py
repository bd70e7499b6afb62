"""Which of this machine's folders a container may see, and where."""

import os
import stat
from pathlib import Path

from raptorflow.sandbox.agent.kept import agent_folder
from raptorflow.sandbox.agent.launch import AGENT
from raptorflow.sandbox.driver import Blueprint
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.interpreter import SYSTEM, Mount, interpreter_mounts, sandbox_python
from raptorflow.sandbox.spec import WORK

RUN = f"{os.sep}run"
TMP = f"{os.sep}tmp"
SERVICES = f"{RUN}/raptorflow"
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# What dynamic linking and time zones read; nothing that names users, hosts or secrets.
ETC = ("ld.so.cache", "localtime", "alternatives")
# The kernel's and the machine's own files: nothing from there is mounted for a skill.
NEVER_FROM = tuple(map(Path, ("/proc", "/sys", "/dev", "/boot", "/etc")))
# What must not lie in a mounted folder: sockets, keys, other people's files, the engine's own.
NEVER_AROUND = tuple(map(Path, (RUN, "/home", "/root", "/var/lib", "/etc", "/proc", "/sys", "/dev")))
NEVER_TO = tuple(map(Path, ("/proc", "/sys", "/dev", "/etc", RUN, TMP, WORK)))
READABLE = {True: stat.S_IROTH | stat.S_IXOTH, False: stat.S_IROTH}


def system_mounts() -> tuple[Mount, ...]:
    """This machine's programs and libraries, where the image has none."""
    folders = [Path("/") / name for name in LINKS]
    files = [Path("/etc") / name for name in ETC]
    return (
        Mount(SYSTEM, SYSTEM),
        *(Mount(path, path) for path in folders if path.is_dir() and not path.is_symlink()),
        *(Mount(path.resolve(), path) for path in files if path.exists()),
    )


def blueprint_mounts(blueprint: Blueprint, socket: Path, *, own_python: bool) -> tuple[Mount, ...]:
    """The agent, the interpreter, and what the blueprint names; one mount a place.

    Args:
        blueprint: of the sandbox.
        socket: the engine's, which may lie in none of them.
        own_python: whether the image has the interpreter.

    Raises:
        SandboxStartFailed: a folder may not be seen by a sandbox, or cannot be read by its user.
        SandboxUnavailable: there is no interpreter, or it cannot compile the agent.
    """
    # An image's own interpreter may be another version: it then compiles the agent itself.
    agent = agent_folder(sandbox_python() if own_python else blueprint.python)
    interpreter = () if own_python else interpreter_mounts(blueprint.python)
    usual = (Mount(agent, Path(AGENT)), *interpreter)
    wanted = {mount.target: mount for mount in (*usual, *blueprint.mounts)}
    for mount in wanted.values():
        _check_source(mount.source, socket)
        _check_target(mount.target)
    return tuple(wanted.values())


def _check_source(source: Path, socket: Path) -> None:
    try:
        resolved = source.resolve(strict=True)
        mode = resolved.stat().st_mode
    except OSError as error:
        raise SandboxStartFailed(f"{source} cannot be mounted: {error.strerror}.") from error
    if any(resolved.is_relative_to(tree) for tree in NEVER_FROM):
        raise SandboxStartFailed(f"{source} belongs to the system; no sandbox may see it.")
    private = {*NEVER_AROUND, Path.home(), socket, socket.resolve()}
    if inside := next((path for path in private if path.is_relative_to(resolved)), None):
        raise SandboxStartFailed(f"{source} holds {inside}; no sandbox may see it.")
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise SandboxStartFailed(f"{source} is neither a folder nor a file.")
    needed = READABLE[stat.S_ISDIR(mode)]
    if mode & needed != needed:
        raise SandboxStartFailed(
            f"{source} cannot be read by the user inside.", hint=f"chmod -R o+rX {resolved}"
        )


def _check_target(target: Path) -> None:
    placed = target.is_absolute() and ".." not in target.parts and target != Path("/")
    if not placed or any(target.is_relative_to(tree) or tree.is_relative_to(target) for tree in NEVER_TO):
        raise SandboxStartFailed(f"Nothing can be mounted at {target}.")
