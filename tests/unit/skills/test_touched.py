"""Which actions a change concerns."""

import pytest

from raptorflow.skills.model import Action, Skill
from raptorflow.skills.touched import touched_actions

FILES = {
    "scripts/one.py": b"import shared\nfrom helpers import deep\n",
    "scripts/two.py": b"print(1)\n",
    "scripts/shared.py": b"import one\n",
    "scripts/helpers/__init__.py": b"",
    "scripts/helpers/deep.py": b"",
    "scripts/alone.py": b"",
    "assets/table.csv": b"",
    "evals/actions.json": b"{}",
    "SKILL.md": b"",
    "skill.toml": b"",
}
ACTIONS = tuple(Action(name, "", ("python", f"scripts/{name}.py"), {}, {}) for name in ("one", "two"))
SKILL = Skill("s", "d", "1.0.0", "", "", actions=ACTIONS)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("scripts/one.py", {"one"}),
        ("scripts/shared.py", {"one"}),
        ("scripts/helpers/deep.py", {"one"}),
        ("scripts/two.py", {"two"}),
        ("scripts/alone.py", set[str]()),
        ("assets/table.csv", {"one", "two"}),
        ("evals/actions.json", {"one", "two"}),
        ("skill.toml", {"one", "two"}),
        ("scripts/gone.py", {"one", "two"}),
        ("SKILL.md", set[str]()),
        ("evals/triggers.json", set[str]()),
    ],
)
def test_a_change_concerns_what_uses_it(changed: str, expected: set[str]) -> None:
    assert touched_actions(SKILL, FILES, {changed}) == expected
