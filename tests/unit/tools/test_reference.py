"""The page of the settings is what the settings say, whole, and a check notices when it is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
PAGE = Path("docs/reference/settings.md")


def checked(repository: Path) -> int:
    tool = repository / "tools" / "reference.py"
    environment = {**os.environ, "RAPTORFLOW_MODEL": "set on this machine alone"}
    return subprocess.run([sys.executable, tool, "--check"], env=environment).returncode


def test_the_page_is_up_to_date_and_notes_are_whole() -> None:
    assert checked(REPOSITORY) == 0
    lines = (REPOSITORY / PAGE).read_text().splitlines()
    score = next(line for line in lines if "OFFLINE_MIN_SCORE" in line)
    assert score.endswith("similarity of their meaning. |")
    model = next(line for line in lines if "`RAPTORFLOW_ORCHESTRATOR__MODEL`" in line)
    assert "or `RAPTORFLOW_MODEL`" in model
    assert "`offline`" in model


def test_a_page_that_has_fallen_behind_is_noticed(tmp_path: Path) -> None:
    for part in (Path("tools/reference.py"), PAGE):
        (tmp_path / part).parent.mkdir(parents=True)
        shutil.copy(REPOSITORY / part, tmp_path / part)
    assert checked(tmp_path) == 0
    page = tmp_path / PAGE
    page.write_text(page.read_text().replace("| `20` |", "| `21` |"))
    assert checked(tmp_path) == 1
