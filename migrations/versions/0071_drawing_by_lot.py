"""Drawing by lot: the seed of a call, and lists whose group at the line is drawn when a second person confirms them.

What such a list says before its draw is filled once, by the confirmation; the rows as they were decided are kept.
"""

from __future__ import annotations

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

ONCE = {
    "selection": "confirmed_by,confirmed_at,confirmed_despite,returned_by,return_reason",
    "selection_item": "entry_id",
}
FREE = {"selection": "state", "selection_item": ""}
DRAWN = {
    "selection": "state,undrawn,used,rules,line_words,list_sha256,compared",
    "selection_item": "undrawn,position,rank,outcome,amount,asked,straddles,missing,tie_words,rule_words,conditions",
}


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE call_draw_seed (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            seed TEXT NOT NULL,
            seed_sha256 TEXT NOT NULL,
            CONSTRAINT pk_call_draw_seed PRIMARY KEY (id),
            CONSTRAINT uq_call_draw_seed_call_id UNIQUE (call_id),
            CONSTRAINT ck_call_draw_seed_sha256_of_seed CHECK (seed_sha256 = encode(sha256(convert_to(seed, 'UTF8')), 'hex')),
            CONSTRAINT fk_call_draw_seed_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        "CREATE TRIGGER call_draw_seed_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON call_draw_seed "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for table, once in ONCE.items():
        op.execute(f"ALTER TABLE {table} ADD COLUMN undrawn BOOLEAN NOT NULL DEFAULT false")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN undrawn DROP DEFAULT")
        _written_once(table, DRAWN[table])
        op.execute(
            f"CREATE TRIGGER {table}_draw_stands BEFORE UPDATE ON {table} FOR EACH ROW WHEN (NOT OLD.undrawn) "
            f"EXECUTE FUNCTION refuse_rewriting('{once}', '{FREE[table]}')"
        )
        op.execute(
            f"CREATE TRIGGER {table}_undrawn_kept AFTER UPDATE ON {table} FOR EACH ROW "
            "WHEN (OLD.undrawn AND NOT NEW.undrawn) EXECUTE FUNCTION keep_superseded()"
        )
    # The draw puts many in another order at once.
    op.execute(
        """
        ALTER TABLE selection_item
            DROP CONSTRAINT uq_selection_item_selection_id_position,
            ADD CONSTRAINT uq_selection_item_selection_id_position UNIQUE (selection_id, position)
                DEFERRABLE INITIALLY DEFERRED
        """
    )


def downgrade() -> None:
    op.execute(
        """
        ALTER TABLE selection_item
            DROP CONSTRAINT uq_selection_item_selection_id_position,
            ADD CONSTRAINT uq_selection_item_selection_id_position UNIQUE (selection_id, position)
        """
    )
    for table in ONCE:
        op.execute(f"DROP TRIGGER {table}_draw_stands ON {table}")
        op.execute(f"DROP TRIGGER {table}_undrawn_kept ON {table}")
        op.execute(f"ALTER TABLE {table} DROP COLUMN undrawn")
        _written_once(table, FREE[table])
    op.execute("DROP TABLE call_draw_seed")


def _written_once(table: str, free: str) -> None:
    op.execute(f"DROP TRIGGER {table}_written_once ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('{ONCE[table]}', '{free}')"
    )
