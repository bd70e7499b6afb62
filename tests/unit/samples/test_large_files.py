"""Large files, in memory that does not grow with them; `benchmarks/analytics.py` measures the time."""

import json
import os
import random
import resource
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from raptorflow import samples

SCRIPTS = Path(str(samples.__file__)).parent / "skills/analytics/scripts"
HEADER = "date,campaign,channel,spend,clicks,conversions,revenue\n"
LARGE_BYTES = 50 * 1024 * 1024
MEMORY_BYTES = 600 * 1024 * 1024


def rows_of(count: int) -> str:
    chance = random.Random(5)
    return "".join(
        f"2026-{row % 12 + 1:02}-{row % 28 + 1:02},c{row % 6},ch{row % 3},{chance.random() * 50:.2f},"
        f"{row % 90},{row % 5},{chance.random() * 200:.2f}\n"
        for row in range(count)
    )


def run(script: str, file: Path) -> dict[str, object]:
    """What an action prints under a limit of memory."""
    helper = find_spec("raptorflow_skill")
    assert helper
    assert helper.origin

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    helper_folder = str(Path(helper.origin).parent.parent)
    settings = {"PYTHONPATH": helper_folder, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, SCRIPTS / f"{script}.py"],
        input=json.dumps({"file": str(file)}).encode(),
        capture_output=True,
        cwd=file.parent,
        preexec_fn=limit,
        env={**os.environ, **settings},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("script", ["compare", "profile_table"])
def test_fifty_megabytes(tmp_path: Path, script: str) -> None:
    file = tmp_path / "large.csv"
    block = rows_of(20_000)
    with file.open("w") as output:
        output.write(HEADER)
        while output.tell() < LARGE_BYTES:
            output.write(block)

    answer = run(script, file)

    assert answer["answer"]
