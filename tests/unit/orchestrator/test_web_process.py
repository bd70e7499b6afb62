"""The web process accepts and tails; the machinery of models is the workers' alone."""

import subprocess
import sys

PROGRAM = "import sys, raptorflow.app; print(sorted(name for name in sys.modules if name == 'pydantic_ai'))"


def test_the_server_loads_no_language_models() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
