"""What the docker driver can do on this machine, and what mends it when it cannot."""

from pathlib import Path

from raptorflow.sandbox.drivers.docker.containers import Containers
from raptorflow.sandbox.drivers.docker.engine import EngineFailed, EngineGone, Json
from raptorflow.sandbox.drivers.docker.runtimes import runtime_named
from raptorflow.sandbox.drivers.docker.selftest import SelfTest, SelfTestFailed
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.drivers.docker.versions import MENDED_RUNC, runc_flaws, runc_version, too_old
from raptorflow.sandbox.errors import SandboxStartFailed
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.probing import Guarantee, ProbeReport

NAME = "docker"
ENGINE_REMEDY = (
    "apt-get install docker.io && systemctl start docker (or set RAPTORFLOW_SANDBOX__DOCKER__SOCKET)"
)


async def probe(containers: Containers, settings: DockerSettings) -> ProbeReport:
    """Ask the engine what it is, then make containers and try.

    Raises:
        SandboxUnavailable: the engine lacks the image.
    """
    engine = containers.engine
    try:
        version, info = await engine.version(), await engine.info()
        if problem := too_old(version):
            return ProbeReport(NAME, problem=problem, remedy="apt-get install --only-upgrade docker.io")
        if settings.runtime and settings.runtime not in info["Runtimes"]:
            return _without_runtime(settings.runtime)
        guarantees = await _tried(containers, settings, info)
    except EngineGone as error:
        return ProbeReport(NAME, problem=error.message, remedy=remedy_for(settings.engine_socket()))
    except EngineFailed as error:
        return ProbeReport(NAME, problem=f"The engine refuses: {error.message}")
    except SandboxStartFailed as error:
        return ProbeReport(NAME, problem=error.message, remedy=start_remedy(error.message) or error.hint)
    except SelfTestFailed as error:
        return ProbeReport(NAME, problem=str(error), remedy="Look at the engine's log: journalctl -u docker")
    return ProbeReport(
        NAME,
        guarantees,
        remedy=_advice(guarantees, version),
        boundary=runtime_named(settings.runtime).boundary,
    )


def remedy_for(socket: Path) -> str:
    """What to do when the engine cannot be reached."""
    try:
        if not socket.exists():
            return ENGINE_REMEDY
    except PermissionError:
        return _group_remedy(socket)
    # Its own words tell a socket without a listener from one that this user may not open.
    return f"systemctl start docker; if that runs, {_group_remedy(socket)}"


def start_remedy(problem: str) -> str | None:
    """What to do when the engine could not start a container, by what it said."""
    if "cgroup" in problem:
        return "Give the engine its control groups: mount them writable, or start it with --cgroup-parent."
    if "operation not permitted" in problem:
        return "The engine lacks rights: in a container, start it with --privileged; or use the local driver."
    return None


def _group_remedy(socket: Path) -> str:
    return f"let this user open {socket}: usermod -aG docker USER, and sign in anew"


def _without_runtime(runtime: str) -> ProbeReport:
    return ProbeReport(
        NAME,
        problem=f"The engine knows no runtime {runtime}.",
        remedy=(
            f"Install {runtime}, name it under `runtimes` in /etc/docker/daemon.json, restart the engine; "
            "for gVisor: runsc install && systemctl restart docker"
        ),
    )


async def _tried(containers: Containers, settings: DockerSettings, info: Json) -> dict[str, Guarantee]:
    python = settings.image_python if settings.image else sandbox_python()
    by = f"cgroup v{info.get('CgroupVersion', '1')}, set by the engine"
    return await SelfTest(containers, python, runtime_named(settings.runtime), by).execute()


def _advice(guarantees: dict[str, Guarantee], version: Json) -> str | None:
    """What would make a usable driver better."""
    advice: list[str] = []
    if flaws := runc_flaws(version):
        advice.append(
            f"runc {runc_version(version)} is older than the versions that mend {', '.join(flaws)}: "
            f"bring it to {MENDED_RUNC}, or see that your distribution has mended it."
        )
    if missing := [name for name, kept in guarantees.items() if kept.holder == "missing"]:
        advice.append(f"The engine does not hold {', '.join(missing)}: `docker info` says what it lacks.")
    return " ".join(advice) or None
