"""What the database itself enforces for reports: lines of costs move only while the report is in the hands of the city."""

from __future__ import annotations

from sqlalchemy import Connection

_IN_HAND = """
CREATE FUNCTION check_cost_line_in_hand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stands text;
BEGIN
  SELECT state INTO stands FROM periodic_report WHERE id = coalesce(NEW.report_id, OLD.report_id);
  IF stands NOT IN ('draft', 'returned') THEN
    RAISE EXCEPTION 'the costs of a report that is % do not change', stands USING ERRCODE = 'check_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$
"""


def install(connection: Connection) -> None:
    """Create the functions and triggers, as the owner role."""
    connection.exec_driver_sql(_IN_HAND.replace("%", "%%"))
    connection.exec_driver_sql(
        "CREATE TRIGGER cost_line_in_hand BEFORE INSERT OR UPDATE OR DELETE ON cost_line "
        "FOR EACH ROW EXECUTE FUNCTION check_cost_line_in_hand()"
    )
