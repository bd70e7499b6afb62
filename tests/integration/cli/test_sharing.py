"""Publishing, installing and moving skills with a running server, by the command line alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from raptorflow.skills.reader import read_skill
from raptorflow.skills.scaffold.new import new_skill

Command = Callable[..., str]


def lines(told: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.splitlines()]


def test_what_has_changed_is_published_in_order_and_installed_with_what_it_builds_on(
    command: Command, tmp_path: Path
) -> None:
    base = new_skill(tmp_path / "skills", "tone", "instructions")
    top = new_skill(tmp_path / "skills", "ads-writer", "service")
    (base / "skill.toml").write_text('schema = 1\n\n[skill]\nversion = "1.0.0"\n')
    (preview, _) = lines(command("skill", "publish", "skills", "--dry-run", "--json"))
    assert preview["status"] == "would-publish"
    manifest = (top / "skill.toml").read_text()
    first = lines(command("skill", "publish", "skills/tone", "--json"))[0]
    assert first["status"] == "published"
    namespace = json.loads(command("skill", "export", "--json", "-o", "all.raptorflow"))["skills"][0]["name"]
    assert "/" in namespace
    own = next(
        each["name"]
        for each in json.loads(command("skill", "export", "--json"))["skills"]
        if "tone" in each["name"]
    )
    (top / "skill.toml").write_text(
        manifest.replace("[permissions]", f'[requires]\n"{own}" = "^1"\n\n[permissions]')
    )
    states = [each["status"] for each in lines(command("skill", "publish", "skills", "--json"))]
    assert states == ["unchanged", "published"]
    (base / "SKILL.md").write_text((base / "SKILL.md").read_text() + "\nMore.\n")
    assert (
        json.loads(command("skill", "publish", "skills/tone", "--json", code=1))["error"]["code"]
        == "version-taken"
    )
    assert read_skill(base).version == "1.0.0"
    (preview,) = lines(command("skill", "publish", "skills/tone", "--bump", "minor", "--dry-run", "--json"))
    assert (preview["version"], preview["since"]) == ("1.1.0", "1.0.0")
    assert {each["path"]: each["change"] for each in preview["changes"]} == {
        "SKILL.md": "changed",
        "skill.toml": "changed",
    }
    assert read_skill(base).version == "1.0.0"
    assert (
        lines(command("skill", "publish", "skills/tone", "--bump", "minor", "--json"))[0]["version"]
        == "1.1.0"
    )
    wish = own.replace("tone", "ads-writer")
    refused = json.loads(command("skill", "install", wish, "--json", code=1))
    assert refused["error"]["code"] == "consent-needed"
    told = json.loads(command("skill", "install", wish, "--client", "claude", "--yes", "--json"))
    assert {each["name"]: each["version"] for each in told["skills"]} == {own: "1.1.0", wish: "0.1.0"}
    assert (tmp_path / ".claude" / "skills" / "tone" / "SKILL.md").is_file()
    assert "All 2 skills" in command("skill", "lock", "--verify", "--client", "claude")
    command("skill", "install", "--frozen", "--client", "claude", "--yes")
    (tmp_path / ".claude" / "skills" / "tone" / "SKILL.md").write_text("changed")
    assert "tone/SKILL.md was changed." in command("skill", "lock", "--verify", "--client", "claude", code=1)
    command("skill", "export", wish, "-o", "two.raptorflow")
    command("skill", "import", "two.raptorflow", "--to", "copies")
    assert read_skill(tmp_path / "copies" / "tone").version == "1.1.0"
    assert f"{wish} 0.1.0" in command("skill", "install", wish, "--server", "--yes")


def test_a_skill_comes_from_another_server_with_what_it_builds_on(
    command: Command, house: dict[str, str], tmp_path: Path
) -> None:
    voice = new_skill(tmp_path / "skills", "house-voice", "instructions")
    (voice / "skill.toml").write_text('schema = 1\n\n[skill]\nversion = "1.0.0"\n')
    top = new_skill(tmp_path / "skills", "letter-writer", "instructions")
    command("skill", "publish", "skills/house-voice")
    exported = json.loads(command("skill", "export", "--json"))["skills"]
    own = next(each["name"] for each in exported if each["name"].endswith("/house-voice"))
    (top / "skill.toml").write_text(
        f'schema = 1\n\n[skill]\nversion = "1.0.0"\n\n[requires]\n"{own}" = "^1"\n'
    )
    command("skill", "publish", "skills/letter-writer")
    known = json.loads(Path(house["XDG_CONFIG_HOME"], "raptorflow", "connection.json").read_text())
    wish = own.replace("house-voice", "letter-writer")
    arguments = ("skill", "import", known["url"], "--skill", f"{wish}@^1", "--json")
    told = json.loads(command(*arguments, "--to", "copies"))
    assert [each["name"] for each in told["skills"]] == [own, wish]
    assert told["skills"][1]["source"] == f"{known['url']} {wish}@1.0.0"
    assert read_skill(tmp_path / "copies" / "letter-writer").digest == read_skill(top).digest
    assert json.loads(command(*arguments[:3], "--json", code=1))["error"]["code"] == "nothing-offered"
    (voice / "SKILL.md").write_text((voice / "SKILL.md").read_text() + "\nMore.\n")
    (voice / "skill.toml").write_text('schema = 1\n\n[skill]\nversion = "1.1.0"\n')
    arguments = ("skill", "import", "skills", "--publish", "--json")
    first = {each["name"]: each["status"] for each in json.loads(command(*arguments))["skills"]}
    assert first == {"house-voice": "published", "letter-writer": "published"}
    (voice / "SKILL.md").write_text((voice / "SKILL.md").read_text() + "\nEven more.\n")
    told = json.loads(command(*arguments, code=1))
    assert [each["name"] for each in told["skills"]] == ["letter-writer"]
    assert [each["name"] for each in told["skipped"]] == ["house-voice"]
