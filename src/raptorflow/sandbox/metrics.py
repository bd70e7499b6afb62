"""What is counted of runs in sandboxes."""

from prometheus_client import Counter, Histogram

from raptorflow.core.telemetry import logger
from raptorflow.sandbox.result import SandboxResult
from raptorflow.sandbox.running.journal import LIMITS
from raptorflow.sandbox.spec import SandboxSpec

log = logger(__name__)

RUNS = Counter("raptorflow_sandbox_runs_total", "Runs in a sandbox", ["driver", "status"])
WALL = Histogram("raptorflow_sandbox_run_seconds", "Time of a run", ["driver"])
START = Histogram("raptorflow_sandbox_start_seconds", "Time until a command was let go", ["driver"])
LIMIT_HITS = Counter("raptorflow_sandbox_limit_hits_total", "Runs that a limit ended", ["limit"])
LEFT_PURE = Counter(
    "raptorflow_sandbox_pure_left_total",
    "Runs of pure actions that were done in a sandbox after all",
    ["begun"],
)
MS = 1000


def observe(spec: SandboxSpec, result: SandboxResult) -> None:
    """Count a run, and say in the log how it ended."""
    RUNS.labels(result.driver, result.status).inc()
    WALL.labels(result.driver).observe(result.wall_ms / MS)
    START.labels(result.driver).observe(result.start_ms / MS)
    if result.status in LIMITS:
        LIMIT_HITS.labels(result.status).inc()
    log.info(
        "sandbox run",
        sandbox_run=spec.run_id,
        driver=result.driver,
        status=result.status,
        wall_ms=result.wall_ms,
        supervised=list(result.weakened),
    )


def observe_left_pure(spec: SandboxSpec, reason: str, *, begun: bool) -> None:
    """Count a run of a pure action that is done in a sandbox, and say in the log why."""
    LEFT_PURE.labels(str(begun).lower()).inc()
    log.info("pure run is done in a sandbox", sandbox_run=spec.run_id, begun=begun, reason=reason)
