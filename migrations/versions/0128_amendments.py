"""Amendments of signed agreements and exchanges of letters."""

from __future__ import annotations

from alembic import op

revision = "0128"
down_revision = "0127"
branch_labels = None
depends_on = None

ONCE = (
    "sent,sent_by,sent_at,reply_days,opened_after_days,opened_by,opened_at,answered_by,answered_at,answer,offer_no,ended_by,"
    "ended_at,end_words,version_no,in_force_at"
)
FREE = "state,kind,by_letter,reason,change,reply_due_on"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE amendment (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            reference TEXT NOT NULL,
            kind TEXT NOT NULL,
            by_letter BOOLEAN NOT NULL,
            side TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL,
            change JSONB NOT NULL,
            drafted_by UUID NOT NULL,
            drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
            sent JSONB,
            sent_by UUID,
            sent_at TIMESTAMP WITH TIME ZONE,
            reply_days INTEGER,
            opened_after_days INTEGER,
            reply_due_on DATE,
            opened_by UUID,
            opened_at TIMESTAMP WITH TIME ZONE,
            answered_by UUID,
            answered_at TIMESTAMP WITH TIME ZONE,
            answer TEXT,
            offer_no INTEGER,
            ended_by UUID,
            ended_at TIMESTAMP WITH TIME ZONE,
            end_words TEXT,
            version_no INTEGER,
            in_force_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_amendment PRIMARY KEY (id),
            CONSTRAINT uq_amendment_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT uq_amendment_reference UNIQUE (reference),
            CONSTRAINT ck_amendment_kind_known CHECK (kind IN ('budget_shift', 'partner_in', 'partner_out', 'extension', 'scope', 'bank_account')),
            CONSTRAINT ck_amendment_side_known CHECK (side IN ('city', 'programme')),
            CONSTRAINT ck_amendment_state_known CHECK (state IN ('drafted', 'sent', 'offered', 'in_force', 'refused', 'withdrawn')),
            CONSTRAINT ck_amendment_number_counts CHECK (number > 0),
            CONSTRAINT ck_amendment_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_amendment_sent_whole CHECK ((sent_at IS NULL) = (sent_by IS NULL) AND (sent_at IS NULL) = (sent IS NULL) AND (sent_at IS NULL) = (reply_due_on IS NULL)),
            CONSTRAINT ck_amendment_sent_has_time CHECK (state IN ('drafted', 'withdrawn') OR sent_at IS NOT NULL),
            CONSTRAINT ck_amendment_answered_whole CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
            CONSTRAINT ck_amendment_answered_has_time CHECK (state NOT IN ('offered', 'in_force') OR answered_at IS NOT NULL),
            CONSTRAINT ck_amendment_two_people CHECK (answered_by <> drafted_by AND answered_by <> sent_by),
            CONSTRAINT ck_amendment_ended_has_time CHECK ((ended_at IS NULL) = (state NOT IN ('refused', 'withdrawn'))),
            CONSTRAINT ck_amendment_in_force_is_version CHECK ((state = 'in_force') = (version_no IS NOT NULL)),
            CONSTRAINT ck_amendment_in_force_has_time CHECK ((version_no IS NULL) = (in_force_at IS NULL)),
            CONSTRAINT ck_amendment_offered_has_offer CHECK (state <> 'offered' OR offer_no IS NOT NULL),
            CONSTRAINT ck_amendment_days_in_range CHECK (reply_days BETWEEN 1 AND 365 AND opened_after_days BETWEEN 0 AND 90),
            CONSTRAINT fk_amendment_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_amendment_grant_id_offer_no FOREIGN KEY(grant_id, offer_no) REFERENCES agreement_offer (grant_id, offer_no) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_amendment_drafted_by FOREIGN KEY(drafted_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_amendment_sent_by FOREIGN KEY(sent_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_amendment_opened_by FOREIGN KEY(opened_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_amendment_answered_by FOREIGN KEY(answered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_amendment_ended_by FOREIGN KEY(ended_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_amendment_one_open ON amendment (grant_id) WHERE state IN ('drafted', 'sent', 'offered')"
    )
    op.execute("CREATE INDEX ix_amendment_reply_due_on ON amendment (reply_due_on) WHERE state = 'sent'")
    op.execute(
        "CREATE TRIGGER amendment_written_once BEFORE UPDATE OR DELETE ON amendment "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{ONCE}', '{FREE}')"
    )
    op.execute(
        "CREATE TRIGGER amendment_never_emptied BEFORE TRUNCATE ON amendment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        ALTER TABLE agreement_offer
            DROP CONSTRAINT ck_agreement_offer_subject_known,
            DROP CONSTRAINT ck_agreement_offer_ended_why_known,
            ADD CONSTRAINT ck_agreement_offer_subject_known CHECK (subject IN ('agreement', 'amendment', 'letter')),
            ADD CONSTRAINT ck_agreement_offer_ended_why_known CHECK (ended_why IN ('taken_back', 'signed', 'dropped', 'declined', 'lapsed', 'withdrawn', 'agreed'))
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM amendment) THEN
            RAISE EXCEPTION 'agreements were amended: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE amendment")
    op.execute(
        """
        ALTER TABLE agreement_offer
            DROP CONSTRAINT ck_agreement_offer_subject_known,
            DROP CONSTRAINT ck_agreement_offer_ended_why_known,
            ADD CONSTRAINT ck_agreement_offer_subject_known CHECK (subject IN ('agreement')),
            ADD CONSTRAINT ck_agreement_offer_ended_why_known CHECK (ended_why IN ('taken_back', 'signed', 'dropped', 'declined', 'lapsed'))
        """
    )
