"""Builds an image: the kernel, the file system it starts with, and the guests' root, from Debian packages.

The same packages give the same bytes: entries are sorted, and no time, owner or path of the host goes in.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from raptorflow.sandbox.drivers.microvm.image.contents import first_system, kernel_of, system_of
from raptorflow.sandbox.drivers.microvm.image.cpio import write_cpio
from raptorflow.sandbox.drivers.microvm.image.erofs import write_erofs
from raptorflow.sandbox.drivers.microvm.image.kernel import KernelNotReadable, extract_kernel
from raptorflow.sandbox.drivers.microvm.image.manifest import (
    FILES,
    FIRST,
    KERNEL,
    MANIFEST,
    ROOT,
    Image,
    Manifest,
    Source,
    file_digest,
)
from raptorflow.sandbox.drivers.microvm.image.packages import Package, download, needed
from raptorflow.sandbox.errors import SandboxUnavailable

ROOT_LABEL = "rf-root"
READABLE = 0o644


def build_image(folder: Path, downloads: Path, tell: Callable[[str], None]) -> Image:
    """Build an image from the packages of the newest versions that apt knows.

    Args:
        folder: where it goes; an image that is there already is replaced file by file, its manifest last.
        downloads: where packages are kept; those that are there are not downloaded again.
        tell: called with a sentence for each step.

    Raises:
        SandboxUnavailable: a package cannot be had, or its content is not as expected.
        OSError: the folder cannot be written to.
    """
    tell("Asking apt what is needed")
    return assemble(folder, download(needed(), downloads, tell), tell)


def assemble(folder: Path, packages: list[Package], tell: Callable[[str], None]) -> Image:
    """Build an image from packages that are here, the kernel's first.

    Raises:
        SandboxUnavailable: their content is not as expected.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        python = _write_files(Path(scratch), packages, tell)
        for name in FILES:
            (Path(scratch) / name).chmod(READABLE)
            (Path(scratch) / name).replace(folder / name)
    manifest = Manifest(
        python=python,
        files={name: file_digest(folder / name) for name in FILES},
        packages=tuple(Source(name=each.name, version=each.version, sha256=each.sha256) for each in packages),
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    tell(f"Built {manifest.digest[:12]} in {folder}")
    return Image(folder=folder, manifest=manifest)


def _write_files(folder: Path, packages: list[Package], tell: Callable[[str], None]) -> str:
    """Write the three files; the version of the Python inside."""
    tell("Unpacking the kernel")
    packed, modules = kernel_of(packages[0])
    try:
        (folder / KERNEL).write_bytes(extract_kernel(packed))
    except KernelNotReadable as error:
        raise SandboxUnavailable(f"{packages[0].name} cannot be used: {error}") from error
    tell(f"Unpacking {len(packages) - 1} packages and compiling their Python")
    system, python = system_of(packages[1:], folder / "system")
    tell("Writing the file systems")
    with (folder / FIRST).open("wb") as file:
        write_cpio(file, first_system(system, python, modules))
    with (folder / ROOT).open("wb") as file:
        write_erofs(file, system, ROOT_LABEL)
    return python.version
