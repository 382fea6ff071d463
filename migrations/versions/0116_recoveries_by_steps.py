"""Recoveries by steps, several of a grant, with shares: what was established at once is told from what was proposed."""

from __future__ import annotations

from alembic import op

revision = "0116"
down_revision = "0115"
branch_labels = None
depends_on = None

ONCE = (
    "informed_at,informed_by,reply_until,observation,observed_at,observed_by,confirmed_at,confirmed_by,confirm_words,issued_at,"
    "issued_by,due_on,waived,waived_at,waived_by,waive_reason,waiver_file_id,cancelled_at,cancelled_by,cancel_reason"
)
BY_STEPS = """
CREATE OR REPLACE FUNCTION refuse_recovery_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.at_once OR NEW.state <> 'proposed' THEN
    RAISE EXCEPTION 'recovery % begins as a proposal, which another person confirms', NEW.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""
SHARES = """
CREATE OR REPLACE FUNCTION check_recovery_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  debt recovery;
BEGIN
  IF TG_TABLE_NAME = 'recovery' THEN wanted := NEW.id; ELSE wanted := NEW.recovery_id; END IF;
  SELECT * INTO debt FROM recovery WHERE id = wanted;
  IF debt.amount::numeric IS DISTINCT FROM (SELECT sum(amount) FROM recovery_share WHERE recovery_id = wanted) THEN
    RAISE EXCEPTION 'the shares of recovery % do not sum to it', debt.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def terminal(recovery: str) -> None:
    op.execute(
        f"""
CREATE OR REPLACE FUNCTION payment_terminal_states(kind text) RETURNS text[] IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE kind
    WHEN 'payment_order' THEN ARRAY['returned', 'cancelled']
    WHEN 'payment_request' THEN ARRAY['rejected', 'cleared']
    WHEN 'recovery' THEN ARRAY[{recovery}]
    WHEN 'grant_agreement' THEN ARRAY['closed', 'dropped']
  END
$$
        """
    )


