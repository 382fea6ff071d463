"""What one person withholds waits for another who confirms or lifts it; a mailing keeps when it was returned; mails are listed by time."""

from __future__ import annotations

from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE award_withheld
            ADD COLUMN confirm_by TIMESTAMP WITH TIME ZONE,
            ADD COLUMN confirmed_by UUID,
            ADD COLUMN confirmed_at TIMESTAMP WITH TIME ZONE,
            ADD CONSTRAINT ck_award_withheld_confirmed_whole CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            ADD CONSTRAINT ck_award_withheld_confirmed_by_another CHECK (confirmed_by <> withheld_by),
            ADD CONSTRAINT fk_award_withheld_confirmed_by FOREIGN KEY (confirmed_by) REFERENCES user_account (id)
                DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("ALTER TABLE letter_mailing ADD COLUMN returned_at TIMESTAMP WITH TIME ZONE")
    _fill()
    op.execute("ALTER TABLE award_withheld ALTER COLUMN confirm_by SET NOT NULL")
    op.execute(
        "ALTER TABLE letter_mailing ADD CONSTRAINT ck_letter_mailing_returned_has_time "
        "CHECK ((returned_by IS NULL) = (returned_at IS NULL))"
    )
    mails = "name IN ('jobs.mail.send', 'jobs.mail.send_outside')"
    op.execute(f"CREATE INDEX ix_job_mails ON job (created_at, number) WHERE {mails}")
    op.execute(f"CREATE INDEX ix_job_mails_failed ON job (created_at, number) WHERE {mails} AND state = 'failed'")
    _guard("award_withheld", "ended_by,ended_at,end_reason,confirmed_by,confirmed_at")
    _guard("letter_mailing", "confirmed_by,confirmed_at,returned_by,returned_at,return_reason", "state")


def _fill() -> None:
    """What was withheld before is confirmed within the usual days from now on; when a mailing was returned the record says."""
    for table in ("award_withheld", "letter_mailing"):
        op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
    op.execute("UPDATE award_withheld SET confirm_by = greatest(withheld_at, now()) + interval '5 days'")
    op.execute(
        """
        UPDATE letter_mailing SET returned_at = coalesce(
            (
                SELECT min(audit_event.recorded_at) FROM audit_event
                WHERE audit_event.object_kind = 'letter_mailing' AND audit_event.object_id = letter_mailing.id
                    AND audit_event.verb = 'letter_mailing.return'
            ),
            prepared_at
        )
        WHERE returned_by IS NOT NULL
        """
    )
    # The checks that wait for the end of a transaction are made now: a table they wait on is not altered.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")


def downgrade() -> None:
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM award_withheld WHERE confirmed_at IS NOT NULL) THEN
                RAISE EXCEPTION 'who confirmed that an award is withheld would be lost: the older program keeps no second person; restore the backup of before the upgrade';
            END IF;
        END $$
        """
    )
    op.execute("DROP INDEX ix_job_mails_failed")
    op.execute("DROP INDEX ix_job_mails")
    op.execute("ALTER TABLE letter_mailing DROP COLUMN returned_at")
    op.execute("ALTER TABLE award_withheld DROP COLUMN confirm_by, DROP COLUMN confirmed_by, DROP COLUMN confirmed_at")
    for table, once, free in (
        ("award_withheld", "ended_by,ended_at,end_reason", ""),
        ("letter_mailing", "confirmed_by,confirmed_at,returned_by,return_reason", "state"),
    ):
        op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
        _guard(table, once, free)


def _guard(table: str, once: str, free: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{once}', '{free}')"
    )
