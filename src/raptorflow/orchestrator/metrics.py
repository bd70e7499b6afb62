"""What the orchestrator counts for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

RUNS = Counter("raptorflow_runs_total", "Runs that ended", ["status"])
RUN_SECONDS = Histogram("raptorflow_run_seconds", "From a worker taking a run to its end", ["status"])
RUNS_ACTIVE = Gauge("raptorflow_runs_active", "Runs this worker is at")
RUNS_RESUMED = Counter("raptorflow_runs_resumed_total", "Runs taken over from another worker")
STEP_SECONDS = Histogram("raptorflow_step_seconds", "Time of a step", ["kind"])
MODEL_TOKENS = Counter(
    "raptorflow_model_tokens_total", "Tokens by the provider's count", ["model", "direction"]
)
MODEL_RETRIES = Counter("raptorflow_model_retries_total", "Model requests sent again", ["reason"])
SKILL_LOADS = Counter("raptorflow_skill_loads_total", "Skills loaded into a session", ["skill"])
ACTIONS = Counter("raptorflow_actions_total", "Actions run in a sandbox", ["skill", "status"])
EVENTS_LOST = Counter("raptorflow_live_events_lost_total", "Events that Valkey did not take")
SOCKETS = Gauge("raptorflow_sockets_open", "WebSockets and event streams open here")
SLOW_CLIENTS = Counter("raptorflow_slow_clients_total", "Clients dropped because they did not keep up")
