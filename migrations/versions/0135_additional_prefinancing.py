"""Additional pre-financing: what an agreement has of it, and what its city stated to have used of the first."""

from __future__ import annotations

from alembic import op

revision = "0135"
down_revision = "0134"
branch_labels = None
depends_on = None

KINDS = "'prefinancing', {more}'interim', 'balance', 'late_interest'"
CLOCKS = "'in_force', 'receipt', 'approval', 'registration', 'again', 'completion', 'interest'"
LINES = "'ceiling', 'paid', 'due', 'prefinancing', {more}'interim', 'balance', 'given_back', 'reserved', 'free'"
LIMITS = (
    "0 <= retention AND retention <= prefinancing AND prefinancing <= interim_ceiling AND interim_ceiling <= maximum"
)


def known(*, more: str, clocks: str, bases: str, limits: str, no_report: str) -> None:
    """What the columns may say."""
    for table, name, check in (
        ("payment_request", "kind_known", f"kind IN ({KINDS.format(more=more)})"),
        ("payment_request", "clock_event_known", f"clock_event IN ({clocks})"),
        ("payment_schedule_line", "kind_known", f"kind IN ({KINDS.format(more=more)})"),
        ("payment_schedule_line", "report_opens_it", no_report),
        ("forecast_line", "kind_known", f"kind IN ({LINES.format(more=more)})"),
        ("forecast_line", "basis_known", f"basis IN ({bases})"),
        (
            "forecast_line",
            "payment_has_day",
            f"(kind IN ('prefinancing', {more}'interim', 'balance')) = (due_on IS NOT NULL)",
        ),
        ("grant_agreement", "limits_in_order", limits),
    ):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({check})")
    op.execute("DROP INDEX uq_payment_request_one_of_a_kind")
    op.execute(
        "CREATE UNIQUE INDEX uq_payment_request_one_of_a_kind ON payment_request (grant_id, kind) "
        f"WHERE kind IN ('prefinancing', {more}'balance') AND state != 'rejected'"
    )


def upgrade() -> None:
    op.execute("ALTER TABLE grant_agreement ADD COLUMN additional BIGINT, ADD COLUMN additional_threshold INTEGER")
    op.execute("UPDATE grant_agreement SET additional = 0")
    # The deferred checks of what was just written; a table is not altered before them.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("SET CONSTRAINTS ALL DEFERRED")
    op.execute(
        """
        ALTER TABLE grant_agreement
            ALTER COLUMN additional SET NOT NULL,
            ADD CONSTRAINT ck_grant_agreement_additional_has_threshold CHECK (
                additional_threshold BETWEEN 1 AND 100 AND (additional = 0 OR additional_threshold IS NOT NULL)
            )
        """
    )
    known(
        more="'additional', ",
        clocks=f"{CLOCKS}, 'statement'",
        bases="'signature', 'request', 'use', 'report', 'milestone'",
        limits=f"{LIMITS} AND 0 <= additional AND additional <= interim_ceiling - prefinancing",
        no_report="(kind IN ('prefinancing', 'additional')) = (report_number IS NULL)",
    )
    op.execute(
        """
        CREATE TABLE prefinancing_use (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            request_id UUID NOT NULL,
            earlier_id UUID NOT NULL,
            used BIGINT NOT NULL,
            paid BIGINT NOT NULL,
            threshold INTEGER NOT NULL,
            used_until DATE NOT NULL,
            words TEXT NOT NULL,
            stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            stated_by UUID NOT NULL,
            CONSTRAINT pk_prefinancing_use PRIMARY KEY (id),
            CONSTRAINT uq_prefinancing_use_request_id UNIQUE (request_id),
            CONSTRAINT ck_prefinancing_use_used_within_paid CHECK (0 <= used AND used <= paid AND paid > 0),
            CONSTRAINT ck_prefinancing_use_threshold_is_share CHECK (threshold BETWEEN 1 AND 100),
            CONSTRAINT ck_prefinancing_use_has_words CHECK (words <> ''),
            CONSTRAINT fk_prefinancing_use_request_id FOREIGN KEY(request_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_prefinancing_use_earlier_id FOREIGN KEY(earlier_id) REFERENCES payment_request (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_prefinancing_use_stated_by FOREIGN KEY(stated_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER prefinancing_use_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON prefinancing_use "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM prefinancing_use) OR EXISTS (SELECT FROM grant_agreement WHERE additional > 0)
            OR EXISTS (SELECT FROM payment_schedule_line WHERE kind = 'additional')
            OR EXISTS (SELECT FROM forecast_line WHERE kind = 'additional' OR basis = 'use') THEN
            RAISE EXCEPTION 'additional pre-financing was agreed: that would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE prefinancing_use")
    known(
        more="",
        clocks=CLOCKS,
        bases="'signature', 'request', 'report', 'milestone'",
        limits=LIMITS,
        no_report="(kind = 'prefinancing') = (report_number IS NULL)",
    )
    op.execute("ALTER TABLE grant_agreement DROP CONSTRAINT ck_grant_agreement_additional_has_threshold")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN additional, DROP COLUMN additional_threshold")
