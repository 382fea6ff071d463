"""What the database itself enforces beyond constraints: append-only tables, the sealer's inbox, the program's rights."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from grants.core.db import APPEND_ONLY_TABLES

# Triggers do not bind an owner who drops them; the program therefore signs in as another role with fewer rights.
_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%% is append-only: %% is refused; correct it by a new row', TG_TABLE_NAME, TG_OP;
END $$
"""
_INBOX = """
CREATE OR REPLACE FUNCTION note_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed (event_id) SELECT id FROM added;
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Create the functions and triggers on the core's tables, as the owner role."""
    connection.exec_driver_sql(_REFUSE)
    connection.exec_driver_sql(_INBOX)
    present = set(inspect(connection).get_table_names())
    for table in sorted(APPEND_ONLY_TABLES & present):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    connection.exec_driver_sql(
        "CREATE TRIGGER audit_event_unsealed AFTER INSERT ON audit_event REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION note_unsealed()"
    )


def grant_program_role(connection: Connection, role: str) -> None:
    """Give the program's role its rights on every table: on append-only ones only to read and to add."""
    name = connection.dialect.identifier_preparer.quote(role)
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
    for table in sorted(APPEND_ONLY_TABLES & set(inspect(connection).get_table_names())):
        connection.exec_driver_sql(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {name}")
