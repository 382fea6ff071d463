"""How many applications of each state a call was sent, kept by the database, so that a list counts no rows."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_SENT = "({row}.submission_id IS NOT NULL OR {row}.origin = 'published_outcome')"
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


def upgrade() -> None:
    op.execute(
        "CREATE TABLE application_total ("
        "call_id uuid NOT NULL, state text NOT NULL, number integer NOT NULL, "
        "CONSTRAINT pk_application_total PRIMARY KEY (call_id, state), "
        "CONSTRAINT fk_application_total_call_id FOREIGN KEY (call_id) REFERENCES call (id) "
        "DEFERRABLE INITIALLY DEFERRED)"
    )
    op.execute(_COUNT)
    op.execute(
        "CREATE CONSTRAINT TRIGGER application_counted AFTER INSERT OR UPDATE OR DELETE ON application "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_application()"
    )
    op.execute(
        "INSERT INTO application_total (call_id, state, number) SELECT call_id, state, count(*) FROM application "
        f"WHERE {_SENT.format(row='application')} GROUP BY call_id, state"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER application_counted ON application")
    op.execute("DROP FUNCTION count_application()")
    op.execute("DROP TABLE application_total")
