"""A record of each sent payment file lies outside the database; what lies there and is not known here waits for two people."""

from __future__ import annotations

from alembic import op

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

ONCE = "file_id,file_sha256,problems,sent_at,sent_by,discarded_at,discarded_by,discard_reason"


def upgrade() -> None:
    _guard_batches("")
    op.execute("ALTER TABLE payment_batch ADD COLUMN recorded_at TIMESTAMP WITH TIME ZONE")
    # What was sent until now is out already; the first night leaves its records.
    op.execute("UPDATE payment_batch SET recorded_at = sent_at WHERE state = 'sent'")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        "ALTER TABLE payment_batch ADD CONSTRAINT ck_payment_batch_recorded_was_sent CHECK (recorded_at IS NULL OR sent_at IS NOT NULL)"
    )
    _guard_batches(f"{ONCE},recorded_at")
    op.execute(
        """
        CREATE TABLE sent_elsewhere (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            message_id TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            reference TEXT NOT NULL,
            account TEXT NOT NULL,
            sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
            total BIGINT NOT NULL,
            is_signed BOOLEAN NOT NULL,
            seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
            decision TEXT,
            reason TEXT,
            proposed_by UUID,
            proposed_at TIMESTAMP WITH TIME ZONE,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_sent_elsewhere PRIMARY KEY (id),
            CONSTRAINT uq_sent_elsewhere_message_id UNIQUE (message_id),
            CONSTRAINT ck_sent_elsewhere_decision_known CHECK (decision IN ('sent', 'never_received')),
            CONSTRAINT ck_sent_elsewhere_proposal_whole CHECK (num_nulls(decision, reason, proposed_by, proposed_at) IN (0, 4)),
            CONSTRAINT ck_sent_elsewhere_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_sent_elsewhere_confirmation_whole CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
            CONSTRAINT ck_sent_elsewhere_confirmed_was_proposed CHECK (confirmed_at IS NULL OR decision IS NOT NULL),
            CONSTRAINT ck_sent_elsewhere_two_people CHECK (confirmed_by <> proposed_by),
            CONSTRAINT fk_sent_elsewhere_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_sent_elsewhere_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE sent_elsewhere_line (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            sent_id UUID NOT NULL,
            number INTEGER NOT NULL,
            order_reference TEXT NOT NULL,
            end_to_end_id TEXT NOT NULL,
            request_reference TEXT NOT NULL,
            amount BIGINT NOT NULL,
            order_id UUID,
            CONSTRAINT pk_sent_elsewhere_line PRIMARY KEY (id),
            CONSTRAINT uq_sent_elsewhere_line_sent_id_number UNIQUE (sent_id, number),
            CONSTRAINT uq_sent_elsewhere_line_order_id UNIQUE (order_id),
            CONSTRAINT ck_sent_elsewhere_line_amount_positive CHECK (amount > 0),
            CONSTRAINT fk_sent_elsewhere_line_sent_id FOREIGN KEY(sent_id) REFERENCES sent_elsewhere (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_sent_elsewhere_line_order_id FOREIGN KEY(order_id) REFERENCES payment_order (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_sent_elsewhere_line_end_to_end_id ON sent_elsewhere_line (end_to_end_id)")
    op.execute("CREATE INDEX ix_sent_elsewhere_line_request ON sent_elsewhere_line (request_reference, amount)")
    for table, once, free in (
        ("sent_elsewhere", "confirmed_by,confirmed_at", "decision,reason,proposed_by,proposed_at"),
        ("sent_elsewhere_line", "order_id", ""),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM sent_elsewhere) THEN
            RAISE EXCEPTION 'payment files were sent elsewhere: what was decided about them would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE sent_elsewhere_line, sent_elsewhere")
    op.execute("DROP TRIGGER payment_batch_written_once ON payment_batch")
    op.execute("ALTER TABLE payment_batch DROP COLUMN recorded_at")
    _guard_batches(ONCE)


def _guard_batches(once: str) -> None:
    op.execute("DROP TRIGGER IF EXISTS payment_batch_written_once ON payment_batch")
    if once:
        op.execute(
            "CREATE TRIGGER payment_batch_written_once BEFORE UPDATE OR DELETE ON payment_batch "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{once}', 'state')"
        )
