"""What of an amendment was sent stands: why, what it changes, and by letters or not."""

from __future__ import annotations

from sqlalchemy import Connection

_FUNCTION = """
CREATE FUNCTION refuse_rewriting_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'this amendment was sent: what it says stands' USING ERRCODE = 'check_violation';
END $$
"""
_TRIGGER = (
    "CREATE TRIGGER amendment_sent_stands BEFORE UPDATE ON amendment FOR EACH ROW WHEN ("
    "OLD.sent_at IS NOT NULL AND (OLD.kind, OLD.by_letter, OLD.reason, OLD.change) IS DISTINCT FROM "
    "(NEW.kind, NEW.by_letter, NEW.reason, NEW.change)) EXECUTE FUNCTION refuse_rewriting_sent()"
)


def install(connection: Connection) -> None:
    """Create them, as the owner role."""
    connection.exec_driver_sql(_FUNCTION)
    connection.exec_driver_sql(_TRIGGER)
