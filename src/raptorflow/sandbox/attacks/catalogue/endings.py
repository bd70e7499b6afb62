"""L12: programs that end in every way there is, and what is told of each."""

from raptorflow.sandbox.attacks.model import Trial, outcomes
from raptorflow.sandbox.attacks.program import said, together
from raptorflow.sandbox.attacks.stage import Stage
from raptorflow.sandbox.result import SandboxResult

# Of a limit that a program notices itself, it is told when the program fails for it.
TOO_MANY = """
try:
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
except OSError as error:
    os.write(2, str(error).encode())
    os._exit(1)
"""
TOO_LARGE = """
try:
    Path('filler').write_bytes(bytes(16 << 20))
except OSError as error:
    os.write(2, str(error).encode())
    os._exit(1)
"""
ENDS: dict[str, tuple[str, dict[str, float]]] = {
    "ok": ("return 1", {}),
    "error": ("os._exit(3)", {}),
    "signal": ("os.kill(os.getpid(), signal.SIGSEGV); time.sleep(5)", {}),
    "timeout": ("time.sleep(30)", {"timeout_seconds": 1}),
    "oom": ("kept = [bytearray(b'x' * (1 << 20)) for _ in range(200)]", {}),
    "output_limit": ("while True: os.write(1, bytes(65536))", {}),
    "pids": (TOO_MANY, {}),
    "disk_full": (TOO_LARGE, {}),
}


async def taxonomy(stage: Stage) -> Trial:
    """L12: each end is told as what it was; the control is that no other end would be believed of it."""
    results: dict[str, SandboxResult] = {}
    for status, (code, limits) in ENDS.items():
        text = stage.text({"x": code}, {}, apart=False, outside=False)
        results[status] = await stage.inside(text, limits=limits)
    wrong = [line for status, result in results.items() for line in mistold(status, result)]
    pairs = [(status, result) for status in ENDS for other, result in results.items() if other != status]
    believed = [status for status, result in pairs if not mistold(status, result)]
    words = together(wrong) or f"{', '.join(ENDS)}: each told as what it was"
    control = f"{len(pairs) - len(believed)} of {len(pairs)} wrong words for those ends are seen as such"
    return Trial(outcomes("through" if wrong else "told"), words, not believed, control)


def mistold(status: str, result: SandboxResult) -> list[str]:
    """What is wrong about what is told of a program that has ended in a known way."""
    told = said(result.stdout).get("x")
    # A program may notice a lack of memory itself, and end in order.
    noticed = status == "oom" and told is not None and told.words == "MemoryError"
    if result.status != status and not noticed:
        return [f"{status} was told as {result.status}"]
    if status == "ok" and (told is None or told.words != "1"):
        return ["a program that did not get to its end was told as ok"]
    if status == "error" and result.exit_code != 3:
        return [f"exit code 3 was told as {result.exit_code}"]
    if status == "signal" and result.signal != "SIGSEGV":
        return [f"SIGSEGV was told as {result.signal}"]
    return []
