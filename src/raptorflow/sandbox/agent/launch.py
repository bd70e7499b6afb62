"""How the guest agent is started: where its code is seen inside, and the command."""

AGENT = "/opt/raptorflow/agent"
PACKAGE = "guest"
START = f"import sys; sys.path.insert(0, {AGENT!r}); from {PACKAGE}.main import run; run(*sys.argv[1:])"


def agent_command(python: str, how: str, *, alone: bool, calls: bytes | None = None) -> list[str]:
    """What starts the agent inside.

    Args:
        python: the interpreter inside.
        how: where its channel is, see `guest/main.py`.
        alone: whether it has a process namespace to itself, in which it may end everything.
        calls: the filter that it puts programs under, see `sandbox/seccomp.py`; None where it is under one.
    """
    words = [*(["alone"] if alone else []), *([] if calls is None else [f"filter:{calls.hex()}"])]
    return [python, "-I", "-S", "-c", START, how, *words]
