"""What the database itself enforces beyond constraints: append-only tables, the sealer's inbox, the program's rights."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, inspect

from grants.core.db import APPEND_ONLY_TABLES, KEPT_TABLES, WRITTEN_ONCE_TABLES

# Whether who asks is bound by none of what follows: the tables' owner, a member of that role, or a superuser.
OWNS_TABLES = (
    "EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND pg_has_role(current_user, tableowner, 'MEMBER'))"
)

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
# Arguments: the columns that are filled once, and those that move with the state of the row.
_WRITTEN_ONCE = """
CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := string_to_array(TG_ARGV[1], ',') || 'version'::text;
  before jsonb := to_jsonb(OLD) - free;
  after jsonb;
  name text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION '%% keeps what was decided: DELETE is refused', TG_TABLE_NAME;
  END IF;
  after := to_jsonb(NEW) - free;
  FOREACH name IN ARRAY string_to_array(TG_ARGV[0], ',') LOOP
    IF before -> name = 'null'::jsonb THEN
      before := before - name;
      after := after - name;
    END IF;
  END LOOP;
  IF before <> after THEN
    RAISE EXCEPTION '%% was written once: this UPDATE is refused; correct it by a new row', TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$
"""
_KEEP = """
CREATE OR REPLACE FUNCTION keep_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO superseded_row (id, table_name, row_id, row_version, content)
    VALUES (gen_random_uuid(), TG_TABLE_NAME, OLD.id, OLD.version, to_jsonb(OLD));
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Create the functions and triggers on the core's tables, as the owner role."""
    connection.exec_driver_sql(_REFUSE)
    connection.exec_driver_sql(_INBOX)
    connection.exec_driver_sql(_WRITTEN_ONCE)
    connection.exec_driver_sql(_KEEP)
    present = set(inspect(connection).get_table_names())
    for table in sorted(APPEND_ONLY_TABLES & present):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in sorted(WRITTEN_ONCE_TABLES.keys() & present):
        for statement in written_once(table):
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        "CREATE TRIGGER audit_event_unsealed AFTER INSERT ON audit_event REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION note_unsealed()"
    )


def written_once(table: str) -> Iterator[str]:
    """The statements that make a table's rows stand as they were written."""
    rule = WRITTEN_ONCE_TABLES[table]
    yield (
        f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{','.join(rule.once)}', '{','.join(rule.free)}')"
    )
    yield (
        f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    if rule.kept:
        yield (
            f"CREATE TRIGGER {table}_kept AFTER UPDATE ON {table} FOR EACH ROW "
            "WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION keep_superseded()"
        )


def grant_program_role(connection: Connection, role: str) -> None:
    """Give the program's role its rights on every table: on append-only ones only to read and to add, of decisions
    only to add and to fill what is filled later."""
    name = connection.dialect.identifier_preparer.quote(role)
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}")
    present = set(inspect(connection).get_table_names())
    # Where the schema stands is the owner's to say.
    if "alembic_version" in present:
        connection.exec_driver_sql(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {name}")
    for table in sorted(KEPT_TABLES & present):
        connection.exec_driver_sql(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table} FROM {name}")
    for table in sorted(APPEND_ONLY_TABLES & present):
        connection.exec_driver_sql(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {name}")
    for table in sorted(WRITTEN_ONCE_TABLES.keys() & present):
        connection.exec_driver_sql(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {name}")
        columns = ", ".join((*WRITTEN_ONCE_TABLES[table].once, *WRITTEN_ONCE_TABLES[table].free, "version"))
        connection.exec_driver_sql(f"GRANT UPDATE ({columns}) ON {table} TO {name}")
