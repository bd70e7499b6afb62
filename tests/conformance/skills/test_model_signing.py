"""A bundle that the reference implementation made (model-signing 1.1.1, a P-256 key) is verified here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from raptorflow.skills.signing.keys import new_key

HERE = Path(__file__).parent / "model_signing"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE / "tiny", tmp_path / "tiny"))


def verify(folder: Path, key: Path = HERE / "signer.pub") -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "raptorflow.cli.main", "skill", "verify", str(folder)]
    command += ["--key", str(key), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert "Traceback" not in ended.stderr
    return ended.returncode, json.loads(ended.stdout or ended.stderr)


def test_a_folder_as_it_was_signed_is_verified(tiny: Path) -> None:
    assert verify(tiny)[0] == 0


def test_every_file_that_drifted_is_named(tiny: Path) -> None:
    (tiny / "SKILL.md").write_text("changed")
    (tiny / "new.txt").write_text("added")
    (tiny / "scripts" / "hi.py").unlink()
    code, told = verify(tiny)
    assert (code, told["error"]["code"]) == (1, "tree-drifted")
    told_of = " ".join(told["error"]["details"]["files"])
    assert all(name in told_of for name in ("SKILL.md", "new.txt", "scripts/hi.py"))


def test_another_key_has_not_signed_it(tiny: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "other.pem")
    code, told = verify(tiny, tmp_path / "other.pem.pub")
    assert (code, told["error"]["code"]) == (1, "signature-wrong")
