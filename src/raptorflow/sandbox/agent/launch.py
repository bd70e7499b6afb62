"""How the guest agent is started: where its code is, and the command."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from raptorflow.sandbox.errors import SandboxUnavailable

AGENT = "/opt/raptorflow/agent"
PACKAGE = "guest"
COMPILE_SECONDS = 60
START = f"import sys; sys.path.insert(0, {AGENT!r}); from {PACKAGE}.main import run; run(*sys.argv[1:])"


def agent_command(python: str, how: str, *, alone: bool) -> list[str]:
    """What starts the agent inside.

    Args:
        python: the interpreter inside.
        how: where its channel is, see `guest/main.py`.
        alone: whether it has a process namespace to itself, in which it may end everything.
    """
    return [python, "-I", "-S", "-c", START, how, *(["alone"] if alone else [])]


@cache
def agent_folder(python: Path) -> Path:
    """A folder with the agent, compiled for this interpreter, to be seen inside at `AGENT`, read-only.

    Compiled, because otherwise each sandbox would compile it anew before it starts. It is gone with the
    process that made it only if that closes in order; it lies among the temporary files.

    Raises:
        SandboxUnavailable: the interpreter cannot compile it.
    """
    folder = Path(tempfile.mkdtemp(prefix="raptorflow-agent-"))
    folder.chmod(0o755)
    shutil.copytree(
        Path(__file__).parent / PACKAGE, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__")
    )
    compiling = [str(python), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*compiling, str(folder)], capture_output=True, timeout=COMPILE_SECONDS, check=False
    )
    if done.returncode:
        raise SandboxUnavailable(
            f"{python} cannot compile the guest agent: {done.stderr.decode(errors='replace').strip()}",
            hint="Set RAPTORFLOW_SANDBOX__PYTHON to a Python of 3.11 or newer.",
        )
    return folder
