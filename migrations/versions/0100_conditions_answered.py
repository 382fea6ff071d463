"""Conditions of grant preparation answered by the city and judged by another person; the last day of a preparation."""

from __future__ import annotations

from alembic import op

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None

KINDS = (
    "'legal_entity', 'power_to_sign', 'council_decision', 'exclusion', 'sanctions', 'consortium_agreement', "
    "'financial_capacity', 'state_aid', 'double_funding'"
)
TICK = "answer,note,evidence_on,answered_at,answered_by"


def upgrade() -> None:
    op.execute("ALTER TABLE grant_agreement ADD COLUMN preparation_ends_on DATE")
    op.execute("ALTER TABLE grant_agreement ADD COLUMN lapsed_at TIMESTAMP WITH TIME ZONE")
    op.execute(
        "ALTER TABLE grant_agreement ADD CONSTRAINT ck_grant_agreement_lapsed_is_dropped "
        "CHECK (lapsed_at IS NULL OR (state = 'dropped' AND preparation_ends_on IS NOT NULL))"
    )
    op.execute("ALTER TABLE due_diligence_item ADD COLUMN due_on DATE")
    _guard(f"{TICK},due_on")
    # What an open row asked in one is asked in two from now on; a tick that stands answered both.
    op.execute(
        """
        INSERT INTO due_diligence_item (id, created_at, version, grant_id, key, label, position, answer)
        SELECT gen_random_uuid(), item.created_at, 1, item.grant_id, 'sanctions',
               'The sanctions lists were searched for every beneficiary', item.position, 'open'
        FROM due_diligence_item item JOIN grant_agreement ON grant_agreement.id = item.grant_id
        WHERE item.key = 'exclusion' AND item.answer = 'open' AND grant_agreement.state = 'preparation'
        """
    )
    op.execute(
        f"""
        CREATE TABLE preparation_fact (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            organisation_id UUID,
            kind TEXT NOT NULL,
            number INTEGER NOT NULL,
            content JSONB NOT NULL,
            evidence_on DATE NOT NULL,
            valid_from DATE,
            valid_until DATE,
            file_id UUID,
            stated_by UUID NOT NULL,
            stated_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_preparation_fact PRIMARY KEY (id),
            CONSTRAINT uq_preparation_fact_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT uq_preparation_fact_id_stated_by UNIQUE (id, stated_by),
            CONSTRAINT ck_preparation_fact_kind_known CHECK (kind IN ({KINDS})),
            CONSTRAINT ck_preparation_fact_number_counts CHECK (number > 0),
            CONSTRAINT ck_preparation_fact_valid_for_a_time CHECK (valid_until IS NULL OR valid_until > valid_from),
            CONSTRAINT fk_preparation_fact_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_preparation_fact_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_preparation_fact_file_id FOREIGN KEY(file_id) REFERENCES stored_file (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_preparation_fact_stated_by FOREIGN KEY(stated_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_preparation_fact_part ON preparation_fact (grant_id, kind, organisation_id, number)")
    op.execute(
        """
        CREATE TABLE preparation_verdict (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            fact_id UUID NOT NULL,
            stated_by UUID NOT NULL,
            verdict TEXT NOT NULL,
            words TEXT NOT NULL,
            decided_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_preparation_verdict PRIMARY KEY (id),
            CONSTRAINT uq_preparation_verdict_fact_id UNIQUE (fact_id),
            CONSTRAINT ck_preparation_verdict_verdict_known CHECK (verdict IN ('accepted', 'returned')),
            CONSTRAINT ck_preparation_verdict_two_people CHECK (decided_by <> stated_by),
            CONSTRAINT ck_preparation_verdict_returned_has_words CHECK (verdict <> 'returned' OR words <> ''),
            CONSTRAINT fk_preparation_verdict_fact_id_stated_by FOREIGN KEY(fact_id, stated_by) REFERENCES preparation_fact (id, stated_by) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_preparation_verdict_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    for table in ("preparation_fact", "preparation_verdict"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    # What cities answered, and what ended by its day, cannot be said in the older form.
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM preparation_fact) OR EXISTS (SELECT FROM grant_agreement WHERE lapsed_at IS NOT NULL) THEN
            RAISE EXCEPTION 'conditions were answered or preparations lapsed: they would be lost';
          END IF;
        END $$
        """
    )
    op.execute("DROP TABLE preparation_verdict, preparation_fact")
    _guard(TICK)
    op.execute("ALTER TABLE due_diligence_item DROP COLUMN due_on")
    op.execute("ALTER TABLE grant_agreement DROP CONSTRAINT ck_grant_agreement_lapsed_is_dropped")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN lapsed_at")
    op.execute("ALTER TABLE grant_agreement DROP COLUMN preparation_ends_on")


def _guard(free: str) -> None:
    op.execute("DROP TRIGGER due_diligence_item_written_once ON due_diligence_item")
    op.execute(
        "CREATE TRIGGER due_diligence_item_written_once BEFORE UPDATE OR DELETE ON due_diligence_item "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('', '{free}')"
    )
