"""Every kind of sandbox, with a host outside that a secret is bound to."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.support.microvm_parts import built_image
from tests.support.outside import Outside, outside_world
from tests.support.subjects import DOCKER, KUBERNETES, LOCAL, MICROVM, Subject, opened

EMULATED = (pytest.mark.verify, pytest.mark.emulated)
KINDS = (LOCAL, DOCKER, KUBERNETES, pytest.param(MICROVM, marks=EMULATED))


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncGenerator[Outside]:
    async with outside_world() as world:
        world.trust_authority(tmp_path)
        yield world


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """A driver's folder with nothing in it but the image."""
    folder = tmp_path / "microvm"
    folder.mkdir()
    (folder / "image").symlink_to(built_image())
    return folder


@pytest.fixture(params=KINDS)
async def subject(
    request: pytest.FixtureRequest, outside: Outside, tmp_path: Path
) -> AsyncGenerator[Subject]:
    folder = tmp_path / "host"
    folder.mkdir()
    async with opened(request.param, outside, folder, request.getfixturevalue) as made:
        yield made
