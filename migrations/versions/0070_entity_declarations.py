"""What people declare about each organisation that takes part in applications of a call; what stands counts as said of each."""

from __future__ import annotations

from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

TABLE = "entity_declaration"
KINDS = "'family', 'friendship', 'employment', 'economic', 'shared_work', 'political', 'rival', 'other'"

# Who said “none” about an application said it with those in sight who took part then. Nothing is said for anybody of an
# organisation in an application of the call about which a doubt of theirs stands or a conflict was confirmed.
SAID_BEFORE = f"""
WITH part AS (
    SELECT d.user_id, a.call_id, coalesce(o.same_as_id, o.id) AS organisation_id, d.declared, d.declared_at,
        d.ruling, p.created_at
    FROM conflict_declaration d
    JOIN application a ON a.id = d.application_id
    JOIN application_partner p ON p.application_id = a.id AND p.state <> 'declined'
    JOIN organisation o ON o.id = p.organisation_id
)
INSERT INTO {TABLE} (user_id, call_id, organisation_id, declared, declared_at, id, created_at, version)
SELECT user_id, call_id, organisation_id, 'none', said_at, gen_random_uuid(), said_at, 1 FROM (
    SELECT user_id, call_id, organisation_id, min(declared_at) AS said_at FROM part
    WHERE declared = 'none' AND ruling IS DISTINCT FROM 'confirmed' AND created_at <= declared_at
    GROUP BY 1, 2, 3
) said
WHERE NOT EXISTS (
    SELECT FROM part
    WHERE part.user_id = said.user_id AND part.call_id = said.call_id
        AND part.organisation_id = said.organisation_id
        AND (part.ruling = 'confirmed' OR (part.declared <> 'none' AND part.ruling IS NULL))
)
"""


def upgrade() -> None:
    op.execute(
        f"""
        CREATE TABLE {TABLE} (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL CONSTRAINT fk_{TABLE}_user_id REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            call_id UUID NOT NULL CONSTRAINT fk_{TABLE}_call_id REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED,
            organisation_id UUID NOT NULL CONSTRAINT fk_{TABLE}_organisation_id REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED,
            declared TEXT NOT NULL,
            kind TEXT,
            reason TEXT,
            declared_at TIMESTAMPTZ NOT NULL,
            CONSTRAINT pk_{TABLE} PRIMARY KEY (id),
            CONSTRAINT uq_{TABLE}_user_id_call_id_organisation_id UNIQUE (user_id, call_id, organisation_id),
            CONSTRAINT ck_{TABLE}_declared_known CHECK (declared IN ('none', 'conflict', 'unsure')),
            CONSTRAINT ck_{TABLE}_kind_known CHECK (kind IN ({KINDS})),
            CONSTRAINT ck_{TABLE}_doubt_has_reason CHECK (declared = 'none' OR reason IS NOT NULL),
            CONSTRAINT ck_{TABLE}_doubt_has_kind CHECK ((declared = 'none') = (kind IS NULL))
        )
        """
    )
    op.execute(f"CREATE INDEX ix_{TABLE}_call_id ON {TABLE} (call_id)")
    op.execute(f"CREATE INDEX ix_{TABLE}_organisation_id ON {TABLE} (organisation_id)")
    op.execute(SAID_BEFORE)
    op.execute(
        f"""
        CREATE TRIGGER {TABLE}_written_once BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('', 'declared,kind,reason,declared_at')
        """
    )
    op.execute(
        f"""
        CREATE TRIGGER {TABLE}_never_emptied BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        f"""
        CREATE TRIGGER {TABLE}_kept AFTER UPDATE ON {TABLE}
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION keep_superseded()
        """
    )


def downgrade() -> None:
    op.execute(f"DROP TABLE {TABLE}")
