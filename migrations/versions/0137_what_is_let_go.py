"""What came back and is not issued again is let go; pre-financing is cancelled more than once, and of one partner alone."""

from __future__ import annotations

from alembic import op

revision = "0137"
down_revision = "0136"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payment_order ADD COLUMN let_go_on DATE")
    # What nobody could issue again any more, as the pages told it until now.
    op.execute(
        """
        UPDATE payment_order SET let_go_on = (
            SELECT max(cancelled_on) FROM payment_cancellation WHERE payment_cancellation.request_id = payment_order.request_id
          )
          WHERE state IN ('bank_rejected', 'returned')
            AND EXISTS (SELECT FROM payment_request WHERE payment_request.id = payment_order.request_id
                        AND payment_request.state NOT IN ('approved', 'partly_approved'))
            AND NOT EXISTS (SELECT FROM payment_order again WHERE again.reissue_of = payment_order.id AND again.state <> 'cancelled')
        """
    )
    # The checks of the order are deferred, and a table with events that wait is not altered.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        "ALTER TABLE payment_order ADD CONSTRAINT ck_payment_order_let_go_came_back "
        "CHECK (let_go_on IS NULL OR state IN ('bank_rejected', 'returned'))"
    )
    op.execute("ALTER TABLE payment_cancellation ADD COLUMN number INTEGER NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE payment_cancellation ALTER COLUMN number DROP DEFAULT")
    op.execute("ALTER TABLE payment_cancellation ADD COLUMN organisation_id UUID")
    op.execute(
        "ALTER TABLE payment_cancellation ADD CONSTRAINT fk_payment_cancellation_organisation_id "
        "FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED"
    )
    op.execute("ALTER TABLE payment_cancellation DROP CONSTRAINT uq_payment_cancellation_request_id")
    op.execute(
        "ALTER TABLE payment_cancellation ADD CONSTRAINT uq_payment_cancellation_request_id_number UNIQUE (request_id, number)"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM payment_cancellation WHERE number > 1 OR organisation_id IS NOT NULL)
             OR EXISTS (SELECT FROM payment_order WHERE let_go_on IS NOT NULL) THEN
            RAISE EXCEPTION 'payments that came back were let go, or pre-financing was cancelled by parts: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE payment_cancellation DROP CONSTRAINT uq_payment_cancellation_request_id_number")
    op.execute("ALTER TABLE payment_cancellation ADD CONSTRAINT uq_payment_cancellation_request_id UNIQUE (request_id)")
    op.execute("ALTER TABLE payment_cancellation DROP COLUMN organisation_id")
    op.execute("ALTER TABLE payment_cancellation DROP COLUMN number")
    op.execute("ALTER TABLE payment_order DROP COLUMN let_go_on")
