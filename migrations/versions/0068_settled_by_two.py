"""The outcome of a repeated evaluation has two people behind it and is kept with its scores and words; a list decided despite open complaints says why."""

from __future__ import annotations

from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

SENT = (
    "sent_at,sent_by,sha256,first_decide_at,checked_by,checked_at,check_reason,confirmed_by,decided_at,letter,"
    "letter_sha256,withdrawn_at,withdrawn_by,withdraw_reason,entry_id,settled_at,settled_by,settled_words"
)
LATER = (
    "state,decide_at,extension_reason,member_one,member_two,named_by,remedy,upholds,decision,proposed_by,proposed_at,"
    "return_reason"
)
WRITTEN = (
    "state,text,grounds,drafted_by,decide_at,extension_reason,member_one,member_two,named_by,remedy,upholds,decision,"
    "proposed_by,proposed_at,return_reason"
)
SETTLED = "entry_id,settled_at,settled_by,settled_words"
PROPOSED = "settlement,settlement_by,settlement_at"


def _stands(name: str, when: str, once: str, free: str) -> None:
    op.execute(
        f"CREATE TRIGGER complaint_{name}_stands BEFORE UPDATE ON complaint FOR EACH ROW WHEN (OLD.{when} IS NOT NULL) "
        f"EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')"
    )


def _written_once(table: str, once: str, free: str) -> None:
    op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW "
        f"EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')"
    )


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE complaint
            ADD COLUMN settled_outcome TEXT,
            ADD COLUMN settlement JSONB,
            ADD COLUMN settlement_by UUID,
            ADD COLUMN settlement_at TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT ck_complaint_settled_outcome_known CHECK (settled_outcome IN ('selected', 'reserve', 'not_funded', 'below_threshold')),
            ADD CONSTRAINT ck_complaint_settlement_whole CHECK ((settlement IS NULL) = (settlement_by IS NULL) AND (settlement IS NULL) = (settlement_at IS NULL)),
            ADD CONSTRAINT ck_complaint_settled_outcome_has_time CHECK (settled_outcome IS NULL OR settled_at IS NOT NULL),
            ADD CONSTRAINT ck_complaint_settled_as_proposed CHECK (settled_outcome IS NULL OR settlement IS NOT NULL),
            ADD CONSTRAINT ck_complaint_settled_by_another CHECK (settled_by <> settlement_by),
            ADD CONSTRAINT fk_complaint_settlement_by FOREIGN KEY(settlement_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    _written_once("complaint", f"{SENT},settled_outcome", f"{WRITTEN},{PROPOSED}")
    for name in ("sent", "decision"):
        op.execute(f"DROP TRIGGER complaint_{name}_stands ON complaint")
    _stands("sent", "sent_at", f"{SENT},settled_outcome", f"{LATER},{PROPOSED}")
    _stands("decision", "decided_at", f"{SETTLED},settled_outcome", PROPOSED)
    # What the applicant reads after a repeated evaluation stands from the moment it is settled.
    _stands("settlement", "settled_at", "", "")
    op.execute("ALTER TABLE selection ADD COLUMN despite TEXT NOT NULL DEFAULT '', ADD COLUMN confirmed_despite TEXT")
    op.execute("ALTER TABLE selection ALTER COLUMN despite DROP DEFAULT")
    _written_once("selection", "confirmed_by,confirmed_at,confirmed_despite,returned_by,return_reason", "state")


def downgrade() -> None:
    _written_once("selection", "confirmed_by,confirmed_at,returned_by,return_reason", "state")
    op.execute("ALTER TABLE selection DROP COLUMN despite, DROP COLUMN confirmed_despite")
    for name in ("sent", "decision", "settlement"):
        op.execute(f"DROP TRIGGER complaint_{name}_stands ON complaint")
    _written_once("complaint", SENT, WRITTEN)
    _stands("sent", "sent_at", SENT, LATER)
    _stands("decision", "decided_at", SETTLED, "")
    op.execute(
        "ALTER TABLE complaint DROP COLUMN settled_outcome, DROP COLUMN settlement, DROP COLUMN settlement_by, "
        "DROP COLUMN settlement_at"
    )
