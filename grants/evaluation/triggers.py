"""What the database itself enforces for evaluation: a run of the assignment is never changed."""

from __future__ import annotations

from sqlalchemy import Connection


def install(connection: Connection) -> None:
    """Refuse UPDATE and DELETE on assignment runs, as the owner role; the function comes from the core."""
    connection.exec_driver_sql(
        "CREATE TRIGGER assignment_run_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assignment_run "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
