"""What the page about sessions shows is what happens."""

import ast
import re
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "work-step-by-step.md"


async def test_the_page_can_be_followed_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-skill").mkdir()
    monkeypatch.chdir(tmp_path)
    blocks: list[str] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    assert len(blocks) == 5
    for number, block in enumerate(blocks):
        code = compile(block, f"<block {number}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        waiting: Any = FunctionType(code, names)()
        if waiting is not None:
            await waiting
    assert names["ran"].status == "ok"
