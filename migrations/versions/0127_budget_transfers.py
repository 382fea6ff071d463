"""Budget is moved within a signed grant, counted over its whole life."""

from __future__ import annotations

from alembic import op

revision = "0127"
down_revision = "0126"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE grant_agreement ADD COLUMN transfer_free BIGINT, ADD COLUMN transfer_notify BIGINT")
    op.execute(
        """
        ALTER TABLE grant_agreement ADD CONSTRAINT ck_grant_agreement_transfers_in_order
            CHECK ((transfer_free IS NULL) = (transfer_notify IS NULL) AND 0 <= transfer_free AND transfer_free <= transfer_notify)
        """
    )
    op.execute(
        """
        CREATE TABLE budget_transfer (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            from_organisation_id UUID NOT NULL,
            from_category TEXT NOT NULL,
            to_organisation_id UUID NOT NULL,
            to_category TEXT NOT NULL,
            amount BIGINT NOT NULL,
            maximum_moved BIGINT NOT NULL,
            level TEXT NOT NULL,
            reason TEXT NOT NULL,
            cumulative_after BIGINT NOT NULL,
            made_by UUID NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_budget_transfer PRIMARY KEY (id),
            CONSTRAINT uq_budget_transfer_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT ck_budget_transfer_level_known CHECK (level IN ('free', 'notify')),
            CONSTRAINT ck_budget_transfer_number_counts CHECK (number > 0),
            CONSTRAINT ck_budget_transfer_amount_positive CHECK (amount > 0),
            CONSTRAINT ck_budget_transfer_has_reason CHECK (reason <> ''),
            CONSTRAINT ck_budget_transfer_counted CHECK (cumulative_after >= amount),
            CONSTRAINT ck_budget_transfer_moves CHECK (from_organisation_id <> to_organisation_id OR from_category <> to_category),
            CONSTRAINT ck_budget_transfer_maximum_between_partners CHECK (maximum_moved >= 0 AND (maximum_moved = 0 OR from_organisation_id <> to_organisation_id)),
            CONSTRAINT fk_budget_transfer_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_transfer_from_organisation_id FOREIGN KEY(from_organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_transfer_to_organisation_id FOREIGN KEY(to_organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_budget_transfer_made_by FOREIGN KEY(made_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER budget_transfer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON budget_transfer "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM budget_transfer) OR EXISTS (SELECT FROM grant_agreement WHERE transfer_free IS NOT NULL) THEN
            RAISE EXCEPTION 'budget was moved within grants, or may be: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE budget_transfer")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN transfer_free, DROP COLUMN transfer_notify")
