"""The rooms below give what the orchestrator's ports ask for; the type checker holds them to it as well."""

import inspect

import pytest

from raptorflow.orchestrator.folder_skills import FolderSkills
from raptorflow.orchestrator.ports import ActionRunner, SkillSource
from raptorflow.registry.service import SkillsRegistry
from raptorflow.sandbox.manager import SandboxManager


def bind(registry: SkillsRegistry, folders: FolderSkills, sandbox: SandboxManager) -> object:
    """Never called: it type-checks only while the facades satisfy the ports."""
    sources: list[SkillSource] = [registry, folders]
    runner: ActionRunner = sandbox
    return sources, runner


@pytest.mark.parametrize("facade", [SkillsRegistry, FolderSkills])
@pytest.mark.parametrize("method", ["search", "load", "actions", "read_file"])
def test_skill_sources(facade: type, method: str) -> None:
    asked = inspect.signature(getattr(SkillSource, method)).parameters
    given = inspect.signature(getattr(facade, method)).parameters
    assert list(given)[: len(asked)] == list(asked)


def test_action_runners() -> None:
    assert list(inspect.signature(SandboxManager.run).parameters) == ["self", "spec"]
    assert callable(bind)
