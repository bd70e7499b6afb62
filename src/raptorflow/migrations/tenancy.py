"""Row-level security, written once for every migration that makes a table.

A transaction says for whom it works by two settings: `raptorflow.org_id` (one organisation) or
`raptorflow.scope = 'system'` (workers and sign-in). With neither, no tenant row is visible.
"""

from alembic import op

APP_ROLE = "raptorflow_app"
IS_SYSTEM = "coalesce(current_setting('raptorflow.scope', true), '') = 'system'"
OWN_ORG = "org_id = nullif(current_setting('raptorflow.org_id', true), '')::uuid"


def grant(table: str, privileges: str = "select, insert, update, delete") -> None:
    """Let the program's role use a table that is not a tenant's."""
    op.execute(f"grant {privileges} on {table} to {APP_ROLE}")


def protect(table: str, *, readable: str | None = None) -> None:
    """Hold a tenant table (it has `org_id`) to the session's organisation, the owner included.

    Args:
        table: its name.
        readable: one more SQL condition under which other organisations may read a row.
    """
    grant(table)
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} using ({OWN_ORG} or {IS_SYSTEM}) "
        f"with check ({OWN_ORG} or {IS_SYSTEM})"
    )
    if readable:
        op.execute(f"create policy readable on {table} for select using ({readable})")
