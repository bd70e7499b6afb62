"""The analytics skill's two actions on a file of 50 MB and on 10,000 rows, as the sandbox starts them.

python benchmarks/analytics.py
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from raptorflow import samples
from raptorflow.base.json import dumps

SCRIPTS = Path(str(samples.__file__)).parent / "skills/analytics/scripts"
HEADER = "date,campaign,channel,spend,clicks,conversions,revenue\n"
LARGE_BYTES = 50 * 1024 * 1024
SMALL_ROWS, BLOCK_ROWS = 10_000, 20_000
SEED = 5


def rows_of(count: int) -> str:
    """Made-up days of six campaigns."""
    chance = random.Random(SEED)
    return "".join(
        f"2026-{row % 12 + 1:02}-{row % 28 + 1:02},c{row % 6},ch{row % 3},{chance.random() * 50:.2f},"
        f"{row % 90},{row % 5},{chance.random() * 200:.2f}\n"
        for row in range(count)
    )


def seconds_of(script: str, file: Path) -> float:
    """Seconds from the start of an action to its end."""
    helper = find_spec("raptorflow_skill")
    if helper is None or helper.origin is None:
        raise SystemExit("raptorflow-skill is not installed")
    path = {"PYTHONPATH": str(Path(helper.origin).parent.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, SCRIPTS / f"{script}.py"],
        input=dumps({"file": str(file)}).encode(),
        stdout=subprocess.DEVNULL,
        cwd=file.parent,
        env={**os.environ, **path},
        check=True,
    )
    return round(time.perf_counter() - began, 2)


def main() -> None:
    """Measure and print one JSON line."""
    with tempfile.TemporaryDirectory(prefix="rf-") as folder:
        large, small = Path(folder, "large.csv"), Path(folder, "small.csv")
        small.write_text(HEADER + rows_of(SMALL_ROWS))
        block = rows_of(BLOCK_ROWS)
        with large.open("w") as output:
            output.write(HEADER)
            while output.tell() < LARGE_BYTES:
                output.write(block)
        figures = {
            f"{script}_{name}_s": seconds_of(script, file)
            for script in ("compare", "profile_table")
            for name, file in (("50mb", large), ("10k_rows", small))
        }
    print(dumps(figures))


if __name__ == "__main__":
    main()
