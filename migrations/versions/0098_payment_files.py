"""Orders stand in a payment file before it is sent: a file is built, made and checked, then sent or discarded."""

from __future__ import annotations

from alembic import op

revision = "0098"
down_revision = "0097"
branch_labels = None
depends_on = None

ONCE = "file_id,file_sha256,problems,sent_at,sent_by,discarded_at,discarded_by,discard_reason"


def written_once(once: str, free: str) -> str:
    return f"""
        CREATE TRIGGER payment_batch_written_once BEFORE UPDATE OR DELETE ON payment_batch FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')
        """


def upgrade() -> None:
    op.execute("DROP TRIGGER payment_batch_written_once ON payment_batch")
    op.execute("ALTER TABLE payment_batch RENAME COLUMN exported_at TO built_at")
    op.execute(
        "ALTER TABLE payment_batch RENAME CONSTRAINT payment_batch_exported_at_not_null TO payment_batch_built_at_not_null"
    )
    op.execute("ALTER TABLE payment_batch RENAME COLUMN exported_by TO built_by")
    op.execute(
        "ALTER TABLE payment_batch RENAME CONSTRAINT payment_batch_exported_by_not_null TO payment_batch_built_by_not_null"
    )
    op.execute("ALTER TABLE payment_batch RENAME CONSTRAINT fk_payment_batch_exported_by TO fk_payment_batch_built_by")
    op.execute(
        """
        ALTER TABLE payment_batch
            ADD COLUMN message_id TEXT, ADD COLUMN own_account_id UUID, ADD COLUMN layout TEXT, ADD COLUMN execution_on DATE,
            ADD COLUMN state TEXT, ADD COLUMN content JSONB, ADD COLUMN problems JSONB,
            ADD COLUMN sent_at TIMESTAMP WITH TIME ZONE, ADD COLUMN sent_by UUID,
            ADD COLUMN discarded_at TIMESTAMP WITH TIME ZONE, ADD COLUMN discarded_by UUID, ADD COLUMN discard_reason TEXT
        """
    )
    # Until now a list left the moment it was exported, and its account was not kept.
    op.execute(
        """
        UPDATE payment_batch SET message_id = reference, layout = 'xlsx', state = 'sent', content = '[]',
            sent_at = built_at, sent_by = built_by
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE payment_batch
            ALTER COLUMN message_id SET NOT NULL, ALTER COLUMN layout SET NOT NULL, ALTER COLUMN state SET NOT NULL,
            ALTER COLUMN content SET NOT NULL,
            ADD CONSTRAINT uq_payment_batch_message_id UNIQUE (message_id),
            ADD CONSTRAINT ck_payment_batch_state_known CHECK (state IN ('building', 'ready', 'refused', 'sent', 'discarded')),
            ADD CONSTRAINT ck_payment_batch_layout_known CHECK (layout IN ('pain.001.001.03', 'pain.001.001.09', 'xlsx')),
            ADD CONSTRAINT ck_payment_batch_account_has_day CHECK ((own_account_id IS NULL) = (execution_on IS NULL)),
            ADD CONSTRAINT ck_payment_batch_new_has_account CHECK (own_account_id IS NOT NULL OR state = 'sent'),
            ADD CONSTRAINT ck_payment_batch_ready_has_file CHECK (state NOT IN ('ready', 'sent') OR file_id IS NOT NULL OR own_account_id IS NULL),
            ADD CONSTRAINT ck_payment_batch_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
            ADD CONSTRAINT ck_payment_batch_sent_has_person CHECK ((sent_at IS NULL) = (sent_by IS NULL)),
            ADD CONSTRAINT ck_payment_batch_discarded_has_time CHECK ((state = 'discarded') = (discarded_at IS NOT NULL)),
            ADD CONSTRAINT ck_payment_batch_discarding_whole CHECK (num_nulls(discarded_at, discarded_by, discard_reason) IN (0, 3)),
            ADD CONSTRAINT fk_payment_batch_own_account_id FOREIGN KEY(own_account_id) REFERENCES own_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_payment_batch_sent_by FOREIGN KEY(sent_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_payment_batch_discarded_by FOREIGN KEY(discarded_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("CREATE INDEX ix_payment_batch_own_account_id ON payment_batch (own_account_id)")
    op.execute(written_once(ONCE, "state"))
    op.execute("ALTER TABLE payment_order RENAME COLUMN exported_by TO sent_by")
    op.execute("ALTER TABLE payment_order RENAME CONSTRAINT fk_payment_order_exported_by TO fk_payment_order_sent_by")
    op.execute(
        """
        ALTER TABLE payment_order
            ADD COLUMN end_to_end_id TEXT,
            DROP CONSTRAINT ck_payment_order_state_known,
            DROP CONSTRAINT ck_payment_order_verified_has_person,
            DROP CONSTRAINT ck_payment_order_authorised_has_person,
            DROP CONSTRAINT ck_payment_order_exported_has_person,
            DROP CONSTRAINT ck_payment_order_exported_in_batch
        """
    )
    op.execute(
        """
        UPDATE payment_order SET state = CASE state WHEN 'exported' THEN 'sent' ELSE state END,
            end_to_end_id = CASE WHEN batch_id IS NOT NULL THEN reference || '-' || left(md5(id::text), 6) END
        WHERE batch_id IS NOT NULL
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE payment_order
            ADD CONSTRAINT uq_payment_order_end_to_end_id UNIQUE (end_to_end_id),
            ADD CONSTRAINT ck_payment_order_state_known CHECK (state IN ('prepared', 'verified', 'authorised', 'in_file', 'sent', 'executed', 'cancelled')),
            ADD CONSTRAINT ck_payment_order_verified_has_person CHECK (state NOT IN ('verified', 'authorised', 'in_file', 'sent', 'executed') OR verified_by IS NOT NULL),
            ADD CONSTRAINT ck_payment_order_authorised_has_person CHECK (state NOT IN ('authorised', 'in_file', 'sent', 'executed') OR authorised_by IS NOT NULL),
            ADD CONSTRAINT ck_payment_order_sent_has_person CHECK ((state IN ('sent', 'executed')) = (sent_by IS NOT NULL)),
            ADD CONSTRAINT ck_payment_order_in_file_has_batch CHECK ((state IN ('in_file', 'sent', 'executed')) = (batch_id IS NOT NULL)),
            ADD CONSTRAINT ck_payment_order_in_file_has_end_to_end_id CHECK (batch_id IS NULL OR end_to_end_id IS NOT NULL),
            ADD CONSTRAINT ck_payment_order_end_to_end_id_form CHECK (end_to_end_id ~ '^[A-Za-z0-9-]{1,35}$')
        """
    )
    op.execute("ALTER TABLE payment_order_signature DROP CONSTRAINT ck_payment_order_signature_step_known")
    op.execute("ALTER TABLE payment_order_signature DISABLE TRIGGER payment_order_signature_written_once")
    op.execute("UPDATE payment_order_signature SET step = 'sent' WHERE step = 'exported'")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE payment_order_signature ENABLE TRIGGER payment_order_signature_written_once")
    op.execute(
        """
        ALTER TABLE payment_order_signature ADD CONSTRAINT ck_payment_order_signature_step_known
            CHECK (step IN ('prepared', 'verified', 'authorised', 'sent'))
        """
    )


def downgrade() -> None:
    # What stands in a file that has not left goes back to where it was; such files never were anything before.
    op.execute("ALTER TABLE payment_order_signature DROP CONSTRAINT ck_payment_order_signature_step_known")
    op.execute("ALTER TABLE payment_order_signature DISABLE TRIGGER payment_order_signature_written_once")
    op.execute("UPDATE payment_order_signature SET step = 'exported' WHERE step = 'sent'")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE payment_order_signature ENABLE TRIGGER payment_order_signature_written_once")
    op.execute(
        """
        ALTER TABLE payment_order_signature ADD CONSTRAINT ck_payment_order_signature_step_known
            CHECK (step IN ('prepared', 'verified', 'authorised', 'exported'))
        """
    )
    op.execute(
        """
        ALTER TABLE payment_order
            DROP CONSTRAINT ck_payment_order_state_known,
            DROP CONSTRAINT ck_payment_order_verified_has_person,
            DROP CONSTRAINT ck_payment_order_authorised_has_person,
            DROP CONSTRAINT ck_payment_order_sent_has_person,
            DROP CONSTRAINT ck_payment_order_in_file_has_batch,
            DROP CONSTRAINT ck_payment_order_in_file_has_end_to_end_id,
            DROP CONSTRAINT ck_payment_order_end_to_end_id_form,
            DROP COLUMN end_to_end_id
        """
    )
    op.execute("UPDATE payment_order SET state = 'authorised', batch_id = NULL WHERE state = 'in_file'")
    op.execute("UPDATE payment_order SET state = 'exported' WHERE state = 'sent'")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE payment_order RENAME COLUMN sent_by TO exported_by")
    op.execute("ALTER TABLE payment_order RENAME CONSTRAINT fk_payment_order_sent_by TO fk_payment_order_exported_by")
    op.execute(
        """
        ALTER TABLE payment_order
            ADD CONSTRAINT ck_payment_order_state_known CHECK (state IN ('prepared', 'verified', 'authorised', 'exported', 'executed', 'cancelled')),
            ADD CONSTRAINT ck_payment_order_verified_has_person CHECK (state NOT IN ('verified', 'authorised', 'exported', 'executed') OR verified_by IS NOT NULL),
            ADD CONSTRAINT ck_payment_order_authorised_has_person CHECK (state NOT IN ('authorised', 'exported', 'executed') OR authorised_by IS NOT NULL),
            ADD CONSTRAINT ck_payment_order_exported_has_person CHECK ((state IN ('exported', 'executed')) = (exported_by IS NOT NULL)),
            ADD CONSTRAINT ck_payment_order_exported_in_batch CHECK ((exported_by IS NULL) = (batch_id IS NULL))
        """
    )
    op.execute("DROP TRIGGER payment_batch_written_once ON payment_batch")
    op.execute("DELETE FROM payment_batch WHERE state <> 'sent'")
    op.execute(
        """
        ALTER TABLE payment_batch
            DROP COLUMN message_id, DROP COLUMN own_account_id, DROP COLUMN layout, DROP COLUMN execution_on, DROP COLUMN state,
            DROP COLUMN content, DROP COLUMN problems, DROP COLUMN sent_at, DROP COLUMN sent_by,
            DROP COLUMN discarded_at, DROP COLUMN discarded_by, DROP COLUMN discard_reason
        """
    )
    op.execute("ALTER TABLE payment_batch RENAME COLUMN built_at TO exported_at")
    op.execute(
        "ALTER TABLE payment_batch RENAME CONSTRAINT payment_batch_built_at_not_null TO payment_batch_exported_at_not_null"
    )
    op.execute("ALTER TABLE payment_batch RENAME COLUMN built_by TO exported_by")
    op.execute(
        "ALTER TABLE payment_batch RENAME CONSTRAINT payment_batch_built_by_not_null TO payment_batch_exported_by_not_null"
    )
    op.execute("ALTER TABLE payment_batch RENAME CONSTRAINT fk_payment_batch_built_by TO fk_payment_batch_exported_by")
    op.execute(written_once("file_id,file_sha256", ""))
