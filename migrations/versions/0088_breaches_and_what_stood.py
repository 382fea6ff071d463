"""The broken rules a proposal answers stay with it; what an agreed consensus came to is kept until it is agreed anew."""

from __future__ import annotations

from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None

SENT = (
    "sent_at,sent_by,sha256,first_decide_at,checked_by,checked_at,check_reason,confirmed_by,decided_at,letter,"
    "letter_sha256,withdrawn_at,withdrawn_by,withdraw_reason,entry_id,settled_at,settled_by,settled_words,settled_outcome"
)
APPLICANT = "text,grounds,drafted_by"
LATER = "decide_at,extension_reason,member_one,member_two,named_by,remedy,upholds,decision,despite"
PROPOSED = "proposed_by,proposed_at,return_reason"
SETTLEMENT = "settlement,settlement_by,settlement_at"
RUNS = "reached_at,due_at"


def upgrade() -> None:
    op.execute("ALTER TABLE consensus ADD COLUMN reopened JSONB")
    # Of what is proposed already nobody knows any more which rules it was: where it breaks some it goes back.
    op.execute("ALTER TABLE complaint ADD COLUMN breached TEXT")
    _guard(f"{LATER},breached,{PROPOSED}")


def downgrade() -> None:
    op.execute("ALTER TABLE consensus DROP COLUMN reopened")
    op.execute("ALTER TABLE complaint DROP COLUMN breached")
    _guard(f"{LATER},{PROPOSED}")


def _guard(free: str) -> None:
    """Free until the decision, as the decision itself is."""
    op.execute("DROP TRIGGER complaint_written_once ON complaint")
    op.execute(
        "CREATE TRIGGER complaint_written_once BEFORE UPDATE OR DELETE ON complaint FOR EACH ROW "
        f"EXECUTE FUNCTION refuse_rewriting('{SENT}', 'state,{APPLICANT},{free},{RUNS},{SETTLEMENT}')"
    )
    op.execute("DROP TRIGGER complaint_sent_stands ON complaint")
    op.execute(
        "CREATE TRIGGER complaint_sent_stands BEFORE UPDATE ON complaint FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL) "
        f"EXECUTE FUNCTION refuse_rewriting('{SENT}', 'state,{free},{SETTLEMENT}')"
    )
