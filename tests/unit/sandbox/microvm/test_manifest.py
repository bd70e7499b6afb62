"""An image is used only as it was built."""

from pathlib import Path

import pytest

from raptorflow.sandbox.drivers.microvm.image.manifest import (
    FILES,
    MANIFEST,
    Manifest,
    file_digest,
    verify_image,
)
from raptorflow.sandbox.errors import SandboxUnavailable


@pytest.fixture
def image(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_text(name)
    digests = {name: file_digest(tmp_path / name) for name in FILES}
    manifest = Manifest(python="3.11", files=digests, packages=())
    (tmp_path / MANIFEST).write_text(manifest.model_dump_json())
    return tmp_path


def test_an_image_as_it_was_built_is_taken(image: Path) -> None:
    assert verify_image(image).manifest.python == "3.11"


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(image: Path, name: str) -> None:
    (image / name).write_text("changed")
    with pytest.raises(SandboxUnavailable, match=name) as refused:
        verify_image(image)
    assert refused.value.hint == "Build it: raptorflow sandbox image build"


def test_a_missing_file_is_refused(image: Path) -> None:
    (image / FILES[0]).unlink()
    with pytest.raises(SandboxUnavailable, match=FILES[0]):
        verify_image(image)


def test_a_folder_without_an_image_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="no image") as refused:
        verify_image(tmp_path)
    assert refused.value.hint == "Build it: raptorflow sandbox image build"


@pytest.mark.parametrize("change", [{"machine": "riscv64"}, {"format": 99}])
def test_an_image_for_something_else_is_refused(image: Path, change: dict[str, object]) -> None:
    manifest = Manifest.model_validate_json((image / MANIFEST).read_bytes()).model_copy(update=change)
    (image / MANIFEST).write_text(manifest.model_dump_json())
    with pytest.raises(SandboxUnavailable, match="this release needs"):
        verify_image(image)


def test_a_manifest_that_cannot_be_read_is_refused(image: Path) -> None:
    (image / MANIFEST).write_text("{")
    with pytest.raises(SandboxUnavailable, match="cannot be read"):
        verify_image(image)
