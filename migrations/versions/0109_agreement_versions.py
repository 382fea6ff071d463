"""Offers and versions of agreements as rows, several signatories for each side, what holds for one grant alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None

# Parts that a hash covers only where they are stated, as texts were spelled until now.
LATER = ("time_limits", "payment_clock")


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE agreement_offer (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            offer_no INTEGER NOT NULL,
            subject TEXT NOT NULL,
            text JSONB NOT NULL,
            sha256 BYTEA NOT NULL,
            needs_city INTEGER NOT NULL,
            needs_programme INTEGER NOT NULL,
            offered_by UUID,
            offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
            ended_at TIMESTAMP WITH TIME ZONE,
            ended_why TEXT,
            CONSTRAINT pk_agreement_offer PRIMARY KEY (id),
            CONSTRAINT uq_agreement_offer_grant_id_offer_no UNIQUE (grant_id, offer_no),
            CONSTRAINT ck_agreement_offer_subject_known CHECK (subject IN ('agreement')),
            CONSTRAINT ck_agreement_offer_ended_why_known CHECK (ended_why IN ('taken_back', 'signed', 'dropped', 'declined', 'lapsed')),
            CONSTRAINT ck_agreement_offer_number_counts CHECK (offer_no > 0),
            CONSTRAINT ck_agreement_offer_sha256_length CHECK (octet_length(sha256) = 32),
            CONSTRAINT ck_agreement_offer_needs_in_range CHECK (needs_city BETWEEN 1 AND 5 AND needs_programme BETWEEN 1 AND 5),
            CONSTRAINT ck_agreement_offer_ended_has_time CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
            CONSTRAINT fk_agreement_offer_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_offer_offered_by FOREIGN KEY(offered_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX uq_agreement_offer_one_open ON agreement_offer (grant_id) WHERE ended_at IS NULL")
    op.execute(
        """
        CREATE TABLE agreement_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            grant_id UUID NOT NULL,
            number INTEGER NOT NULL,
            offer_no INTEGER NOT NULL,
            in_force_on DATE NOT NULL,
            in_force_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_agreement_version PRIMARY KEY (id),
            CONSTRAINT uq_agreement_version_grant_id_number UNIQUE (grant_id, number),
            CONSTRAINT uq_agreement_version_grant_id_offer_no UNIQUE (grant_id, offer_no),
            CONSTRAINT ck_agreement_version_number_counts CHECK (number > 0),
            CONSTRAINT fk_agreement_version_grant_id FOREIGN KEY(grant_id) REFERENCES grant_agreement (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_agreement_version_grant_id_offer_no FOREIGN KEY(grant_id, offer_no) REFERENCES agreement_offer (grant_id, offer_no) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    _fill()
    # Foreign keys are checked at the end of the transaction; a table with such checks waiting cannot be altered.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        """
        ALTER TABLE agreement_signature
            ADD COLUMN method TEXT NOT NULL DEFAULT 'recorded',
            ADD COLUMN power_id UUID,
            ADD COLUMN role_id UUID,
            ADD COLUMN power TEXT,
            DROP CONSTRAINT uq_agreement_signature_grant_id_offer_no_side,
            ADD CONSTRAINT ck_agreement_signature_method_known CHECK (method IN ('recorded')),
            ADD CONSTRAINT ck_agreement_signature_power_of_city CHECK (power_id IS NULL OR side = 'city'),
            ADD CONSTRAINT ck_agreement_signature_role_of_programme CHECK (role_id IS NULL OR side = 'programme'),
            ADD CONSTRAINT fk_agreement_signature_power_id FOREIGN KEY(power_id) REFERENCES preparation_fact (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_agreement_signature_role_id FOREIGN KEY(role_id) REFERENCES role_grant (id) DEFERRABLE INITIALLY DEFERRED,
            ADD CONSTRAINT fk_agreement_signature_grant_id_offer_no FOREIGN KEY(grant_id, offer_no) REFERENCES agreement_offer (grant_id, offer_no) DEFERRABLE INITIALLY DEFERRED
        """
    )
    op.execute("ALTER TABLE agreement_signature ALTER COLUMN method DROP DEFAULT")
    op.execute(
        "CREATE UNIQUE INDEX uq_agreement_signature_person ON agreement_signature (grant_id, offer_no, signed_by) "
        "WHERE method = 'recorded'"
    )
    op.execute(
        """
        ALTER TABLE grant_agreement
            DROP CONSTRAINT ck_grant_agreement_offered_has_text,
            DROP COLUMN offered_text,
            ADD COLUMN special_conditions TEXT,
            ADD COLUMN programme_signatures INTEGER NOT NULL DEFAULT 1,
            ADD CONSTRAINT ck_grant_agreement_offered_once CHECK (state NOT IN ('ready_to_sign', 'in_force', 'closed') OR offer_no > 0),
            ADD CONSTRAINT ck_grant_agreement_programme_signatures_in_range CHECK (programme_signatures BETWEEN 1 AND 5)
        """
    )
    op.execute("ALTER TABLE grant_agreement ALTER COLUMN programme_signatures DROP DEFAULT")
    op.execute(
        "CREATE TRIGGER agreement_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agreement_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER agreement_offer_written_once BEFORE UPDATE OR DELETE ON agreement_offer "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewriting('ended_at,ended_why', '')"
    )
    op.execute(
        "CREATE TRIGGER agreement_offer_never_emptied BEFORE TRUNCATE ON agreement_offer FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _fill() -> None:
    """Every offer that stands, and every one that somebody signed, with the text as it was kept; the one in force is version 1.

    What was taken back before anybody had signed left no text, so there is no row for it.
    """
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            """
            SELECT id, state, offer_no, offered_text, in_force_at, lapsed_at, created_at FROM grant_agreement
            WHERE offered_text IS NOT NULL
               OR EXISTS (SELECT FROM agreement_signature WHERE agreement_signature.grant_id = grant_agreement.id)
            """
        )
    )
    for grant in found.all():
        signed = connection.execute(
            sa.text(
                "SELECT offer_no, document, document_sha256, min(signed_at) OVER (PARTITION BY offer_no) AS first_at, "
                "max(signed_at) OVER (PARTITION BY offer_no) AS last_at FROM agreement_signature WHERE grant_id = :grant"
            ),
            {"grant": grant.id},
        )
        offers = {row.offer_no: row for row in signed.all()}
        for number, row in offers.items():
            ended_at, why = _end(connection, grant, number, row.last_at)
            _add(connection, grant.id, number, row.document, bytes(row.document_sha256), row.first_at, ended_at, why)
        if grant.offered_text is not None and grant.offer_no not in offers:
            ended_at, why = _end(connection, grant, grant.offer_no, grant.created_at)
            spelled = _hash(grant.offered_text)
            _add(connection, grant.id, grant.offer_no, grant.offered_text, spelled, grant.created_at, ended_at, why)
    connection.execute(
        sa.text(
            """
            INSERT INTO agreement_version (id, created_at, version, grant_id, number, offer_no, in_force_on, in_force_at)
            SELECT gen_random_uuid(), in_force_at, 1, id, 1, offer_no, (in_force_at AT TIME ZONE 'Europe/Brussels')::date, in_force_at
            FROM grant_agreement WHERE state IN ('in_force', 'closed') AND offered_text IS NOT NULL
            """
        )
    )


def _end(connection: sa.Connection, grant: Any, number: int, last_at: Any) -> tuple[Any, str | None]:
    """When and how an offer ended; of one that was taken back or dropped the moment was not kept, so its last signature's is."""
    if number != grant.offer_no or grant.offered_text is None:
        return last_at, "taken_back"
    match grant.state:
        case "ready_to_sign":
            return None, None
        case "in_force" | "closed":
            return grant.in_force_at, "signed"
        case _:
            declined = connection.scalar(
                sa.text(
                    "SELECT state = 'declined' FROM application WHERE id = (SELECT application_id FROM grant_agreement WHERE id = :grant)"
                ),
                {"grant": grant.id},
            )
            if grant.lapsed_at is not None:
                return grant.lapsed_at, "lapsed"
            return last_at, "declined" if declined else "dropped"


def _add(
    connection: sa.Connection, grant_id: Any, number: int, text: Any, sha256: bytes, at: Any, ended_at: Any, why: Any
) -> None:
    connection.execute(
        sa.text(
            """
            INSERT INTO agreement_offer (id, created_at, version, grant_id, offer_no, subject, text, sha256, needs_city, needs_programme, offered_at, ended_at, ended_why)
            VALUES (gen_random_uuid(), :at, 1, :grant, :number, 'agreement', CAST(:text AS JSONB), :sha256, 1, 1, :at, :ended_at, :why)
            """
        ),
        {
            "at": at,
            "grant": grant_id,
            "number": number,
            "text": json.dumps(text),
            "sha256": sha256,
            "ended_at": ended_at,
            "why": why,
        },
    )


def _hash(text: dict[str, Any]) -> bytes:
    stated = {name: part for name, part in text.items() if part is not None or name not in LATER}
    spelled = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).digest()


def downgrade() -> None:
    # What the older form cannot say: a second signature of a side, a text that was taken back unsigned, words of one grant.
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM agreement_signature GROUP BY grant_id, offer_no, side HAVING count(*) > 1)
             OR EXISTS (SELECT FROM agreement_version WHERE number > 1)
             OR EXISTS (SELECT FROM grant_agreement WHERE special_conditions IS NOT NULL OR programme_signatures > 1)
             OR EXISTS (SELECT FROM agreement_offer offer WHERE ended_why = 'taken_back' AND NOT EXISTS (
               SELECT FROM agreement_signature given WHERE given.grant_id = offer.grant_id AND given.offer_no = offer.offer_no))
          THEN
            RAISE EXCEPTION 'agreements have several signatories, versions, special conditions or texts that were taken back: they would be lost';
          END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE grant_agreement ADD COLUMN offered_text JSONB")
    op.execute(
        """
        UPDATE grant_agreement SET offered_text = offer.text FROM agreement_offer offer
        WHERE offer.grant_id = grant_agreement.id AND offer.offer_no = grant_agreement.offer_no
          AND offer.ended_why IS DISTINCT FROM 'taken_back'
        """
    )
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("DROP INDEX uq_agreement_signature_person")
    op.execute(
        """
        ALTER TABLE agreement_signature
            DROP CONSTRAINT fk_agreement_signature_grant_id_offer_no,
            DROP COLUMN method, DROP COLUMN power_id, DROP COLUMN role_id, DROP COLUMN power,
            ADD CONSTRAINT uq_agreement_signature_grant_id_offer_no_side UNIQUE (grant_id, offer_no, side)
        """
    )
    op.execute("DROP TABLE agreement_version, agreement_offer")
    op.execute(
        """
        ALTER TABLE grant_agreement
            DROP CONSTRAINT ck_grant_agreement_offered_once,
            DROP COLUMN special_conditions, DROP COLUMN programme_signatures,
            ADD CONSTRAINT ck_grant_agreement_offered_has_text CHECK (state NOT IN ('ready_to_sign', 'in_force', 'closed') OR offered_text IS NOT NULL)
        """
    )
