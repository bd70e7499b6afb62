"""What `raptorflow run` says until it is ready."""

import subprocess

READY = "Stop: Ctrl-C"


def said_until_ready(process: subprocess.Popen[str]) -> str:
    """Read a start's output until it is ready; fail with all it said when it ends before."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if READY in line:
            return said
    raise AssertionError(f"it ended before it was ready:\n{said}")
