"""DBOS as the engine uses it: its tables, its configuration, its journal's form.

Nothing of it leaves the machine: no Conductor, no admin server, no telemetry, and its log is ours.
"""

import logging
from collections.abc import Sequence
from typing import Any

from dbos import DBOS, DBOSConfig
from dbos import Serializer as DBOSSerializer
from sqlalchemy.engine import make_url

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps, loads
from raptorflow.core.db import APP_ROLE
from raptorflow.core.settings import EngineSettings
from raptorflow.core.wakeup import plain_url

SCHEMA = "dbos"
ERROR = "raptorflow_error"
# DBOS offers recovery of another executor's workflows under this private name alone; the version is pinned.
RECOVER = "_recover_pending_workflows"


def migrate_engine(owner_url: str) -> None:
    """Bring the engine's own schema forward and let the program's role use it.

    The program's role may not change tables, so a worker only checks that they are those it expects.
    """
    _quiet()
    DBOS.migrate(plain_url(owner_url), schema=SCHEMA, application_role=APP_ROLE)


def configuration(url: str, settings: EngineSettings, executor_id: str) -> DBOSConfig:
    """What DBOS is started with.

    Args:
        url: SQLAlchemy URL of the product's database.
        settings: the engine's.
        executor_id: this worker's name.
    """
    _quiet()
    return {
        "name": "raptorflow",
        "system_database_url": make_url(url).render_as_string(hide_password=False),
        "sys_db_pool_size": settings.pool_size,
        # A start-up option, as in `core.db`: a login that owns the tables steps down for good.
        "db_engine_kwargs": {"connect_args": {"options": f"-c role={APP_ROLE}"}},
        "dbos_system_schema": SCHEMA,
        "run_migrations": False,
        "application_version": settings.application_version,
        "executor_id": executor_id,
        "max_executor_threads": settings.threads,
        "serializer": _Json(),
        "log_level": "WARNING",
        "enable_otlp": False,
    }


def recover(executor_ids: Sequence[str]) -> list[str]:
    """Put unfinished workflows of dead executors back to work; their ids. Doing so twice does no harm."""
    return [handle.workflow_id for handle in getattr(DBOS, RECOVER)(list(executor_ids))]


def _quiet() -> None:
    """Keep DBOS off the terminal: it brings no handler where there is one, and the root's writes for it."""
    log = logging.getLogger("dbos")
    log.setLevel(logging.WARNING)
    if not log.handlers:
        log.addHandler(logging.NullHandler())


class _Json(DBOSSerializer):
    """JSON, so that nothing in the database can become code; an error keeps its sentence."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            return dumps({ERROR: str(data) or repr(data)})
        return dumps(data)

    def deserialize(self, serialized_data: str) -> Any:
        if serialized_data.startswith(f'{{"{ERROR}"'):
            error: JsonObject = loads(serialized_data)
            return RaptorFlowError(str(error[ERROR]))
        return loads(serialized_data)

    def name(self) -> str:
        return "raptorflow_json"
