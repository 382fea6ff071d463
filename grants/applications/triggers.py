"""What the database itself keeps of applications: how many of each state a call was sent, so that no list counts rows."""

from __future__ import annotations

from sqlalchemy import Connection

# Whether staff may ever see a row: it was sent once, or its outcome was published elsewhere.
_SENT = "({row}.submission_id IS NOT NULL OR {row}.origin = 'published_outcome')"
# Deferred, so that the row of a total is held from the end of an act to its commit only; in the order of the key, so that
# two acts never wait for each other crosswise.
_COUNT = f"""
CREATE OR REPLACE FUNCTION count_application() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO application_total AS standing (call_id, state, number)
    SELECT call_id, state, sum(change) FROM (
      SELECT OLD.call_id, OLD.state, -1 WHERE TG_OP <> 'INSERT' AND {_SENT.format(row="OLD")}
      UNION ALL
      SELECT NEW.call_id, NEW.state, 1 WHERE TG_OP <> 'DELETE' AND {_SENT.format(row="NEW")}
    ) AS changes (call_id, state, change)
    GROUP BY call_id, state HAVING sum(change) <> 0 ORDER BY call_id, state
    ON CONFLICT (call_id, state) DO UPDATE SET number = standing.number + excluded.number;
  RETURN NULL;
END $$
"""


def install(connection: Connection) -> None:
    """Create the function and its deferred constraint trigger, as the owner role."""
    connection.exec_driver_sql(_COUNT)
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER application_counted AFTER INSERT OR UPDATE OR DELETE ON application "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_application()"
    )
