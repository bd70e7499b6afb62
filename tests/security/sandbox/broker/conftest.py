"""The world that a sandbox wants to reach."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.support.outside import Outside, outside_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[Outside]:
    async with outside_world() as made:
        made.trust_authority(tmp_path)
        yield made
