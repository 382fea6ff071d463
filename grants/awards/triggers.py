"""What the database itself enforces for awards: a complaint stands as it was sent, and as it was decided; so does a list.

Only a list whose group at the line waits for its draw by lot is filled by that draw, once; what was decided is kept.
"""

from __future__ import annotations

from sqlalchemy import Connection

from grants.core.db import WRITTEN_ONCE_TABLES

RULE = WRITTEN_ONCE_TABLES["complaint"]
# What the applicant wrote no longer changes once it is sent, nor until when it could be.
WRITTEN_BY_THE_APPLICANT = ("text", "grounds", "drafted_by", "reached_at", "due_at")
# What still comes after the second decision: the money of a corrected outcome, and the end of a repeated evaluation.
AFTER_THE_DECISION = ("entry_id", "settled_at", "settled_by", "settled_words", "settled_outcome")
# What one of the committee proposes a repeated evaluation came to, as often as it takes until it is settled.
PROPOSED_OUTCOME = ("settlement", "settlement_by", "settlement_at")

# What moves besides on a list, and on an application in it, once nothing of it waits for a draw.
AFTER_THE_DRAW = {"selection": "state", "selection_item": ""}


def install(connection: Connection) -> None:
    """Refuse to rewrite what was sent and what was decided, as the owner role; the function comes from the core."""
    for table, free_then in AFTER_THE_DRAW.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_draw_stands BEFORE UPDATE ON {table} FOR EACH ROW WHEN (NOT OLD.undrawn) "
            f"EXECUTE FUNCTION refuse_rewriting('{','.join(WRITTEN_ONCE_TABLES[table].once)}', '{free_then}')"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_undrawn_kept AFTER UPDATE ON {table} FOR EACH ROW "
            "WHEN (OLD.undrawn AND NOT NEW.undrawn) EXECUTE FUNCTION keep_superseded()"
        )
    free = ",".join(name for name in RULE.free if name not in WRITTEN_BY_THE_APPLICANT)
    for name, when, once, still_free in (
        ("sent", "sent_at", ",".join(RULE.once), free),
        ("decision", "decided_at", ",".join(AFTER_THE_DECISION), ",".join(PROPOSED_OUTCOME)),
        ("settlement", "settled_at", "", ""),
    ):
        connection.exec_driver_sql(
            f"CREATE TRIGGER complaint_{name}_stands BEFORE UPDATE ON complaint "
            f"FOR EACH ROW WHEN (OLD.{when} IS NOT NULL) "
            f"EXECUTE FUNCTION refuse_rewriting('{once}', '{still_free}')"
        )
