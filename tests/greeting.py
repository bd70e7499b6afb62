"""What `raptorflow run` says."""

import subprocess

READY = "Stop: Ctrl-C"


def read_until(process: subprocess.Popen[str], text: str = READY) -> str:
    """Read what a program says until a text comes; fail with all it said when it ends before."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"{text!r} never came:\n{said}")
