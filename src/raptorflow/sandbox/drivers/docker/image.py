"""The image that sandboxes are made from: without a registry, without a build, without a file.

It has the places where things are mounted and nothing else; programs are this machine's own `/usr`. Its bytes
depend on nothing but the layout of that, so one machine makes the same image every time.
"""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raptorflow.sandbox.agent.launch import AGENT
from raptorflow.sandbox.drivers.docker.engine import Engine, Json, NotThere, within
from raptorflow.sandbox.drivers.docker.mounts import ETC, LINKS, SERVICES, TMP
from raptorflow.sandbox.errors import SandboxUnavailable
from raptorflow.sandbox.spec import ENVIRONMENT, HELPER, SKILL, WORK

REPOSITORY = "raptorflow-sandbox"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FOLDERS = (
    "dev", "etc", "opt", "proc", "run", "sys", "usr",
    *(path.strip("/") for path in (SKILL, ENVIRONMENT, WORK, TMP, SERVICES, HELPER, AGENT)),
    f"{HELPER}/raptorflow_skill".strip("/"),
)  # fmt: skip
# What an image may not bring along: it would be writable, run by itself, or change the agent.
UNWANTED = ("Volumes", "OnBuild")


class EmptyImage:
    """The image, and its archive in the format of `docker save`."""

    def __init__(self) -> None:
        layer = _layer()
        self.layer = _digest(layer)
        self.reference = f"{REPOSITORY}:{self.layer.removeprefix('sha256:')[:16]}"
        config = _json(
            {
                "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [self.layer]},
                "history": [],
            }
        )
        name = f"{_digest(config).removeprefix('sha256:')}.json"
        manifest = [{"Config": name, "RepoTags": [self.reference], "Layers": ["layer.tar"]}]
        self.archive = gzip.compress(
            _tar({name: config, "layer.tar": layer, "manifest.json": _json(manifest)}), mtime=0
        )

    async def ensure(self, engine: Engine) -> str:
        """Its id in an engine, which is given it when it lacks it.

        Raises:
            SandboxUnavailable: the engine takes it and then has another.
            EngineFailed: the engine says no.
        """
        try:
            found = await engine.image(self.reference)
        except NotThere:
            found: Json = {}
        if not self._is_it(found):
            await engine.load(self.archive)
            found = await engine.image(self.reference)
        if not self._is_it(found):
            raise SandboxUnavailable(
                f"The engine's image {self.reference} is not the one it was given.",
                hint=f"docker image rm --force {self.reference}",
            )
        return str(found["Id"])

    def _is_it(self, found: Mapping[str, Any]) -> bool:
        brought = any(within(found, "Config", name) for name in (*UNWANTED, "Entrypoint", "Healthcheck"))
        variables: list[str] = within(found, "Config", "Env") or []
        changed = [variable for variable in variables if not variable.startswith("PATH=")]
        return within(found, "RootFS", "Layers") == [self.layer] and not brought and not changed


async def own_image(engine: Engine, reference: str) -> str:
    """The id of an operator's image.

    Raises:
        SandboxUnavailable: the engine does not have it, or it asks for something writable.
        EngineFailed: the engine says no.
    """
    try:
        found = await engine.image(reference)
    except NotThere as error:
        raise SandboxUnavailable(
            f"The engine has no image {reference}.", hint=f"docker pull {reference}"
        ) from error
    if brought := [name for name in UNWANTED if within(found, "Config", name)]:
        raise SandboxUnavailable(
            f"The image {reference} declares {brought[0]}, which a sandbox may not have.",
            hint="Build one without it.",
        )
    return str(found["Id"])


def _layer() -> bytes:
    """A file system of empty folders and files to mount upon, and the links of the system's layout."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted({*FOLDERS, *(name for name in LINKS if _is_folder(name))}):
            archive.addfile(_entry(name, tarfile.DIRTYPE))
        for name in LINKS:
            path = Path("/") / name
            if path.is_symlink():
                archive.addfile(_entry(name, tarfile.SYMTYPE, str(path.readlink())))
        for name in ETC:
            kind = tarfile.DIRTYPE if Path("/etc", name).is_dir() else tarfile.REGTYPE
            archive.addfile(_entry(f"etc/{name}", kind))
    return buffer.getvalue()


def _is_folder(name: str) -> bool:
    path = Path("/") / name
    return path.is_dir() and not path.is_symlink()


def _entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    entry.mode = 0o644 if kind == tarfile.REGTYPE else 0o755
    return entry


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = _entry(name, tarfile.REGTYPE)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
