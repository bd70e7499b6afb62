"""`raptorflow skill new`: a skill that works as it comes."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from raptorflow.base.json import dumps
from raptorflow.skills.scaffold import Template, new_skill


def new(
    name: str,
    *,
    template: Template = "instructions",
    folder: Annotated[Path, Parameter(name=["--folder", "--dir"])] = Path(),
    json: bool = False,
) -> None:
    """Make a new skill that is valid and works; `validate` lists what is left to write.

    Args:
        name: its name: a-z, 0-9 and hyphens.
        template: instructions only, with a Python action, or with a service call.
        folder: where to put it.
        json: print one JSON object.
    """
    made = new_skill(folder, name, template)
    if json:
        print(dumps({"skill": name, "path": str(made)}))
    else:
        print(f"{made} is ready. Edit {made / 'SKILL.md'}, then run `raptorflow skill validate {made}`.")
