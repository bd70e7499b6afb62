"""What each known client does with a skill, by the rules of its own loader."""

from pathlib import Path

import pytest

from raptorflow.skills.clients.judgement import Judgement
from raptorflow.skills.validate import check

LOADS, WARNS, SKIPS = "loads", "warns", "skips"
GOOD = "---\nname: greet\ndescription: Greets people.\n---\nSay hello.\n"


def judged(tmp_path: Path, content: str | bytes | None, folder: str = "greet") -> dict[str, Judgement]:
    place = tmp_path / folder
    place.mkdir()
    if content is not None:
        (place / "SKILL.md").write_bytes(content if isinstance(content, bytes) else content.encode())
    return dict(check(place).clients)


def outcomes(judgements: dict[str, Judgement]) -> tuple[str, ...]:
    return tuple(judgements[name].outcome for name in ("claude-code", "codex", "vscode", "skills-ref"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (GOOD, (LOADS, LOADS, LOADS, LOADS)),
        (None, (SKIPS, SKIPS, SKIPS, SKIPS)),
        (b"\xff\xfe---", (SKIPS, SKIPS, SKIPS, SKIPS)),
        ("# No frontmatter\n", (WARNS, SKIPS, SKIPS, SKIPS)),
        ("\ufeff" + GOOD, (LOADS, SKIPS, LOADS, SKIPS)),
        (GOOD.replace("\n", "\r\n"), (LOADS, LOADS, LOADS, LOADS)),
        (GOOD.replace("name: greet\n", ""), (WARNS, WARNS, WARNS, SKIPS)),
        (GOOD.replace("greet", "Other Name", 1), (LOADS, LOADS, WARNS, SKIPS)),
        (GOOD.replace("description: Greets people.\n", ""), (WARNS, SKIPS, SKIPS, SKIPS)),
        (GOOD.replace("Greets people.", "Greets: all of them"), (WARNS, WARNS, LOADS, SKIPS)),
        (GOOD.replace("Greets people.", "x" * 1025), (LOADS, SKIPS, WARNS, SKIPS)),
        (GOOD.replace("Greets people.", "x" * 1537), (WARNS, SKIPS, WARNS, SKIPS)),
        (GOOD.replace("Greets people.", "Greets <b>people</b>."), (LOADS, LOADS, WARNS, LOADS)),
        (GOOD.replace("---\nSay", "metadata: {a: b}\n---\nSay"), (LOADS, LOADS, LOADS, SKIPS)),
        (GOOD.replace("---\nSay", "metadata:\n  a: 1\n---\nSay"), (LOADS, LOADS, LOADS, LOADS)),
        (GOOD.replace("Greets people.", '"Greets --- people."'), (LOADS, LOADS, LOADS, SKIPS)),
        (GOOD.replace("---\nSay", "version: 1.0\n---\nSay"), (LOADS, LOADS, LOADS, SKIPS)),
        (GOOD.replace("Greets people.", "[a"), (WARNS, SKIPS, SKIPS, SKIPS)),
    ],
)
def test_each_client_has_its_own_rules(
    tmp_path: Path, content: str | bytes | None, expected: tuple[str, ...]
) -> None:
    assert outcomes(judged(tmp_path, content)) == expected


def test_the_reference_takes_letters_that_the_specification_does_not(tmp_path: Path) -> None:
    judgements = judged(tmp_path, GOOD.replace("greet", "grüße", 1), folder="grüße")
    assert outcomes(judgements) == (LOADS, LOADS, LOADS, LOADS)
    assert not check(tmp_path / "grüße").ok


def test_whoever_does_not_simply_load_says_why(tmp_path: Path) -> None:
    judgements = judged(tmp_path, GOOD.replace("name: greet\n", "name: [a]\n"))
    reasons = [judgement.reasons for judgement in judgements.values() if judgement.outcome != LOADS]
    assert all(reasons)
