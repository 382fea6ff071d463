"""The time to complain runs anew once the reasons can be read, of a draft alone; a minority view stays with its version; a meeting logs scores."""

from __future__ import annotations

from alembic import op

revision = "0083"
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


def _answers(known: str, words: str) -> None:
    op.execute(
        f"""
        ALTER TABLE consensus_answer
            DROP CONSTRAINT ck_consensus_answer_answer_known,
            ADD CONSTRAINT ck_consensus_answer_answer_known CHECK (answer IN ({known})),
            {words}
        """
    )


LOGGED = (
    "'begun', 'paused', 'resumed', 'ended', 'arrived', 'left', 'opened', 'closed', 'stepped_out', 'called_back', "
    "'proposed', 'voted', 'counted', 'reordered', 'recommended', 'remarked'"
)
ABOUT_AN_ITEM = (
    "'opened', 'closed', 'stepped_out', 'called_back', 'proposed', 'voted', 'counted', 'reordered', 'recommended', "
    "'remarked'"
)


def _log(more: str) -> None:
    op.execute(
        f"""
        ALTER TABLE panel_event
            DROP CONSTRAINT ck_panel_event_kind_known,
            ADD CONSTRAINT ck_panel_event_kind_known CHECK (kind IN ({LOGGED}{more})),
            DROP CONSTRAINT ck_panel_event_about_an_item,
            ADD CONSTRAINT ck_panel_event_about_an_item CHECK (kind NOT IN ({ABOUT_AN_ITEM}{more}) OR item_id IS NOT NULL),
            DROP CONSTRAINT ck_panel_event_change_has_reason,
            ADD CONSTRAINT ck_panel_event_change_has_reason CHECK (kind NOT IN ('reordered', 'recommended'{more}) OR reason <> '')
        """
    )


def upgrade() -> None:
    _log(", 'scored'")
    _written_once(f"{FREE},reached_at,due_at,{SETTLEMENT}")
    _answers(
        "'approve', 'dissent', 'closed', 'reopened'",
        "DROP CONSTRAINT ck_consensus_answer_dissent_has_words, "
        "ADD CONSTRAINT ck_consensus_answer_all_but_approval_has_words CHECK ((answer = 'approve') = (words = ''))",
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM consensus_answer WHERE answer IN ('closed', 'reopened'))
               OR EXISTS (SELECT FROM panel_event WHERE kind = 'scored') THEN
                RAISE EXCEPTION 'the older program knows no view or reason kept with a version of a consensus, and no score in the log of a panel; neither is ever removed: restore the backup of before the upgrade';
            END IF;
        END $$
        """
    )
    _log("")
    _answers(
        "'approve', 'dissent'",
        "DROP CONSTRAINT ck_consensus_answer_all_but_approval_has_words, "
        "ADD CONSTRAINT ck_consensus_answer_dissent_has_words CHECK ((answer = 'dissent') = (words <> ''))",
    )
    _written_once(f"{FREE},{SETTLEMENT}")
