"""Make the tables of identity."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE organisation (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            name TEXT NOT NULL,
            local_name TEXT,
            kind TEXT NOT NULL,
            country_code TEXT NOT NULL,
            town TEXT,
            postcode TEXT,
            street TEXT,
            pic TEXT,
            website TEXT,
            synthetic BOOLEAN NOT NULL,
            CONSTRAINT pk_organisation PRIMARY KEY (id),
            CONSTRAINT ck_organisation_kind_known CHECK (kind IN ('municipality', 'metropole', 'agency', 'research', 'university', 'company', 'association', 'programme')),
            CONSTRAINT ck_organisation_country_code_form CHECK (country_code ~ '^[A-Z]{2}$'),
            CONSTRAINT ck_organisation_pic_form CHECK (pic ~ '^[0-9]{9}$')
        )
        """
    )
    op.execute("CREATE INDEX ix_organisation_pic ON organisation (pic)")
    op.execute("CREATE INDEX ix_organisation_name ON organisation (name)")
    op.execute(
        """
        CREATE TABLE sign_in_attempt (
            subject TEXT NOT NULL,
            failures INTEGER NOT NULL,
            tried_at TIMESTAMP WITH TIME ZONE NOT NULL,
            blocked_until TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_sign_in_attempt PRIMARY KEY (subject)
        )
        """
    )
    op.execute("CREATE INDEX ix_sign_in_attempt_tried_at ON sign_in_attempt (tried_at)")
    op.execute(
        """
        CREATE TABLE user_account (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            handle TEXT NOT NULL,
            name TEXT NOT NULL,
            email TEXT NOT NULL,
            phone TEXT,
            job_title TEXT,
            password_hash TEXT,
            password_set_at TIMESTAMP WITH TIME ZONE,
            disabled_at TIMESTAMP WITH TIME ZONE,
            is_demo BOOLEAN NOT NULL,
            CONSTRAINT pk_user_account PRIMARY KEY (id),
            CONSTRAINT ck_user_account_email_normal CHECK (email = lower(email) AND email LIKE '%_@_%'),
            CONSTRAINT ck_user_account_password_has_time CHECK ((password_hash IS NULL) = (password_set_at IS NULL)),
            CONSTRAINT ck_user_account_handle_form CHECK (handle ~ '^[a-z0-9-]{1,60}$'),
            CONSTRAINT uq_user_account_handle UNIQUE (handle),
            CONSTRAINT uq_user_account_email UNIQUE (email)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE access_bar (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL,
            kind TEXT NOT NULL,
            object_id UUID NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_before TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_access_bar PRIMARY KEY (id),
            CONSTRAINT ck_access_bar_span CHECK (ends_before >= starts_at),
            CONSTRAINT fk_access_bar_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_access_bar_user_id ON access_bar (user_id)")
    op.execute("CREATE INDEX ix_access_bar_object ON access_bar (kind, object_id)")
    op.execute(
        """
        CREATE TABLE membership (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL,
            organisation_id UUID NOT NULL,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_before TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_membership PRIMARY KEY (id),
            CONSTRAINT ck_membership_span CHECK (ends_before >= starts_at),
            CONSTRAINT fk_membership_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_membership_organisation_id FOREIGN KEY(organisation_id) REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE UNIQUE INDEX uq_membership_open ON membership (user_id, organisation_id) WHERE ends_before IS NULL
        """
    )
    op.execute("CREATE INDEX ix_membership_organisation_id ON membership (organisation_id)")
    op.execute(
        """
        CREATE TABLE role_grant (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL,
            role TEXT NOT NULL,
            kind TEXT NOT NULL,
            object_id UUID,
            starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ends_before TIMESTAMP WITH TIME ZONE,
            assigned_by UUID,
            needs_confirmation BOOLEAN NOT NULL,
            confirmed_by UUID,
            confirmed_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_role_grant PRIMARY KEY (id),
            CONSTRAINT ck_role_grant_role_known CHECK (role IN ('administrator', 'programme_manager', 'eligibility_officer', 'project_officer', 'evaluator', 'assigned_evaluator', 'panel_chair', 'panel_member', 'finance_initiator', 'finance_verifier', 'authorising_officer', 'accounting_officer', 'auditor', 'applicant', 'application_lead', 'application_partner', 'signatory', 'programme_signatory')),
            CONSTRAINT ck_role_grant_place CHECK ((kind = 'everywhere') = (object_id IS NULL)),
            CONSTRAINT ck_role_grant_span CHECK (ends_before >= starts_at),
            CONSTRAINT ck_role_grant_not_to_oneself CHECK (assigned_by <> user_id),
            CONSTRAINT ck_role_grant_second_person CHECK (confirmed_by <> user_id AND confirmed_by <> assigned_by),
            CONSTRAINT ck_role_grant_confirmed_has_time CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
            CONSTRAINT ck_role_grant_confirmed_if_needed CHECK (confirmed_by IS NULL OR needs_confirmation),
            CONSTRAINT fk_role_grant_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_role_grant_assigned_by FOREIGN KEY(assigned_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_role_grant_confirmed_by FOREIGN KEY(confirmed_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE INDEX ix_role_grant_user_id ON role_grant (user_id)")
    op.execute("CREATE INDEX ix_role_grant_role ON role_grant (role)")
    op.execute("CREATE INDEX ix_role_grant_place ON role_grant (kind, object_id)")
    op.execute(
        """
        CREATE TABLE sign_in_link (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            user_id UUID NOT NULL,
            purpose TEXT NOT NULL,
            token_hash BYTEA NOT NULL,
            expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
            used_at TIMESTAMP WITH TIME ZONE,
            withdrawn_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_sign_in_link PRIMARY KEY (id),
            CONSTRAINT ck_sign_in_link_purpose_known CHECK (purpose IN ('invitation', 'reset')),
            CONSTRAINT ck_sign_in_link_one_end CHECK (used_at IS NULL OR withdrawn_at IS NULL),
            CONSTRAINT fk_sign_in_link_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_sign_in_link_token_hash UNIQUE (token_hash)
        )
        """
    )
    op.execute("CREATE INDEX ix_sign_in_link_user_id ON sign_in_link (user_id)")
    op.execute(
        """
        CREATE TABLE user_session (
            id UUID NOT NULL,
            user_id UUID NOT NULL,
            token_hash BYTEA NOT NULL,
            started_at TIMESTAMP WITH TIME ZONE NOT NULL,
            seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
            proved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            ended_why TEXT,
            address TEXT NOT NULL,
            browser TEXT NOT NULL,
            CONSTRAINT pk_user_session PRIMARY KEY (id),
            CONSTRAINT ck_user_session_ended_why_known CHECK (ended_why IN ('signed_out', 'ended_by_person', 'password_changed', 'user_disabled', 'replaced')),
            CONSTRAINT ck_user_session_ended_has_reason CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
            CONSTRAINT fk_user_session_user_id FOREIGN KEY(user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT uq_user_session_token_hash UNIQUE (token_hash)
        )
        """
    )
    op.execute("CREATE INDEX ix_user_session_user_id ON user_session (user_id)")


def downgrade() -> None:
    op.execute(
        "DROP TABLE access_bar, membership, organisation, role_grant, sign_in_attempt, sign_in_link, user_account, user_session"
    )
