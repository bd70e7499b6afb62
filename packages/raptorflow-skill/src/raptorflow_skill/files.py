"""Files that an action leaves for the person who asked."""

from pathlib import Path

OUTPUTS = Path("out")


def out_path(name: str) -> Path:
    """Where to write an artefact called `name`; everything in `./out` is handed over when the action ends."""
    OUTPUTS.mkdir(exist_ok=True)
    return OUTPUTS / name
