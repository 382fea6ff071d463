"""Every mark and text of a score sheet keeps its versions, the place where one stopped is kept, and applications are packed to
be read elsewhere. What stands on the sheets until now is the first version of each."""

from __future__ import annotations

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE assessment_version (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            assessment_id UUID NOT NULL,
            field TEXT NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
            saved_by UUID,
            CONSTRAINT pk_assessment_version PRIMARY KEY (id),
            CONSTRAINT uq_assessment_version_assessment_id_field_number UNIQUE (assessment_id, field, number),
            CONSTRAINT ck_assessment_version_number_counts CHECK (number >= 1),
            CONSTRAINT fk_assessment_version_assessment_id FOREIGN KEY(assessment_id) REFERENCES assessment (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        INSERT INTO assessment_version
        SELECT gen_random_uuid(), sheet.saved_at, 1, sheet.id, said.field, 1, said.text, sheet.saved_at, evaluator.user_id
        FROM (
            SELECT assessment_id AS sheet_id, 'half_' || criterion AS field, half::text AS text
            FROM assessment_score WHERE half IS NOT NULL
            UNION ALL
            SELECT assessment_id, 'comment_' || criterion, comment FROM assessment_score WHERE comment <> ''
            UNION ALL
            SELECT id, 'remark', remark FROM assessment WHERE remark <> ''
        ) AS said
        JOIN assessment AS sheet ON sheet.id = said.sheet_id
        JOIN assignment AS seat ON seat.id = sheet.assignment_id
        JOIN evaluator ON evaluator.id = seat.evaluator_id
        """
    )
    op.execute("ALTER TABLE assessment ADD COLUMN numbers JSONB NOT NULL DEFAULT '{}'")
    op.execute(
        """
        UPDATE assessment SET numbers = told.numbers
        FROM (
            SELECT assessment_id, jsonb_object_agg(field, number) AS numbers FROM assessment_version GROUP BY assessment_id
        ) AS told
        WHERE told.assessment_id = assessment.id
        """
    )
    op.execute("ALTER TABLE assessment ALTER COLUMN numbers DROP DEFAULT")
    op.execute(
        """
        CREATE TRIGGER assessment_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TABLE sheet_place (
            assignment_id UUID NOT NULL,
            answer TEXT NOT NULL,
            answer_offset INTEGER NOT NULL,
            field TEXT NOT NULL,
            field_offset INTEGER NOT NULL,
            seconds INTEGER NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            skipped_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_sheet_place PRIMARY KEY (assignment_id),
            CONSTRAINT fk_sheet_place_assignment_id FOREIGN KEY(assignment_id) REFERENCES assignment (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )
    op.execute(
        """
        CREATE TABLE reading_pack (
            id UUID NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            version INTEGER NOT NULL,
            owner_id UUID NOT NULL,
            asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
            job_id UUID NOT NULL,
            made_at TIMESTAMP WITH TIME ZONE,
            held JSONB NOT NULL,
            CONSTRAINT pk_reading_pack PRIMARY KEY (id),
            CONSTRAINT uq_reading_pack_owner_id UNIQUE (owner_id),
            CONSTRAINT fk_reading_pack_owner_id FOREIGN KEY(owner_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT fk_reading_pack_job_id FOREIGN KEY(job_id) REFERENCES job (id) DEFERRABLE INITIALLY DEFERRED
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE assessment_version, sheet_place, reading_pack")
    op.execute("ALTER TABLE assessment DROP COLUMN numbers")
