"""The time to complain about a result runs anew once the reasons can be read: the last day of a draft may move, of nothing sent."""

from __future__ import annotations

from alembic import op

revision = "0089"
down_revision = "0082"
branch_labels = None
depends_on = None

ONCE = (
    "sent_at,sent_by,sha256,first_decide_at,checked_by,checked_at,check_reason,confirmed_by,decided_at,letter,"
    "letter_sha256,withdrawn_at,withdrawn_by,withdraw_reason,entry_id,settled_at,settled_by,settled_words,settled_outcome"
)
FREE = (
    "state,text,grounds,drafted_by,decide_at,extension_reason,member_one,member_two,named_by,remedy,upholds,decision,"
    "proposed_by,proposed_at,return_reason"
)
SETTLEMENT = "settlement,settlement_by,settlement_at"


def _written_once(free: str) -> None:
    op.execute("DROP TRIGGER complaint_written_once ON complaint")
    op.execute(
        "CREATE TRIGGER complaint_written_once BEFORE UPDATE OR DELETE ON complaint FOR EACH ROW "
        f"EXECUTE FUNCTION refuse_rewriting('{ONCE}', '{free}')"
    )


def upgrade() -> None:
    _written_once(f"{FREE},reached_at,due_at,{SETTLEMENT}")


def downgrade() -> None:
    _written_once(f"{FREE},{SETTLEMENT}")
