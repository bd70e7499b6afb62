"""`raptorflow skill new`: a skill that works as it comes."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from raptorflow.base.json import dumps
from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.fields import NAME
from raptorflow.skills.findings import Findings
from raptorflow.skills.scaffold.new import Template, new_from, new_skill, suggested_name


def new(
    name: str,
    *,
    template: Template = "instructions",
    description: str | None = None,
    source: Annotated[Path | None, Parameter(name="--from")] = None,
    folder: Annotated[Path, Parameter(name=["--folder", "--dir"])] = Path(),
    json: bool = False,
) -> None:
    """Make a new skill that passes every check; its text is an example to write over.

    Args:
        name: its name: a-z, 0-9 and hyphens.
        template: instructions only, with a Python action, or with a service call.
        description: what it does and when to use it; it is found by these words.
        source: another skill, folder or archive, to begin from instead of a template.
        folder: where to put it.
        json: print one JSON object.
    """
    _check_name(name)
    made = new_from(folder, name, source) if source else new_skill(folder, name, template, description)
    if json:
        print(dumps({"skill": name, "path": str(made)}))
    else:
        print(
            f"{made} is ready: write over {made / 'SKILL.md'}, and let `raptorflow skill dev {made}` watch."
        )


def _check_name(name: str) -> None:
    if NAME.fullmatch(name):
        return
    findings = Findings()
    meant = suggested_name(name)
    remedy = (
        f"Take {meant}, or another name of a-z, 0-9 and hyphens." if meant else "Use a-z, 0-9 and hyphens."
    )
    findings.error("name-invalid", ".", f"{name!r} is no skill name.", remedy)
    raise SkillInvalid(findings.errors())
