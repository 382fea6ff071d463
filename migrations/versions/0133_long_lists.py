"""What long lists of payments read is held to an index: signatures by order, files by when they were built, orders on their way by due day."""

from __future__ import annotations

from alembic import op

revision = "0133"
down_revision = "0132"
branch_labels = None
depends_on = None

# As in the model of today; written out, since a migration stays as it was.
OPEN = "'prepared', 'verified', 'authorised', 'in_file', 'sent', 'acknowledged', 'bank_rejected', 'returned'"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_payment_order_signature_order_id ON payment_order_signature (order_id)")
    op.execute("CREATE INDEX ix_payment_batch_built ON payment_batch (built_at, reference)")
    op.execute(f"CREATE INDEX ix_payment_order_open ON payment_order (due_on, reference) WHERE state IN ({OPEN})")
    op.execute("CREATE INDEX ix_user_account_demo ON user_account (id) WHERE is_demo")


def downgrade() -> None:
    for name in ("user_account_demo", "payment_order_open", "payment_batch_built", "payment_order_signature_order_id"):
        op.execute(f"DROP INDEX ix_{name}")
