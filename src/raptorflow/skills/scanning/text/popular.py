"""Well known names that others pose as: skills and tools of agents, and the libraries installed most."""

from pathlib import Path

_LISTS = Path(__file__).parent / "popular"


def _names(kind: str) -> frozenset[str]:
    return frozenset((_LISTS / f"{kind}.txt").read_text().split())


SKILLS, PYPI, NPM = _names("skills"), _names("pypi"), _names("npm")
