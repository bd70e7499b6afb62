"""Bills of materials and the two layouts of archives: the same skill, the same bytes."""

import gzip
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from raptorflow.skills.archive import unpack
from raptorflow.skills.bill import bill
from raptorflow.skills.files import collect_files
from raptorflow.skills.findings import Findings
from raptorflow.skills.layouts import Layout, packed
from raptorflow.skills.reader import read_skill, read_skill_files
from raptorflow.skills.scaffold.new import new_skill

SCRIPT = '# /// script\n# dependencies = ["Requests>=2.31", "rich==14.0.0"]\n# ///\n'


def test_a_bill_names_files_packages_skills_and_permissions_and_fits_its_schema(tmp_path: Path) -> None:
    folder = new_skill(tmp_path, "find", "service")
    (folder / "scripts" / "more.py").write_text(SCRIPT)
    (folder / "package.json").write_text('{"dependencies": {"@scope/lib": "^1.2", "left-pad": "1.3.0"}}')
    manifest = (folder / "skill.toml").read_text()
    (folder / "skill.toml").write_text(
        manifest.replace("[limits]", '[requires]\n"acme/voice" = "^1"\n\n[limits]', 1)
    )
    files, _ = collect_files(folder, Findings())
    document = bill(read_skill(folder), files)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None
    assert document == bill(read_skill(folder), files)
    urls = {part["purl"] for part in document["components"] if "purl" in part}
    assert urls == {
        "pkg:pypi/requests",
        "pkg:pypi/rich@14.0.0",
        "pkg:npm/%40scope/lib",
        "pkg:npm/left-pad@1.3.0",
    }
    declared = {each["value"] for each in document["metadata"]["component"]["properties"]}
    assert "hubspot: contacts.read" in declared
    assert "requires:acme/voice" in document["dependencies"][0]["dependsOn"]


@pytest.mark.parametrize("layout", ["skill", "zip", "tar.gz"])
def test_every_layout_is_the_same_skill_again(tmp_path: Path, layout: Layout) -> None:
    folder = new_skill(tmp_path, "count", "python")
    (folder / "scripts" / "count-words.py").chmod(0o755)
    (folder / "assets").mkdir()
    (folder / "assets" / f"{'long' * 30}.txt").write_bytes(os.urandom(70_000))
    skill = read_skill(folder)
    files, executables = collect_files(folder, Findings())
    archive = packed(skill.name, files, executables, layout)
    unpacked = unpack(archive)
    again = read_skill_files(unpacked.files, None, unpacked.executables)
    assert again.digest == skill.digest
    if layout == "tar.gz":
        with tarfile.open(fileobj=BytesIO(gzip.decompress(archive))) as opened:
            assert opened.getnames() == sorted(files)
    else:
        prefix = "count/" if layout == "skill" else ""
        assert zipfile.ZipFile(BytesIO(archive)).namelist() == [f"{prefix}{path}" for path in sorted(files)]


@pytest.mark.parametrize("layout", ["skill", "zip", "tar.gz"])
def test_an_archive_is_the_same_whoever_packs_it_wherever_and_whenever(tmp_path: Path, layout: str) -> None:
    made: list[bytes] = []
    for number, zone in enumerate(("UTC", "Asia/Kathmandu")):
        folder = new_skill(tmp_path / str(number), "count", "python")
        names = sorted((path for path in folder.rglob("*") if path.is_file()), reverse=bool(number))
        for path in names:
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content)
            os.utime(path, (number * 10**9, number * 10**9))
        command = [
            sys.executable,
            "-m",
            "raptorflow.cli.main",
            "skill",
            "pack",
            str(folder),
            "--layout",
            layout,
        ]
        environment = os.environ | {"TZ": zone, "LC_ALL": "C", "PYTHONHASHSEED": str(number)}
        umask = 0o077 if number else 0o022
        out = tmp_path / f"{number}.out"
        subprocess.run(
            [*command, "-o", str(out)], env=environment, umask=umask, check=True, capture_output=True
        )
        made.append(out.read_bytes())
    assert made[0] == made[1]
