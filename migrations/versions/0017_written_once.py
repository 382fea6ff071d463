"""Decisions and signatures stand as they were written: the database refuses to rewrite or delete them.

A signature of an agreement now belongs to one offer and carries the text that was accepted, so that taking an
offer back deletes nothing. Also: the name under which a partner's person was asked, and links by which people
change their own address.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = (
    "bank_account",
    "conflict_declaration",
    "due_diligence_item",
    "eligibility_check",
    "eligibility_result",
    "payment_batch",
    "payment_order_signature",
    "selection",
    "selection_item",
)


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE superseded_row (
            id UUID NOT NULL,
            table_name TEXT NOT NULL,
            row_id UUID NOT NULL,
            row_version INTEGER NOT NULL,
            content JSONB NOT NULL,
            CONSTRAINT pk_superseded_row PRIMARY KEY (id)
        )
        """
    )
    op.execute("CREATE INDEX ix_superseded_row_of ON superseded_row (table_name, row_id, row_version)")
    op.execute(
        """
        ALTER TABLE grant_agreement ADD COLUMN offer_no INTEGER NOT NULL DEFAULT 0
        """
    )
    op.execute(
        """
        ALTER TABLE agreement_signature
            ADD COLUMN offer_no INTEGER NOT NULL DEFAULT 1,
            ADD COLUMN document JSONB NOT NULL DEFAULT '{}'::jsonb
        """
    )
    # An offer taken back lost its signatures until now: those that are there belong to the offer that stands.
    op.execute("UPDATE grant_agreement SET offer_no = 1 WHERE offered_text IS NOT NULL")
    op.execute(
        """
        UPDATE agreement_signature SET document = grant_agreement.offered_text
        FROM grant_agreement WHERE grant_agreement.id = agreement_signature.grant_id AND grant_agreement.offered_text IS NOT NULL
        """
    )
    # Foreign keys are checked at the end of the transaction; a table with such checks waiting cannot be altered.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE grant_agreement ALTER COLUMN offer_no DROP DEFAULT")
    op.execute(
        """
        ALTER TABLE agreement_signature
            ALTER COLUMN offer_no DROP DEFAULT,
            ALTER COLUMN document DROP DEFAULT,
            DROP CONSTRAINT uq_agreement_signature_grant_id_side,
            ADD CONSTRAINT uq_agreement_signature_grant_id_offer_no_side UNIQUE (grant_id, offer_no, side),
            ADD CONSTRAINT ck_agreement_signature_of_an_offer CHECK (offer_no > 0)
        """
    )
    op.execute("ALTER TABLE application_partner ADD COLUMN invited_name TEXT")
    op.execute(
        """
        ALTER TABLE sign_in_link
            ADD COLUMN new_email TEXT,
            ADD COLUMN old_email TEXT,
            DROP CONSTRAINT ck_sign_in_link_purpose_known,
            ADD CONSTRAINT ck_sign_in_link_purpose_known CHECK (purpose IN ('invitation', 'reset', 'address')),
            ADD CONSTRAINT ck_sign_in_link_address_has_email CHECK ((purpose = 'address') = (new_email IS NOT NULL)),
            ADD CONSTRAINT ck_sign_in_link_old_email_after_use CHECK (old_email IS NULL OR used_at IS NOT NULL)
        """
    )
    op.execute(
        """
        ALTER TABLE user_session
            DROP CONSTRAINT ck_user_session_ended_why_known,
            ADD CONSTRAINT ck_user_session_ended_why_known CHECK (ended_why IN ('signed_out', 'ended_by_person', 'password_changed', 'address_changed', 'user_disabled', 'replaced'))
        """
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          free text[] := string_to_array(TG_ARGV[1], ',') || 'version'::text;
          before jsonb := to_jsonb(OLD) - free;
          after jsonb;
          name text;
        BEGIN
          IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION '% keeps what was decided: DELETE is refused', TG_TABLE_NAME;
          END IF;
          after := to_jsonb(NEW) - free;
          FOREACH name IN ARRAY string_to_array(TG_ARGV[0], ',') LOOP
            IF before -> name = 'null'::jsonb THEN
              before := before - name;
              after := after - name;
            END IF;
          END LOOP;
          IF before <> after THEN
            RAISE EXCEPTION '% was written once: this UPDATE is refused; correct it by a new row', TG_TABLE_NAME;
          END IF;
          RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE OR REPLACE FUNCTION keep_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          INSERT INTO superseded_row (id, table_name, row_id, row_version, content)
            VALUES (gen_random_uuid(), TG_TABLE_NAME, OLD.id, OLD.version, to_jsonb(OLD));
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER agreement_signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agreement_signature
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER superseded_row_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON superseded_row
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER bank_account_written_once BEFORE UPDATE OR DELETE ON bank_account
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at,evidence', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER bank_account_never_emptied BEFORE TRUNCATE ON bank_account
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER conflict_declaration_written_once BEFORE UPDATE OR DELETE ON conflict_declaration
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('', 'declared,reason,declared_at,ruling,ruling_reason,ruled_by,ruled_at')
        """
    )
    op.execute(
        """
        CREATE TRIGGER conflict_declaration_never_emptied BEFORE TRUNCATE ON conflict_declaration
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER conflict_declaration_kept AFTER UPDATE ON conflict_declaration
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )
    op.execute(
        """
        CREATE TRIGGER due_diligence_item_written_once BEFORE UPDATE OR DELETE ON due_diligence_item
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('', 'answer,note,evidence_on,answered_at,answered_by')
        """
    )
    op.execute(
        """
        CREATE TRIGGER due_diligence_item_never_emptied BEFORE TRUNCATE ON due_diligence_item
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER due_diligence_item_kept AFTER UPDATE ON due_diligence_item
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_check_written_once BEFORE UPDATE OR DELETE ON eligibility_check
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('verdict,reason,decided_at,decided_by', 'saves')
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_check_never_emptied BEFORE TRUNCATE ON eligibility_check
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_result_written_once BEFORE UPDATE OR DELETE ON eligibility_result
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('', 'verdict,reason')
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_result_never_emptied BEFORE TRUNCATE ON eligibility_result
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER eligibility_result_kept AFTER UPDATE ON eligibility_result
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION keep_superseded()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_batch_written_once BEFORE UPDATE OR DELETE ON payment_batch
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('file_id,file_sha256', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_batch_never_emptied BEFORE TRUNCATE ON payment_batch
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_order_signature_written_once BEFORE UPDATE OR DELETE ON payment_order_signature
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('voided_at,voided_why', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER payment_order_signature_never_emptied BEFORE TRUNCATE ON payment_order_signature
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER selection_written_once BEFORE UPDATE OR DELETE ON selection
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at,returned_by,return_reason', 'state')
        """
    )
    op.execute(
        """
        CREATE TRIGGER selection_never_emptied BEFORE TRUNCATE ON selection
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER selection_item_written_once BEFORE UPDATE OR DELETE ON selection_item
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('entry_id', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER selection_item_never_emptied BEFORE TRUNCATE ON selection_item
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
        op.execute(f"DROP TRIGGER {table}_never_emptied ON {table}")
        op.execute(f"DROP TRIGGER IF EXISTS {table}_kept ON {table}")
    op.execute("DROP TRIGGER agreement_signature_append_only ON agreement_signature")
    op.execute("DROP TABLE superseded_row")
    op.execute("DROP FUNCTION refuse_rewriting(), keep_superseded()")
    # The older program knows one offer; signatures of those taken back would look like valid ones to it.
    op.execute(
        """
        DELETE FROM agreement_signature USING grant_agreement
        WHERE grant_agreement.id = agreement_signature.grant_id
            AND (grant_agreement.offered_text IS NULL OR grant_agreement.offer_no <> agreement_signature.offer_no)
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE agreement_signature
            DROP COLUMN offer_no,
            DROP COLUMN document,
            ADD CONSTRAINT uq_agreement_signature_grant_id_side UNIQUE (grant_id, side)
        """
    )
    op.execute("ALTER TABLE grant_agreement DROP COLUMN offer_no")
    op.execute("ALTER TABLE application_partner DROP COLUMN invited_name")
    op.execute("DELETE FROM sign_in_link WHERE purpose = 'address'")
    op.execute(
        """
        ALTER TABLE sign_in_link
            DROP COLUMN new_email,
            DROP COLUMN old_email,
            DROP CONSTRAINT ck_sign_in_link_purpose_known,
            ADD CONSTRAINT ck_sign_in_link_purpose_known CHECK (purpose IN ('invitation', 'reset'))
        """
    )
    op.execute("UPDATE user_session SET ended_why = 'ended_by_person' WHERE ended_why = 'address_changed'")
    op.execute(
        """
        ALTER TABLE user_session
            DROP CONSTRAINT ck_user_session_ended_why_known,
            ADD CONSTRAINT ck_user_session_ended_why_known
                CHECK (ended_why IN ('signed_out', 'ended_by_person', 'password_changed', 'user_disabled', 'replaced'))
        """
    )