def upgrade() -> None:
    terminal("'paid', 'waived', 'cancelled'")
    op.execute(
        """
        ALTER TABLE recovery
            DROP CONSTRAINT ck_recovery_state_known,
            DROP CONSTRAINT uq_recovery_request_id,
            DROP CONSTRAINT fk_recovery_established_by,
            ALTER COLUMN request_id DROP NOT NULL,
            ALTER COLUMN due_on DROP NOT NULL,
            ADD COLUMN number INTEGER, ADD COLUMN origin TEXT NOT NULL DEFAULT 'balance',
            ADD COLUMN at_once BOOLEAN NOT NULL DEFAULT true,
            ADD COLUMN proposed_at TIMESTAMP WITH TIME ZONE, ADD COLUMN proposed_by UUID,
            ADD COLUMN informed_at TIMESTAMP WITH TIME ZONE, ADD COLUMN informed_by UUID, ADD COLUMN reply_until DATE,
            ADD COLUMN observation TEXT, ADD COLUMN observed_at TIMESTAMP WITH TIME ZONE, ADD COLUMN observed_by UUID,
            ADD COLUMN confirm_words TEXT,
            ADD COLUMN issued_at TIMESTAMP WITH TIME ZONE, ADD COLUMN issued_by UUID,
            ADD COLUMN reminders INTEGER NOT NULL DEFAULT 0, ADD COLUMN reminded_at TIMESTAMP WITH TIME ZONE,
            ADD COLUMN waiver_file_id UUID,
            ADD COLUMN cancelled_at TIMESTAMP WITH TIME ZONE, ADD COLUMN cancelled_by UUID, ADD COLUMN cancel_reason TEXT
        """
    )
    # Who established one confirmed it; that nobody is known to have proposed it stays to be seen.
    op.execute("ALTER TABLE recovery RENAME COLUMN established_at TO confirmed_at")
    op.execute("ALTER TABLE recovery RENAME COLUMN established_by TO confirmed_by")
    op.execute("ALTER TABLE recovery ALTER COLUMN confirmed_at DROP NOT NULL, ALTER COLUMN confirmed_by DROP NOT NULL")
    # What came back of it stands in its receipts: the record of acts knows of no step in between.
    op.execute(
        "UPDATE recovery SET number = substring(reference FROM '-D([0-9]+)$')::integer, "
        "state = CASE state WHEN 'established' THEN 'issued' ELSE state END"
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE recovery
            ALTER COLUMN number SET NOT NULL, ALTER COLUMN origin DROP DEFAULT, ALTER COLUMN at_once DROP DEFAULT,
            ALTER COLUMN reminders DROP DEFAULT,
            ADD CONSTRAINT fk_recovery_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT uq_recovery_grant_id_number UNIQUE (grant_id, number),
            ADD CONSTRAINT ck_recovery_state_known CHECK (state IN ('proposed', 'pre_informed', 'observed', 'confirmed', 'issued', 'part_paid', 'paid', 'waived', 'cancelled')),
            ADD CONSTRAINT ck_recovery_origin_known CHECK (origin IN ('balance', 'rejected_costs', 'audit')),
            ADD CONSTRAINT ck_recovery_number_counts CHECK (number > 0),
            ADD CONSTRAINT ck_recovery_balance_has_request CHECK ((origin = 'balance') = (request_id IS NOT NULL)),
            ADD CONSTRAINT ck_recovery_proposal_whole CHECK (num_nulls(proposed_at, proposed_by) IN (0, 2)),
            ADD CONSTRAINT ck_recovery_proposed_has_person CHECK (at_once = (proposed_by IS NULL)),
            ADD CONSTRAINT ck_recovery_letter_whole CHECK (num_nulls(informed_at, informed_by, reply_until) IN (0, 3)),
            ADD CONSTRAINT ck_recovery_observation_whole CHECK (num_nulls(observation, observed_at, observed_by) IN (0, 3)),
            ADD CONSTRAINT ck_recovery_observed_once_told CHECK (observed_at IS NULL OR informed_at IS NOT NULL),
            ADD CONSTRAINT ck_recovery_confirmation_whole CHECK (num_nulls(confirmed_at, confirmed_by, confirm_words) IN (0, 3) OR at_once),
            ADD CONSTRAINT ck_recovery_unconfirmed_has_nobody CHECK ((state IN ('proposed', 'pre_informed', 'observed')) <= (confirmed_by IS NULL)),
            ADD CONSTRAINT ck_recovery_confirmed_has_person CHECK ((state IN ('confirmed', 'issued', 'part_paid', 'paid', 'waived')) <= (confirmed_by IS NOT NULL)),
            ADD CONSTRAINT ck_recovery_confirmed_once_told CHECK (confirmed_by IS NULL OR at_once OR informed_at IS NOT NULL),
            ADD CONSTRAINT ck_recovery_confirmed_by_another CHECK (confirmed_by <> proposed_by),
            ADD CONSTRAINT ck_recovery_issue_whole CHECK (num_nulls(issued_at, issued_by) IN (0, 2)),
            ADD CONSTRAINT ck_recovery_issued_by_another CHECK (issued_by <> confirmed_by),
            ADD CONSTRAINT ck_recovery_issued_has_day CHECK ((issued_at IS NOT NULL OR at_once) = (due_on IS NOT NULL)),
            ADD CONSTRAINT ck_recovery_issued_once_confirmed CHECK (issued_at IS NULL OR confirmed_at IS NOT NULL),
            ADD CONSTRAINT ck_recovery_owed_has_day CHECK (state NOT IN ('issued', 'part_paid', 'paid', 'waived') OR due_on IS NOT NULL),
            ADD CONSTRAINT ck_recovery_reminders_have_time CHECK (reminders >= 0 AND (reminders > 0) = (reminded_at IS NOT NULL)),
            ADD CONSTRAINT ck_recovery_waiver_has_document CHECK (waived IS NULL OR at_once OR waiver_file_id IS NOT NULL),
            ADD CONSTRAINT ck_recovery_waived_by_another CHECK (waiver_file_id IS NULL OR (waived_by <> confirmed_by AND waived_by IS DISTINCT FROM proposed_by)),
            ADD CONSTRAINT ck_recovery_cancellation_whole CHECK (num_nulls(cancelled_at, cancelled_by, cancel_reason) IN (0, 3)),
            ADD CONSTRAINT ck_recovery_cancelled_has_person CHECK ((state = 'cancelled') = (cancelled_at IS NOT NULL)),
            ADD CONSTRAINT ck_recovery_cancelled_by_another CHECK (cancelled_at IS NULL OR confirmed_by IS NULL OR cancelled_by <> confirmed_by),
            ADD CONSTRAINT fk_recovery_proposed_by FOREIGN KEY(proposed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_recovery_informed_by FOREIGN KEY(informed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_recovery_observed_by FOREIGN KEY(observed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_recovery_issued_by FOREIGN KEY(issued_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_recovery_waiver_file_id FOREIGN KEY(waiver_file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_recovery_cancelled_by FOREIGN KEY(cancelled_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_recovery_of_balance ON recovery (request_id) WHERE state != 'cancelled'")
    op.execute(
        f"CREATE TRIGGER recovery_written_once BEFORE UPDATE OR DELETE ON recovery "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{ONCE}', 'state,reminders,reminded_at')"
    )
    op.execute(
        "CREATE TRIGGER recovery_never_emptied BEFORE TRUNCATE ON recovery FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE TABLE recovery_share (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            recovery_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            accepted BIGINT,
            received BIGINT,
            amount BIGINT NOT NULL,
            CONSTRAINT pk_recovery_share PRIMARY KEY (id),
            CONSTRAINT uq_recovery_share_recovery_id_organisation_id UNIQUE (recovery_id, organisation_id),
            CONSTRAINT ck_recovery_share_amount_not_negative CHECK (amount >= 0),
            CONSTRAINT ck_recovery_share_basis_whole CHECK (num_nulls(accepted, received) IN (0, 2)),
            CONSTRAINT fk_recovery_share_recovery_id FOREIGN KEY(recovery_id) REFERENCES recovery (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_recovery_share_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER recovery_share_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recovery_share "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(BY_STEPS)
    op.execute(SHARES)
    op.execute(
        "CREATE TRIGGER recovery_by_steps BEFORE INSERT ON recovery FOR EACH ROW EXECUTE FUNCTION refuse_recovery_at_once()"
    )
    for table in ("recovery", "recovery_share"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_sums AFTER INSERT ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_recovery_shares()"
        )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM recovery WHERE NOT at_once OR state NOT IN ('issued', 'paid', 'waived')
              OR waiver_file_id IS NOT NULL OR reminders > 0) THEN
            RAISE EXCEPTION 'recoveries went step by step: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TRIGGER recovery_by_steps ON recovery")
    op.execute("DROP TRIGGER recovery_sums ON recovery")
    op.execute("DROP TRIGGER recovery_written_once ON recovery")
    op.execute("DROP TRIGGER recovery_never_emptied ON recovery")
    op.execute("DROP TABLE recovery_share")
    op.execute("DROP FUNCTION refuse_recovery_at_once")
    op.execute("DROP FUNCTION check_recovery_shares")
    op.execute("DROP INDEX uq_recovery_of_balance")
    op.execute(
        """
        ALTER TABLE recovery
            DROP CONSTRAINT fk_recovery_confirmed_by,
            DROP CONSTRAINT uq_recovery_grant_id_number,
            DROP CONSTRAINT ck_recovery_state_known,
            DROP CONSTRAINT ck_recovery_origin_known,
            DROP CONSTRAINT ck_recovery_number_counts,
            DROP CONSTRAINT ck_recovery_balance_has_request,
            DROP CONSTRAINT ck_recovery_proposal_whole,
            DROP CONSTRAINT ck_recovery_proposed_has_person,
            DROP CONSTRAINT ck_recovery_letter_whole,
            DROP CONSTRAINT ck_recovery_observation_whole,
            DROP CONSTRAINT ck_recovery_observed_once_told,
            DROP CONSTRAINT ck_recovery_confirmation_whole,
            DROP CONSTRAINT ck_recovery_unconfirmed_has_nobody,
            DROP CONSTRAINT ck_recovery_confirmed_has_person,
            DROP CONSTRAINT ck_recovery_confirmed_once_told,
            DROP CONSTRAINT ck_recovery_confirmed_by_another,
            DROP CONSTRAINT ck_recovery_issue_whole,
            DROP CONSTRAINT ck_recovery_issued_by_another,
            DROP CONSTRAINT ck_recovery_issued_has_day,
            DROP CONSTRAINT ck_recovery_issued_once_confirmed,
            DROP CONSTRAINT ck_recovery_owed_has_day,
            DROP CONSTRAINT ck_recovery_reminders_have_time,
            DROP CONSTRAINT ck_recovery_waiver_has_document,
            DROP CONSTRAINT ck_recovery_waived_by_another,
            DROP CONSTRAINT ck_recovery_cancellation_whole,
            DROP CONSTRAINT ck_recovery_cancelled_has_person,
            DROP CONSTRAINT ck_recovery_cancelled_by_another,
            DROP CONSTRAINT fk_recovery_proposed_by,
            DROP CONSTRAINT fk_recovery_informed_by,
            DROP CONSTRAINT fk_recovery_observed_by,
            DROP CONSTRAINT fk_recovery_issued_by,
            DROP CONSTRAINT fk_recovery_waiver_file_id,
            DROP CONSTRAINT fk_recovery_cancelled_by
        """
    )
    op.execute("UPDATE recovery SET state = 'established' WHERE state = 'issued'")
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE recovery RENAME COLUMN confirmed_at TO established_at")
    op.execute("ALTER TABLE recovery RENAME COLUMN confirmed_by TO established_by")
    op.execute(
        """
        ALTER TABLE recovery
            DROP COLUMN number, DROP COLUMN origin, DROP COLUMN at_once, DROP COLUMN proposed_at, DROP COLUMN proposed_by,
            DROP COLUMN informed_at, DROP COLUMN informed_by, DROP COLUMN reply_until, DROP COLUMN observation,
            DROP COLUMN observed_at, DROP COLUMN observed_by, DROP COLUMN confirm_words, DROP COLUMN issued_at,
            DROP COLUMN issued_by, DROP COLUMN reminders, DROP COLUMN reminded_at, DROP COLUMN waiver_file_id,
            DROP COLUMN cancelled_at, DROP COLUMN cancelled_by, DROP COLUMN cancel_reason,
            ALTER COLUMN request_id SET NOT NULL, ALTER COLUMN due_on SET NOT NULL,
            ALTER COLUMN established_at SET NOT NULL, ALTER COLUMN established_by SET NOT NULL,
            ADD CONSTRAINT ck_recovery_state_known CHECK (state IN ('established', 'paid', 'waived')),
            ADD CONSTRAINT uq_recovery_request_id UNIQUE (request_id),
            ADD CONSTRAINT fk_recovery_established_by FOREIGN KEY(established_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        """
    )
    terminal("'paid', 'waived'")
