"""How long `raptorflow run` takes until it says where to sign in: the first time in a folder, and later.

    python benchmarks/start.py

The last line is one JSON object: `first_s`, and over several later starts `second_p50_s` and `second_max_s`.
Reach 6 s for the second start.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from raptorflow.base.json import dumps
from raptorflow.stack.places import open_place

COMMAND = (sys.executable, "-P", "-m", "raptorflow.cli.main", "run")
READY = "Stop: Ctrl-C"
LATER_STARTS = 5
TARGET_SECONDS = 6.0


def start_seconds(folder: Path, port: int) -> float:
    """Start on a folder, stop when it is ready; the seconds until it was."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, "--port", str(port), "--data", str(folder / "data")],
        env=os.environ | {"XDG_CONFIG_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if READY in line:
            took = time.perf_counter() - began
            process.send_signal(signal.SIGINT)
            process.communicate()
            return took
    raise SystemExit(f"It did not start:\n{said}")


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    try:
        first = start_seconds(folder, port)
        print(f"first start: {first:.1f} s", flush=True)
        later = [start_seconds(folder, port) for _ in range(LATER_STARTS)]
        print("later starts: " + ", ".join(f"{seconds:.1f} s" for seconds in later), flush=True)
    finally:
        open_place(folder / "data").remove()
        shutil.rmtree(folder)
    figures = {
        "first_s": round(first, 2),
        "second_p50_s": round(statistics.median(later), 2),
        "second_max_s": round(max(later), 2),
        "target_s": TARGET_SECONDS,
    }
    print(dumps(figures))


if __name__ == "__main__":
    main()
