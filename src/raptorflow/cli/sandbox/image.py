"""`raptorflow sandbox image ...`: the kernel and the file systems that micro VMs start from."""

from collections.abc import Callable
from pathlib import Path

from cyclopts import App
from rich.console import Console

from raptorflow.base.json import dumps
from raptorflow.cli.question import FileUnusable
from raptorflow.sandbox.drivers.microvm.image.build import build_image
from raptorflow.sandbox.drivers.microvm.image.manifest import Image, verify_image
from raptorflow.settings import load_settings

image_app = App(name="image", help="Build and verify the image of micro VMs.")


@image_app.command
def build(folder: Path | None = None, *, downloads: Path | None = None, json: bool = False) -> None:
    """Build kernel and file systems from Debian packages, the same bytes from the same packages.

    apt downloads the packages and verifies them; nothing is installed, and root is not needed.

    Args:
        folder: where the image goes; where the driver looks for it when not given.
        downloads: where packages are kept between builds.
        json: print one JSON object instead of the steps.
    """
    settings = load_settings().sandbox.microvm
    target = folder or settings.image()
    packages = downloads or settings.place() / "packages"
    if json:
        print(dumps(_row(_built(target, packages, _silent))))
        return
    console = Console(highlight=False)
    with console.status("Building ...") as status:
        image = _built(target, packages, _shown(console, status.update))
    console.print(f"{len(image.manifest.packages)} packages, Python {image.manifest.python}", markup=False)


@image_app.command
def verify(folder: Path | None = None, *, json: bool = False) -> None:
    """Hold an image to its manifest; exit 1 when a file was changed.

    Args:
        folder: where the image is; where the driver looks for it when not given.
        json: print one JSON object.
    """
    image = verify_image(folder or load_settings().sandbox.microvm.image())
    if json:
        print(dumps(_row(image)))
    else:
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"{image.folder} is as it was built: {image.manifest.digest}", markup=False)


def _built(target: Path, packages: Path, tell: Callable[[str], None]) -> Image:
    try:
        return build_image(target, packages, tell)
    except OSError as error:
        message = f"{error.filename or target} cannot be used: {error.strerror}."
        raise FileUnusable(message, hint="Name another folder, or make room in this one.") from error


def _row(image: Image) -> dict[str, object]:
    return {
        "folder": str(image.folder),
        "digest": image.manifest.digest,
        **image.manifest.model_dump(mode="json"),
    }


def _silent(_step: str) -> None:
    """A program reads the output."""


def _shown(console: Console, update: Callable[[str], None]) -> Callable[[str], None]:
    """Show each step, and keep the newest beside the spinner."""

    def tell(step: str) -> None:
        console.print("[green]✓[/green] ", end="")
        console.print(step, markup=False)
        update(f"{step} ...")

    return tell
