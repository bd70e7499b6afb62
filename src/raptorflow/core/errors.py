"""What can go wrong with the parts beneath the product."""

from raptorflow.base.errors import Conflict, InvalidInput, PartUnavailable, RaptorFlowError
from raptorflow.base.json import JsonObject


class DatabaseUnavailable(PartUnavailable):
    """PostgreSQL does not answer."""

    code = "database-unavailable"
    default_hint = "Does it run, and is RAPTORFLOW_DATABASE__URL right? `raptorflow doctor` tries to connect."


class DatabaseUrlInvalid(InvalidInput):
    """The database's address cannot be read; it is not repeated, because it may hold a password."""

    code = "database-url-invalid"
    default_hint = (
        "Write RAPTORFLOW_DATABASE__URL as postgresql+psycopg://user:password@host:5432/name; "
        "letters with a meaning of their own, such as / or @ in a password, as %2F or %40."
    )


class MigrationRefused(PartUnavailable):
    """PostgreSQL does not let this login bring the schema forward."""

    code = "migration-refused"
    default_hint = "Let RAPTORFLOW_DATABASE__OWNER_URL log in as the role that owns the tables."


class MigrationFailed(PartUnavailable):
    """A statement of a migration failed; nothing of its transaction stays."""

    code = "migration-failed"
    default_hint = "PostgreSQL 18 with pgvector 0.8 is what is tested; the log has the statement."


class DatabaseRoleTooStrong(PartUnavailable):
    """The role the program runs as would not be held by row-level security."""

    code = "database-role-too-strong"
    default_hint = "Let RAPTORFLOW_DATABASE__URL log in as a role that may become `raptorflow_app`."


class WorkerPortTaken(Conflict):
    """The worker cannot listen where it was told to."""

    code = "worker-port-taken"
    default_hint = "Give each worker of a machine its own RAPTORFLOW_TELEMETRY__WORKER_PORT, or 0 for none."


class ValkeyUnavailable(PartUnavailable):
    """Valkey does not answer."""

    code = "valkey-unavailable"
    default_hint = "Does it run, and is RAPTORFLOW_VALKEY__URL right? `raptorflow doctor` tries to connect."


class ValkeyUrlInvalid(InvalidInput):
    """Valkey's address cannot be read; it is not repeated, because it may hold a password."""

    code = "valkey-url-invalid"
    default_hint = "Write RAPTORFLOW_VALKEY__URL as redis://:password@host:6379/0, rediss://... or unix://..."


class BlobMissing(PartUnavailable):
    """A file that a row names is not in the store."""

    code = "blob-missing"
    default_hint = "Restore the blob store from its backup, or publish the version again."


class BlobsUnavailable(PartUnavailable):
    """The blob store does not answer, or refuses."""

    code = "blobs-unavailable"
    default_hint = "Check RAPTORFLOW_BLOBS__URL and the store's credentials in the environment."


class SecretUnreadable(PartUnavailable):
    """A sealed secret does not open: another installation's secret, another row, or it was changed."""

    code = "secret-unreadable"
    default_hint = "Is RAPTORFLOW_ACCOUNTS__SECRET the one it was sealed under? Otherwise enter it again."


class UnknownJob(PartUnavailable):
    """A job was enqueued under a name that no room registered."""

    code = "unknown-job"
    default_hint = "Start a worker of the version that enqueued it."


class ExecutorTaken(Conflict):
    """Two workers under one name would each run the other's jobs again."""

    code = "executor-taken"
    default_hint = "Give each worker a name of its own: RAPTORFLOW_ENGINE__EXECUTOR_ID, or leave it unset."


class JobFailed(RaptorFlowError):
    """A step of a durable job was refused; `cause` is the problem document of the refusal."""

    code = "job-failed"

    def __init__(self, cause: JsonObject) -> None:
        super().__init__(str(cause.get("detail")), hint=cause.get("hint"))
        self.cause = cause
