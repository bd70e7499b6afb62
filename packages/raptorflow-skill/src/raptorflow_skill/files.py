"""Files that an action leaves for the person who asked."""

from pathlib import Path

from raptorflow_skill.errors import SkillError

OUTPUTS = Path("out")


def out_path(name: str) -> Path:
    """Where to write an artefact called `name`; everything in `./out` is handed over when the action ends.

    Raises:
        SkillError: the name leads out of `./out`.
    """
    path = OUTPUTS / name
    if not name or path.is_absolute() or ".." in path.parts or path == OUTPUTS:
        raise SkillError("name-invalid", f"{name!r} is no name for a file.", "Use a name such as report.csv.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
