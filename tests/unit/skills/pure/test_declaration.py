"""`tier = "pure"`: what may declare it, and what is said of a script that cannot run there."""

from pathlib import Path

import pytest

from raptorflow.skills.errors import SkillInvalid
from raptorflow.skills.findings import Finding
from raptorflow.skills.pure.script import script_of, script_text
from raptorflow.skills.reader import read_skill
from raptorflow.skills.validate import validate
from raptorflow.skills.writer import write_manifest

SKILL_MD = "---\nname: sums\ndescription: Adds up what was spent, for a budget.\n---\nAdd it up.\n"
MANIFEST = """schema = 1
[skill]
version = "1.0.0"
[actions.add]
command = ["python", "scripts/add.py", "add"]
tier = "pure"
"""
SECRET = '[permissions]\nnetwork = ["api.example:443"]\nsecrets = { A = "api.example:443" }\n'
SCRIPT = """from raptorflow_skill import action
action.run(lambda given: {"sum": sum(given["spent"])})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A skill with one pure action."""
    made = tmp_path / "sums"
    made.joinpath("scripts").mkdir(parents=True)
    made.joinpath("SKILL.md").write_text(SKILL_MD)
    made.joinpath("skill.toml").write_text(MANIFEST)
    made.joinpath("scripts/add.py").write_text(SCRIPT)
    return made


def told(folder: Path) -> list[tuple[str, str, str, int | None]]:
    found: list[Finding] = validate(folder)
    assert all(finding.message and finding.remedy for finding in found)
    return [(finding.code, finding.severity, finding.file, finding.line) for finding in found]


def test_an_action_that_needs_nothing_may_declare_it(folder: Path) -> None:
    assert told(folder) == []
    (action,) = read_skill(folder).actions
    assert action.pure


@pytest.mark.parametrize("tier", ["", 'tier = "sandbox"\n'])
def test_an_action_is_not_pure_by_itself(folder: Path, tier: str) -> None:
    folder.joinpath("skill.toml").write_text(MANIFEST.replace('tier = "pure"\n', tier))
    assert told(folder) == []
    (action,) = read_skill(folder).actions
    assert not action.pure


def test_what_is_written_back_declares_it_again_and_only_then(folder: Path) -> None:
    pure = write_manifest(read_skill(folder))
    folder.joinpath("skill.toml").write_text(MANIFEST.replace('tier = "pure"\n', ""))
    assert 'tier = "pure"' in pure
    assert "tier" not in write_manifest(read_skill(folder))


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('"pure"', '"fast"', "pure-tier", 6),
        ('"pure"', "3", "text-invalid", 6),
        ("[actions", '[permissions]\nnetwork = ["api.example:443"]\n[actions', "pure-permissions", 8),
        ("[actions", f"{SECRET}[actions", "pure-permissions", 9),
        ("[actions", '[permissions]\nservices = { ads = ["list"] }\n[actions', "pure-permissions", 8),
        (
            "tier",
            'input = { type = "object", properties = { a = { type = "string", format = "file" } } }\ntier',
            "pure-files",
            7,
        ),
        ('["python", "scripts/add.py", "add"]', '["scripts/add.py"]', "pure-command", 5),
        ('["python", "scripts/add.py", "add"]', '["python", "-c", "1"]', "pure-command", 5),
        ('["python", "scripts/add.py", "add"]', '["node", "scripts/add.py"]', "pure-command", 5),
        ('["python", "scripts/add.py", "add"]', '["python", "../scripts/add.py"]', "pure-command", 5),
        ('["python", "scripts/add.py", "add"]', '["python", "scripts"]', "pure-command", 5),
    ],
)
def test_what_contradicts_it_is_an_error_at_its_line(
    folder: Path, old: str, new: str, code: str, line: int
) -> None:
    folder.joinpath("skill.toml").write_text(MANIFEST.replace(old, new, 1))
    assert (f"skill/{code}", "error", "skill.toml", line) in told(folder)
    with pytest.raises(SkillInvalid):
        read_skill(folder)


def test_a_script_with_dependencies_is_not_pure(folder: Path) -> None:
    block = '# /// script\n# dependencies = ["numpy"]\n# ///\n'
    folder.joinpath("scripts/add.py").write_text(block + SCRIPT)
    assert told(folder) == [("skill/pure-dependencies", "error", "skill.toml", 6)]


def test_what_the_script_cannot_do_there_is_a_warning_at_its_line(folder: Path) -> None:
    folder.joinpath("scripts/add.py").write_text(f"{SCRIPT}import sys\nopen('x')\nprint(sys.argv)\n")
    assert told(folder) == [
        ("skill/pure-script", "warning", "scripts/add.py", 4),
        ("skill/pure-script", "warning", "scripts/add.py", 5),
    ]
    assert read_skill(folder).actions[0].pure


def test_a_script_of_two_actions_is_told_of_once(folder: Path) -> None:
    again = MANIFEST + '[actions.more]\ncommand = ["python", "./scripts/add.py"]\ntier = "pure"\n'
    folder.joinpath("skill.toml").write_text(again)
    folder.joinpath("scripts/add.py").write_text("open('x')\n")
    assert told(folder) == [("skill/pure-script", "warning", "scripts/add.py", 1)]


def test_a_script_of_an_action_that_is_not_pure_may_do_anything(folder: Path) -> None:
    folder.joinpath("skill.toml").write_text(MANIFEST.replace('tier = "pure"\n', ""))
    folder.joinpath("scripts/add.py").write_text("open('x')\n")
    assert told(folder) == []


@pytest.mark.parametrize("content", [b"\xff", b"# coding: no-such\n", b"x = 1\n" * 20_000])
def test_a_script_that_cannot_be_read_is_told_of(folder: Path, content: bytes) -> None:
    folder.joinpath("scripts/add.py").write_bytes(content)
    assert told(folder) == [("skill/pure-script", "warning", "scripts/add.py", None)]


def test_schemas_of_any_kind_are_looked_at_without_failing(folder: Path) -> None:
    schema = "input = { type = 'object', properties = { a = true } }\ntier"
    folder.joinpath("skill.toml").write_text(MANIFEST.replace("tier", schema))
    assert told(folder) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfx", "x"),
        (b"# coding: latin-1\n'\xe9'", "# coding: latin-1\n'é'"),
        (b"'\xe9'", None),
    ],
)
def test_a_script_is_read_as_python_reads_it(content: bytes, text: str | None) -> None:
    assert script_text(content) == text


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (("python", "a.py"), "a.py"),
        (("python3", "./a/b.py", "x"), "a/b.py"),
        (("python",), None),
        (("python", "-m", "a"), None),
        (("python", "/a.py"), None),
        (("python", "a/../../b.py"), None),
        (("python", "./"), None),
        (("bash", "a.sh"), None),
        ((), None),
    ],
)
def test_the_script_is_what_a_command_gives_to_python(command: tuple[str, ...], path: str | None) -> None:
    assert script_of(command) == path
