"""Sandboxes from an operator's own image, and on a kernel of their own (gVisor)."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.integration.sandbox.conftest import MakeSpec
from tests.support.docker_engine import OwnEngine, blueprint, box, running_engine
from tests.support.pools import twice

from raptorflow.sandbox.drivers.docker.connection import connect
from raptorflow.sandbox.drivers.docker.driver import DockerDriver
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.capabilities import MIB

NAME = "raptor.example/skills:test"
# An interpreter that the image has, and this machine has not.
NOT_HERE = Path("/opt/image/bin/python3")


def image_with_python(*, volumes: bool = False) -> bytes:
    """An archive of an image with nothing but this machine's Python and its libraries."""
    assert not NOT_HERE.exists()
    layer, buffer = io.BytesIO(), io.BytesIO()
    python = sandbox_python().resolve()
    library = Path("/usr/lib", python.name)
    programs = [python, *library.glob("lib-dynload/_ctypes.*.so")]
    loaded = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(fileobj=layer, mode="w", dereference=True) as root:
        for path in {python, *(Path(word) for word in loaded if word[0] == "/" and word[-1] != ":")}:
            root.add(path, str(path).lstrip("/"))
        for path in (*library.glob("*.py"), *library.glob("lib-dynload/*.so")):
            root.add(path, str(path).lstrip("/"))
        for name in ("collections", "ctypes", "encodings", "json", "re", "importlib"):
            root.add(library / name, f"{library}/{name}".lstrip("/"))
        root.add(python, str(NOT_HERE).lstrip("/"))
    digest = f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Volumes": {"/data": None}} if volumes else None,
        "rootfs": {"type": "layers", "diff_ids": [digest]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"]}]
    parts = {
        "config.json": json.dumps(config).encode(),
        "layer.tar": layer.getvalue(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


async def loaded_image(docker_engine: OwnEngine, *, volumes: bool) -> str:
    """The id of such an image in the engine."""
    engine = connect(DockerSettings(socket=docker_engine.socket))
    await engine.load(image_with_python(volumes=volumes))
    found = await engine.image(NAME)
    await engine.close()
    return str(found["Id"])


async def test_a_sandbox_is_made_from_an_operators_image(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    python = sandbox_python().resolve()
    image = await loaded_image(docker_engine, volumes=False)
    settings = DockerSettings(socket=docker_engine.socket, image=image, image_python=python)
    own = DockerDriver(settings)
    report = await own.probe()
    assert (report.problem, report.missing) == (None, ())
    async with box(own, blueprint(reach=True)) as inside:
        ran = await inside.run(str(python), "-I", "-c", "import os; print(os.listdir('/usr/bin'))")
        assert ran.out == f"['{python.name}']\n", ran.err
    await own.close()


async def test_its_interpreter_runs_skills_with_their_packages(
    docker_engine: OwnEngine, make_spec: MakeSpec, env: Path
) -> None:
    image = await loaded_image(docker_engine, volumes=False)
    own = DockerDriver(DockerSettings(socket=docker_engine.socket, image=image, image_python=NOT_HERE))
    settings = SandboxSettings.model_validate({"driver": "docker", "pool": {"min_ready": 1}})
    manager = SandboxManager(settings, {"docker": own})
    code = "import made_up, sys; print(made_up.NAME, sys.executable)"
    for result in await twice(manager, make_spec(code, env_dir=env, limits={"memory_bytes": 64 * MIB})):
        assert (result.status, result.stdout.decode()) == ("ok", f"from the environment {NOT_HERE}\n"), result
    await manager.close()


async def test_an_image_that_brings_a_writable_folder_is_refused(
    driver: DockerDriver, docker_engine: OwnEngine
) -> None:
    image = await loaded_image(docker_engine, volumes=True)
    own = DockerDriver(DockerSettings(socket=docker_engine.socket, image=image))
    with pytest.raises(SandboxUnavailable, match="declares Volumes"):
        await own.prepare(blueprint())
    await own.close()


@pytest.fixture(scope="module")
def gvisor_engine(tmp_path_factory: pytest.TempPathFactory) -> Generator[OwnEngine]:
    """An engine that knows Debian's runsc, by the platform that this old version runs on everywhere."""
    program = tmp_path_factory.mktemp("runsc") / "runsc"
    program.write_text('#!/bin/sh\nexec runsc --platform=ptrace --network=none "$@"\n')
    program.chmod(0o755)
    with running_engine({"runsc": program}) as engine:
        yield engine


@pytest.mark.verify
async def test_gvisor_puts_a_kernel_of_its_own_in_between(gvisor_engine: OwnEngine) -> None:
    driver = DockerDriver(DockerSettings(socket=gvisor_engine.socket, runtime="runsc"))
    report = await driver.probe()
    assert (report.problem, report.missing, report.boundary) == (None, (), "user-space-kernel")
    async with box(driver, blueprint(reach=True)) as inside:
        ran = await inside.python("import os; print(os.uname().release, os.getuid())")
        assert ran.out == "4.4.0 65534\n", ran.err
        usage = await driver.stats(inside.handle)
        assert usage.cpu_ms
        assert usage.memory_bytes is None
    await driver.close()
    assert gvisor_engine.groups() == []
