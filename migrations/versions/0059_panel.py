"""Meetings of the panel with their log and minutes; versions of a consensus, and what evaluators say to each."""

from __future__ import annotations

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

TABLES = (
    "panel_minutes", "panel_event", "panel_item", "panel_member", "panel_meeting", "consensus_answer", "consensus_version",
)  # fmt: skip
ONLY_COME = ("consensus_answer", "consensus_version", "panel_event")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE consensus_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            consensus_id UUID NOT NULL,
            number INTEGER NOT NULL,
            written_by UUID NOT NULL,
            written_at TIMESTAMP WITH TIME ZONE NOT NULL,
            marks JSONB NOT NULL,
            text TEXT NOT NULL,
            CONSTRAINT pk_consensus_version PRIMARY KEY (id),
            CONSTRAINT uq_consensus_version_consensus_id_number UNIQUE (consensus_id, number),
            CONSTRAINT ck_consensus_version_from_one CHECK (number >= 1),
            CONSTRAINT fk_consensus_version_consensus_id FOREIGN KEY(consensus_id) REFERENCES consensus (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_consensus_version_written_by FOREIGN KEY(written_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE consensus_answer (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            version_id UUID NOT NULL,
            user_id UUID NOT NULL,
            answer TEXT NOT NULL,
            words TEXT NOT NULL,
            answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_consensus_answer PRIMARY KEY (id),
            CONSTRAINT uq_consensus_answer_version_id_user_id_answer UNIQUE (version_id, user_id, answer),
            CONSTRAINT ck_consensus_answer_answer_known CHECK (answer IN ('approve', 'dissent')),
            CONSTRAINT ck_consensus_answer_dissent_has_words CHECK ((answer = 'dissent') = (words <> '')),
            CONSTRAINT fk_consensus_answer_version_id FOREIGN KEY(version_id) REFERENCES consensus_version (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_consensus_answer_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE panel_meeting (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            call_id UUID NOT NULL,
            number INTEGER NOT NULL,
            slug TEXT NOT NULL,
            title TEXT NOT NULL,
            state TEXT NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            quorum INTEGER NOT NULL,
            minutes_an_item INTEGER NOT NULL,
            current_id UUID,
            last_number INTEGER NOT NULL,
            CONSTRAINT pk_panel_meeting PRIMARY KEY (id),
            CONSTRAINT uq_panel_meeting_call_id_number UNIQUE (call_id, number),
            CONSTRAINT uq_panel_meeting_slug UNIQUE (slug),
            CONSTRAINT ck_panel_meeting_state_known CHECK (state IN ('planned', 'running', 'paused', 'ended')),
            CONSTRAINT ck_panel_meeting_quorum_of_somebody CHECK (quorum >= 1),
            CONSTRAINT ck_panel_meeting_minutes_of_an_item CHECK (minutes_an_item >= 1),
            CONSTRAINT ck_panel_meeting_item_while_it_meets CHECK (current_id IS NULL OR state IN ('running', 'paused')),
            CONSTRAINT fk_panel_meeting_call_id FOREIGN KEY(call_id) REFERENCES call (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE panel_member (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            meeting_id UUID NOT NULL,
            user_id UUID NOT NULL,
            role TEXT NOT NULL,
            CONSTRAINT pk_panel_member PRIMARY KEY (id),
            CONSTRAINT uq_panel_member_meeting_id_user_id UNIQUE (meeting_id, user_id),
            CONSTRAINT ck_panel_member_role_known CHECK (role IN ('chair', 'deputy', 'member', 'minutes')),
            CONSTRAINT fk_panel_member_meeting_id FOREIGN KEY(meeting_id) REFERENCES panel_meeting (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_member_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_panel_member_user_id ON panel_member (user_id)")
    op.execute("CREATE UNIQUE INDEX uq_panel_member_one_chair ON panel_member (meeting_id) WHERE role = 'chair'")
    op.execute("CREATE UNIQUE INDEX uq_panel_member_one_deputy ON panel_member (meeting_id) WHERE role = 'deputy'")
    op.execute(
        """
        CREATE TABLE panel_item (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            meeting_id UUID NOT NULL,
            application_id UUID NOT NULL,
            position INTEGER NOT NULL,
            CONSTRAINT pk_panel_item PRIMARY KEY (id),
            CONSTRAINT uq_panel_item_meeting_id_application_id UNIQUE (meeting_id, application_id),
            CONSTRAINT uq_panel_item_meeting_id_position UNIQUE (meeting_id, position) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT ck_panel_item_position_from_one CHECK (position >= 1),
            CONSTRAINT fk_panel_item_meeting_id FOREIGN KEY(meeting_id) REFERENCES panel_meeting (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_item_application_id FOREIGN KEY(application_id) REFERENCES application (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_panel_item_application_id ON panel_item (application_id)")
    op.execute(
        """
        CREATE TABLE panel_event (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            meeting_id UUID NOT NULL,
            number INTEGER NOT NULL,
            kind TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by_id UUID NOT NULL,
            person_id UUID,
            item_id UUID,
            other_item_id UUID,
            proposal INTEGER,
            vote TEXT,
            text TEXT NOT NULL,
            before TEXT NOT NULL,
            reason TEXT NOT NULL,
            CONSTRAINT pk_panel_event PRIMARY KEY (id),
            CONSTRAINT uq_panel_event_meeting_id_number UNIQUE (meeting_id, number),
            CONSTRAINT ck_panel_event_kind_known CHECK (kind IN ('begun', 'paused', 'resumed', 'ended', 'arrived', 'left', 'opened', 'closed', 'stepped_out', 'called_back', 'proposed', 'voted', 'counted', 'reordered', 'recommended', 'remarked')),
            CONSTRAINT ck_panel_event_vote_known CHECK (vote IN ('approve', 'reject', 'abstain')),
            CONSTRAINT ck_panel_event_vote_says_how CHECK ((kind = 'voted') = (vote IS NOT NULL)),
            CONSTRAINT ck_panel_event_vote_is_on_a_proposal CHECK ((kind IN ('proposed', 'voted', 'counted')) = (proposal IS NOT NULL)),
            CONSTRAINT ck_panel_event_about_an_item CHECK (kind NOT IN ('opened', 'closed', 'stepped_out', 'called_back', 'proposed', 'voted', 'counted', 'reordered', 'recommended', 'remarked') OR item_id IS NOT NULL),
            CONSTRAINT ck_panel_event_change_has_reason CHECK (kind NOT IN ('reordered', 'recommended') OR reason <> ''),
            CONSTRAINT ck_panel_event_order_is_of_two CHECK ((kind = 'reordered') = (other_item_id IS NOT NULL)),
            CONSTRAINT fk_panel_event_meeting_id FOREIGN KEY(meeting_id) REFERENCES panel_meeting (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_event_by_id FOREIGN KEY(by_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_event_person_id FOREIGN KEY(person_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_event_item_id FOREIGN KEY(item_id) REFERENCES panel_item (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_event_other_item_id FOREIGN KEY(other_item_id) REFERENCES panel_item (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_panel_event_item_id ON panel_event (item_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_panel_event_one_vote ON panel_event (meeting_id, proposal, person_id) WHERE kind = 'voted'"
    )
    op.execute(
        """
        CREATE TABLE panel_minutes (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            meeting_id UUID NOT NULL,
            number INTEGER NOT NULL,
            content JSONB NOT NULL,
            sha256 BYTEA NOT NULL,
            frozen_by UUID NOT NULL,
            chair_signed_by UUID,
            chair_signed_at TIMESTAMP WITH TIME ZONE,
            second_signed_by UUID,
            second_signed_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_panel_minutes PRIMARY KEY (id),
            CONSTRAINT uq_panel_minutes_meeting_id_number UNIQUE (meeting_id, number),
            CONSTRAINT ck_panel_minutes_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT ck_panel_minutes_chair_signed_has_time CHECK ((chair_signed_by IS NULL) = (chair_signed_at IS NULL)),
            CONSTRAINT ck_panel_minutes_second_signed_has_time CHECK ((second_signed_by IS NULL) = (second_signed_at IS NULL)),
            CONSTRAINT ck_panel_minutes_signed_by_two CHECK (chair_signed_by <> second_signed_by),
            CONSTRAINT fk_panel_minutes_meeting_id FOREIGN KEY(meeting_id) REFERENCES panel_meeting (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_minutes_frozen_by FOREIGN KEY(frozen_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_minutes_chair_signed_by FOREIGN KEY(chair_signed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_panel_minutes_second_signed_by FOREIGN KEY(second_signed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    for table in ONLY_COME:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        """
        CREATE TRIGGER panel_minutes_written_once BEFORE UPDATE OR DELETE ON panel_minutes
        FOR EACH ROW
            EXECUTE FUNCTION refuse_rewriting('chair_signed_by,chair_signed_at,second_signed_by,second_signed_at', '')
        """
    )
    op.execute(
        """
        CREATE TRIGGER panel_minutes_never_emptied BEFORE TRUNCATE ON panel_minutes
        FOR EACH STATEMENT
            EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
