"""The house rules that no linter has are noticed."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "house.py"
LONG_FUNCTION = "def long():\n" + "    pass\n" * 60


def judge(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOL), str(folder)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("pass\n" * 501, "501 lines"),
        (LONG_FUNCTION, "long has 61 lines"),
        ("import os  # no" + "qa\n", "silenced"),
        ("x = 1  # type: " + "ignore[x]\n", "silenced"),
        ("x = 1  # TO" + "DO later\n", "put off"),
        ("import time\ntime.sleep(0.1)\n", "fixed length"),
        ("def f():\n    raise NotImplementedError\n", "NotImplementedError"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "room.py").write_text(source)
    judged = judge(tmp_path)
    assert judged.returncode == 1
    assert complaint in judged.stdout
    assert "room.py" in judged.stdout


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("\n" * 501, "501 lines"),
        ("// biome" + "-ignore lint: no", "silenced"),
        ("const x = 1; // TO" + "DO later", "put off"),
    ],
)
def test_the_interface_has_the_same_rules(tmp_path: Path, source: str, complaint: str) -> None:
    (tmp_path / "Room.tsx").write_text(source)
    (tmp_path / "schema.gen.ts").write_text("\n" * 9999)
    judged = judge(tmp_path)
    assert judged.returncode == 1
    assert complaint in judged.stdout
    assert "schema.gen" not in judged.stdout


@pytest.mark.parametrize(
    ("room", "source", "complaint"),
    [
        ("registry/service.py", "from sqlalchemy import select\n", "a query (select)"),
        ("accounts/users/service.py", "from sqlalchemy.dialects.postgresql import insert\n", "(insert)"),
        ("orchestrator/runs/worker.py", "import sqlalchemy as sa\nsa.text('x')\n", "a query (text)"),
        ("sandbox/audit.py", "import sqlalchemy.sql\nsqlalchemy.sql.delete(x)\n", "a query (delete)"),
        ("registry/service.py", "async def f(s):\n    await s.commit()\n", "commit()"),
        ("registry/repository.py", "def f(s):\n    s.rollback()\n", "rollback()"),
        ("core/jobs.py", "def f(s):\n    s.session.commit()\n", "commit()"),
    ],
)
def test_queries_stand_in_repositories_and_the_block_of_a_session_ends_it(
    tmp_path: Path, room: str, source: str, complaint: str
) -> None:
    file = tmp_path / "src/raptorflow" / room
    file.parent.mkdir(parents=True)
    file.write_text(source)
    judged = judge(tmp_path)
    assert judged.returncode == 1
    assert complaint in judged.stdout
    assert room in judged.stdout


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("src/raptorflow/registry/search/repository.py", "from sqlalchemy import select, text\n"),
        ("src/raptorflow/core/jobs.py", "from sqlalchemy import select\n"),
        ("src/raptorflow/registry/service.py", "from sqlalchemy.ext.asyncio import AsyncSession\n"),
        ("src/raptorflow/orchestrator/runs/turn.py", "def f(j, b):\n    j.commit(b)\n    b.text('x')\n"),
        ("tests/unit/registry/test_it.py", "from sqlalchemy import select\n"),
    ],
)
def test_what_is_no_query_of_a_domain_passes(tmp_path: Path, room: str, source: str) -> None:
    file = tmp_path / room
    file.parent.mkdir(parents=True)
    file.write_text(source)
    judged = judge(tmp_path)
    assert judged.returncode == 0, judged.stdout


def test_code_within_the_rules_passes(tmp_path: Path) -> None:
    (tmp_path / "room.py").write_text(
        'PAUSE = 1\ntime.sleep(PAUSE)\nasyncio.sleep(0)\ntext = "# no' + 'qa"\n'
    )
    judged = judge(tmp_path)
    assert judged.returncode == 0, judged.stdout


def test_shipped_skills_are_held_to_the_rules_too(tmp_path: Path) -> None:
    script = tmp_path / "src/raptorflow/samples/skills/analytics/scripts/compare.py"
    script.parent.mkdir(parents=True)
    script.write_text(LONG_FUNCTION)
    judged = subprocess.run(
        [sys.executable, str(TOOL), "src"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert judged.returncode == 1
    assert "compare.py" in judged.stdout
