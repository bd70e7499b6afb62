"""An image as it was built: its files and what they are made of, told by digests."""

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from raptorflow.base.json import canonical
from raptorflow.sandbox.errors import SandboxUnavailable

MANIFEST = "manifest.json"
KERNEL, FIRST, ROOT = "vmlinux", "initramfs.cpio", "root.erofs"
FILES = (KERNEL, FIRST, ROOT)
BUILD_HINT = "Build it: raptorflow sandbox image build"
SCHEMA = 1


class Source(BaseModel):
    """A package that went in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    sha256: str


class Manifest(BaseModel):
    """What an image is.

    Attributes:
        format: of this file and of what host and guest expect of each other.
        machine: the processor's architecture.
        python: the version of the interpreter inside.
        files: name -> hex SHA-256.
        packages: what it was made of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = SCHEMA
    machine: str = "x86_64"
    python: str
    files: Mapping[str, str]
    packages: tuple[Source, ...]

    @property
    def digest(self) -> str:
        """Hex SHA-256 over the digests of all files."""
        return hashlib.sha256(canonical(dict(self.files))).hexdigest()


class Image(BaseModel):
    """An image on this machine, verified."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    manifest: Manifest

    @property
    def kernel(self) -> Path:
        """The uncompressed kernel."""
        return self.folder / KERNEL

    @property
    def first(self) -> Path:
        """The file system that the kernel starts with."""
        return self.folder / FIRST

    @property
    def root(self) -> Path:
        """The guests' root file system, which they share."""
        return self.folder / ROOT


def verify_image(folder: Path) -> Image:
    """Read an image's manifest and hold each file to it.

    Raises:
        SandboxUnavailable: there is no image, it is for another machine or release, or a file was changed.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise SandboxUnavailable(f"There is no image of a micro VM in {folder}.", hint=BUILD_HINT) from error
    except (OSError, ValidationError) as error:
        raise SandboxUnavailable(
            f"The image's {MANIFEST} cannot be read: {error}", hint=BUILD_HINT
        ) from error
    if manifest.format != SCHEMA or manifest.machine != platform.machine():
        raise SandboxUnavailable(
            f"The image is of format {manifest.format} for {manifest.machine}; this release needs format "
            f"{SCHEMA} for {platform.machine()}.",
            hint=BUILD_HINT,
        )
    for name in FILES:
        if _digest(folder / name) != manifest.files.get(name):
            raise SandboxUnavailable(f"The image's {name} is missing or was changed.", hint=BUILD_HINT)
    return Image(folder=folder, manifest=manifest)


def file_digest(file: Path) -> str:
    """Hex SHA-256 of a file's content.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _digest(file: Path) -> str | None:
    try:
        return file_digest(file)
    except OSError:
        return None
