"""Lists selected by more rules than rank and budget; scenarios beside them; moves from the reserve list."""

from __future__ import annotations

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE selection_item ADD COLUMN rule_words TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE selection_item ALTER COLUMN rule_words DROP DEFAULT")
    op.execute("ALTER TABLE selection_item ADD COLUMN conditions TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE selection_item ALTER COLUMN conditions DROP DEFAULT")
    op.execute("ALTER TABLE selection_item ADD COLUMN asked BIGINT")
    op.execute(
        "ALTER TABLE selection_item ADD CONSTRAINT ck_selection_item_recommended_at_most_asked CHECK (amount <= asked)"
    )
    _scenarios()
    _moves()


def _scenarios() -> None:
    op.execute(
        """
        CREATE TABLE selection_scenario (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            plan JSONB NOT NULL,
            made_by UUID NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_selection_scenario PRIMARY KEY (id),
            CONSTRAINT uq_selection_scenario_call_id_number UNIQUE (call_id, number),
            CONSTRAINT uq_selection_scenario_call_id_name UNIQUE (call_id, name),
            CONSTRAINT ck_selection_scenario_numbered_from_one CHECK (number > 0),
            CONSTRAINT fk_selection_scenario_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_scenario_made_by FOREIGN KEY(made_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("ALTER TABLE selection ADD COLUMN scenario_id UUID")
    op.execute(
        "ALTER TABLE selection ADD CONSTRAINT fk_selection_scenario_id FOREIGN KEY(scenario_id)"
        " REFERENCES selection_scenario (id) DEFERRABLE INITIALLY DEFERRED"
    )


def _moves() -> None:
    op.execute(
        """
        CREATE TABLE selection_move (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            selection_id UUID NOT NULL,
            application_id UUID NOT NULL,
            number INTEGER NOT NULL,
            state TEXT NOT NULL,
            amount BIGINT NOT NULL,
            free BIGINT NOT NULL,
            words TEXT NOT NULL,
            reason TEXT NOT NULL,
            decided_by UUID NOT NULL,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            returned_by UUID,
            return_reason TEXT,
            CONSTRAINT pk_selection_move PRIMARY KEY (id),
            CONSTRAINT uq_selection_move_selection_id_number UNIQUE (selection_id, number),
            CONSTRAINT ck_selection_move_state_known CHECK (state IN ('decided', 'confirmed', 'returned')),
            CONSTRAINT ck_selection_move_second_person CHECK (confirmed_by <> decided_by),
            CONSTRAINT ck_selection_move_returned_by_another CHECK (returned_by <> decided_by),
            CONSTRAINT ck_selection_move_confirmed_has_time CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL)),
            CONSTRAINT ck_selection_move_confirmed_has_person CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            CONSTRAINT ck_selection_move_returned_has_reason CHECK ((state = 'returned') = (return_reason IS NOT NULL)),
            CONSTRAINT ck_selection_move_returned_has_person CHECK ((returned_by IS NULL) = (return_reason IS NULL)),
            CONSTRAINT ck_selection_move_amount_above_zero CHECK (amount > 0),
            CONSTRAINT fk_selection_move_selection_id FOREIGN KEY(selection_id) REFERENCES selection (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_move_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_move_decided_by FOREIGN KEY(decided_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_move_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_selection_move_returned_by FOREIGN KEY(returned_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_selection_move_one_open ON selection_move (selection_id) WHERE state = 'decided'"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_selection_move_once ON selection_move (application_id) WHERE state = 'confirmed'"
    )
    op.execute(
        "CREATE TRIGGER selection_move_written_once BEFORE UPDATE OR DELETE ON selection_move FOR EACH ROW"
        " EXECUTE FUNCTION refuse_rewriting('confirmed_by,confirmed_at,returned_by,return_reason', 'state')"
    )
    op.execute(
        "CREATE TRIGGER selection_move_never_emptied BEFORE TRUNCATE ON selection_move"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE selection_move")
    op.execute("ALTER TABLE selection DROP COLUMN scenario_id")
    op.execute("DROP TABLE selection_scenario")
    op.execute("ALTER TABLE selection_item DROP COLUMN asked, DROP COLUMN conditions, DROP COLUMN rule_words")
