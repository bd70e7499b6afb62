"""An action that declares to be pure, as a turn runs it: with the real sandboxes and the real pure tier."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from raptorflow.base.ids import new_id
from raptorflow.core.blobs import open_blobs
from raptorflow.orchestrator.files.store import FileStore
from raptorflow.orchestrator.folder_skills import FolderSkill
from raptorflow.orchestrator.tools.actions import ActionContext, Actions
from raptorflow.orchestrator.tools.definitions import action_tools
from raptorflow.orchestrator.tools.outcome import ToolOutcome
from raptorflow.sandbox.interpreter import sandbox_python
from raptorflow.sandbox.manager import SandboxManager, build_manager
from raptorflow.sandbox.pool.settings import NONE_READY
from raptorflow.sandbox.settings import SandboxSettings
from raptorflow.skills.reader import read_skill

SKILL_MD = "---\nname: sums\ndescription: Adds up what was spent.\n---\nAdd it up.\n"
MANIFEST = """schema = 1
[variables.currency]
type = "string"
default = "EUR"
[actions.pure]
command = ["python", "sums.py"]
tier = "pure"
[actions.ordinary]
command = ["python", "sums.py"]
"""
SCRIPT = """from raptorflow_skill import action
from raptorflow_skill.errors import SkillError
from raptorflow_skill.variables import variables

def main(given):
    if not given["spent"]:
        raise SkillError("nothing-spent", "Nothing was spent.", "Give amounts.")
    return {"sum": f"{sum(given['spent']):.2f} {variables()['currency']}"}

action.run(main)
"""


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncGenerator[SandboxManager]:
    made = build_manager(
        SandboxSettings(pool=NONE_READY, allow_supervised=True, state_dir=tmp_path / "state")
    )
    yield made
    await made.close()


@pytest.fixture
def skill(tmp_path: Path) -> FolderSkill:
    folder = tmp_path / "sums"
    folder.mkdir()
    folder.joinpath("SKILL.md").write_text(SKILL_MD)
    folder.joinpath("skill.toml").write_text(MANIFEST)
    folder.joinpath("sums.py").write_text(SCRIPT)
    return FolderSkill(read_skill(folder), folder)


@pytest.mark.parametrize("spent", [[1.5, 2.25], []])
async def test_the_declaration_is_passed_on_and_the_answer_is_the_same(
    manager: SandboxManager, skill: FolderSkill, tmp_path: Path, spent: list[float]
) -> None:
    actions = Actions(manager, FileStore(open_blobs("memory:"), tmp_path / "files"), sandbox_python())
    outcomes: dict[str, ToolOutcome] = {}
    for tool in action_tools([skill], []).values():
        context = ActionContext(new_id(), new_id(), {})
        outcomes[tool.action.name] = await actions.run(tool, {"spent": spent}, context)
    pure, ordinary = outcomes["pure"], outcomes["ordinary"]
    assert pure.facts["sandbox"]["driver"] == "monty"
    assert ordinary.facts["sandbox"]["driver"] == "local"
    assert pure.content == ordinary.content
    assert ("3.75 EUR" if spent else "nothing-spent") in pure.content
