"""Cards and reference pages: what they tell, and that a hostile skill cannot break out of them."""

import json
import subprocess
import sys
from pathlib import Path

from raptorflow.skills.cards.card import Known, card, reference
from raptorflow.skills.cards.html import page
from raptorflow.skills.cards.markdown import block, code, plain, schema_table
from raptorflow.skills.evals.cases import ActionCase, Evals
from raptorflow.skills.reader import read_skill_files
from raptorflow.skills.scaffold.new import new_skill, template_files

HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) | a\n# Heading ![i](http://x.example/i.png) `code`"
)


def test_nothing_that_a_skill_says_becomes_markup() -> None:
    for text in (plain(HOSTILE), code(HOSTILE), block(f"```\n{HOSTILE}\n````")):
        shown = page(text, HOSTILE)
        body = shown[shown.index("<main>") :]
        assert "<script" not in shown
        assert "<img" not in body
        assert "<h1" not in body
        assert "href=" not in body


def test_a_page_asks_for_nothing_from_outside() -> None:
    shown = page("# x\n\n![i](http://x.example/i.png)\n", "x")
    assert "default-src 'none'" in shown
    assert "src=" not in shown


def test_a_card_tells_what_a_person_asks_before_using_a_skill() -> None:
    files = {path: text.encode() for path, text in template_files("find", "service").items()}
    skill = read_skill_files(files)
    told = card(skill, Known(verdict="pass"))
    assert skill.digest in told
    assert "May call hubspot: contacts.read." in told
    assert told == card(skill, Known(verdict="pass"))


def test_only_examples_that_were_run_are_shown() -> None:
    files = {path: text.encode() for path, text in template_files("count", "python").items()}
    skill = read_skill_files(files)
    evals = Evals(actions=tuple(ActionCase(name, "count-words", {"text": name}) for name in ("ran", "broke")))
    cases = [
        {"name": "ran", "kind": "action", "outcome": "passed", "output": {"words": 42}},
        {"name": "broke", "kind": "action", "outcome": "failed", "output": {"words": 43}},
    ]
    told = reference(skill, Known(results={"cases": cases}, evals=evals, changelog="# Changelog\n\n## 1.0"))
    assert '{"words":42}' in told
    assert '{"words":43}' not in told
    assert "## Changelog" in told


def test_nested_fields_and_files_are_named_in_words() -> None:
    schema = {
        "type": "object",
        "required": ["table"],
        "properties": {
            "table": {"type": "string", "format": "file"},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
            "unit": {"enum": ["m", "s"], "default": "m"},
        },
    }
    told = schema_table(schema)
    assert "| `table` | file | required |" in told
    assert "| `rows` | list of object |" in told
    assert "| `rows[].n` | integer |" in told
    assert "one of `['m', 's']`" in told


def test_the_command_writes_pages_and_refuses_results_of_another_digest(tmp_path: Path) -> None:
    folder = new_skill(tmp_path, "greet", "instructions")
    command = [sys.executable, "-m", "raptorflow.cli.main", "skill", "docs", str(folder), "--json"]
    done = subprocess.run([*command, "--html", "-o", "out"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["written"]) == 4
    (tmp_path / "old.json").write_text('{"digest": "sha256:0"}')
    refused = subprocess.run([*command, "--report", "old.json"], cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "holds results of sha256:0" in json.loads(refused.stdout)["error"]["detail"]
