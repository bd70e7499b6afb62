"""`tier = "pure"` of an action: that it needs nothing, and that its script can run where nothing is."""

from collections.abc import Mapping, Sequence

from raptorflow.skills.capabilities import Capabilities
from raptorflow.skills.manifest.table import Table
from raptorflow.skills.model import Action
from raptorflow.skills.pep723 import script_metadata
from raptorflow.skills.pure.script import script_of, script_text
from raptorflow.skills.pure.suitability import Obstacle, can_run
from raptorflow.skills.text import shown

PURE, SANDBOX = "pure", "sandbox"
REMEDY = f'Write `tier = "{PURE}"` only for an action that needs nothing but its script, or leave it out.'


def is_pure(table: Table) -> bool:
    """Whether an action declares that it only computes."""
    tier = table.text("tier", SANDBOX)
    if tier not in {PURE, SANDBOX}:
        message = f"The action {table.path[-1]} has the tier {shown(tier)}."
        table.error("pure-tier", "tier", message, REMEDY)
    return tier == PURE


def check_pure(
    actions: Table, found: Sequence[Action], capabilities: Capabilities, files: Mapping[str, bytes]
) -> None:
    """Report what contradicts the declaration, and what stands against running a script there."""
    read: set[str] = set()
    for action in found:
        if not action.pure:
            continue
        table = actions.table(action.name)
        _check_needs(action, table, capabilities)
        path = script_of(action.command)
        if path is None or path not in files:
            message = f"The pure action {action.name} does not run one Python file of the skill."
            table.error("pure-command", "command", message, 'Write `command = ["python", "scripts/…"]`.')
        elif path not in read:
            read.add(path)
            _check_script(path, files[path], table)


def _check_needs(action: Action, table: Table, capabilities: Capabilities) -> None:
    name = f"The pure action {action.name}"
    if capabilities.reaches_outside():
        message = f"{name} is of a skill with permissions: they are for all of its actions."
        table.error("pure-permissions", "tier", message, REMEDY)
    if inputs := action.file_inputs():
        message = f"{name} takes a file, {shown(inputs[0])}."
        table.error("pure-files", "tier", message, REMEDY)


def _check_script(path: str, content: bytes, table: Table) -> None:
    if _has_dependencies(content):
        message = f"A pure action runs {path}, which has dependencies."
        table.error("pure-dependencies", "tier", message, REMEDY)
    text = script_text(content)
    told = [Obstacle(0, "it is no text that Python reads")] if text is None else can_run(text)
    remedy = "Write it otherwise; as it is, the action is run in a sandbox, which takes longer."
    for each in told:
        message = f"In the pure tier, {each.reason}."
        table.findings.warning("pure-script", path, message, remedy, each.line or None)


def _has_dependencies(content: bytes) -> bool:
    try:
        metadata = script_metadata(content.decode(errors="replace"))
    except ValueError:
        # It has a finding of its own.
        return False
    return bool(metadata and metadata.dependencies)
