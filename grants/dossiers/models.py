"""Tables of documents people write together: the definition as answered, sections, answers and every earlier answer, comments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.core.db import DIGEST, NOT_AUDITED, Row, points_to


class Dossier(Row):
    """One document of one owner (kind and id, without foreign key); keeps the definition it answers."""

    __tablename__ = "dossier"
    __table_args__ = (UniqueConstraint("owner_kind", "owner_id"),)

    owner_kind: Mapped[str]
    owner_id: Mapped[UUID]
    definition: Mapped[dict[str, Any]] = mapped_column(info=DIGEST)


class DossierSection(Row):
    """One section: its version is what forms carry; ``saves`` counts, so that each save makes a new version."""

    __tablename__ = "dossier_section"
    __table_args__ = (
        UniqueConstraint("dossier_id", "key"),
        CheckConstraint("(saves = 0) = (saved_at IS NULL)", name="saved_has_time"),
    )

    dossier_id: Mapped[UUID] = mapped_column(points_to("dossier.id"))
    key: Mapped[str]
    position: Mapped[int]
    marked_complete_at: Mapped[datetime | None]
    marked_complete_by: Mapped[UUID | None]
    # Who is asked to write it; nobody in particular while it is empty.
    asked_id: Mapped[UUID | None]
    saves: Mapped[int] = mapped_column(info=NOT_AUDITED)
    saved_at: Mapped[datetime | None] = mapped_column(info=NOT_AUDITED)
    saved_by: Mapped[UUID | None] = mapped_column(info=NOT_AUDITED)


class DossierAnswer(Row):
    """The answer that stands now, as typed; ``number`` counts its versions."""

    __tablename__ = "dossier_answer"
    __table_args__ = (UniqueConstraint("dossier_id", "question_key"),)

    dossier_id: Mapped[UUID] = mapped_column(points_to("dossier.id"))
    section_key: Mapped[str]
    question_key: Mapped[str]
    text: Mapped[str] = mapped_column(info=DIGEST)
    picked: Mapped[list[Any]] = mapped_column(info=DIGEST)
    number: Mapped[int]
    saved_at: Mapped[datetime] = mapped_column(info=NOT_AUDITED)
    saved_by: Mapped[UUID | None] = mapped_column(info=NOT_AUDITED)


class DossierAnswerVersion(Row):
    """Every answer that ever stood, the present one included; written once, its audit is the answer's."""

    __tablename__ = "dossier_answer_version"
    __table_args__ = (UniqueConstraint("answer_id", "number"),)
    __audited__ = False

    answer_id: Mapped[UUID] = mapped_column(points_to("dossier_answer.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(info=DIGEST)
    picked: Mapped[list[Any]] = mapped_column(info=DIGEST)
    saved_at: Mapped[datetime]
    saved_by: Mapped[UUID | None]


class DossierSetAside(Row):
    """A text that has no place any more since what is asked changed: what was asked, what was answered; written once."""

    __tablename__ = "dossier_set_aside"
    __table_args__ = (UniqueConstraint("dossier_id", "number"),)
    __audited__ = False

    dossier_id: Mapped[UUID] = mapped_column(points_to("dossier.id"))
    number: Mapped[int]
    section_key: Mapped[str]
    section_title: Mapped[str]
    question_key: Mapped[str]
    label: Mapped[str]
    text: Mapped[str] = mapped_column(info=DIGEST)
    # False where the question is still asked, in another way.
    is_gone: Mapped[bool]
    set_aside_at: Mapped[datetime]


class DossierThread(Row):
    """One conversation about one question, beside the document and never part of it."""

    __tablename__ = "dossier_thread"
    __table_args__ = (
        CheckConstraint("(resolved_at IS NULL) = (resolved_by IS NULL)", name="resolved_by_somebody"),
        Index("ix_dossier_thread_section", "dossier_id", "section_key"),
    )

    dossier_id: Mapped[UUID] = mapped_column(points_to("dossier.id"))
    section_key: Mapped[str]
    question_key: Mapped[str]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None]


class DossierComment(Row):
    """What somebody said in a thread; written once."""

    __tablename__ = "dossier_comment"
    __table_args__ = (UniqueConstraint("thread_id", "number"),)

    thread_id: Mapped[UUID] = mapped_column(points_to("dossier_thread.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(info=DIGEST)
    written_by: Mapped[UUID]
