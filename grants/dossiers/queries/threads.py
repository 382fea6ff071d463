"""Comments beside the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.core.db import db
from grants.core.together import Asking, ask, reader
from grants.dossiers import rules
from grants.dossiers.markup import Block
from grants.dossiers.models import DossierComment, DossierThread


@dataclass(frozen=True, slots=True)
class CommentView:
    """What somebody said of a question, when."""

    text: str
    paragraphs: tuple[Block, ...]
    written_by: UUID
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One conversation about one question, from its first word on."""

    id: UUID
    question: str
    resolved_at: datetime | None
    resolved_by: UUID | None
    comments: tuple[CommentView, ...]

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.resolved_at is None

    @property
    def people(self) -> frozenset[UUID]:
        """Everybody who spoke in it or resolved it."""
        named = {comment.written_by for comment in self.comments}
        return frozenset(named | {self.resolved_by} if self.resolved_by else named)


@reader
def open_threads(dossier_id: UUID) -> Asking[dict[str, dict[str, int]]]:
    """How many threads are open, by section and question, where there are any; one statement."""
    rows = yield from ask(
        select(DossierThread.section_key, DossierThread.question_key, func.count().label("threads"))
        .where(DossierThread.dossier_id == dossier_id, DossierThread.resolved_at.is_(None))
        .group_by(DossierThread.section_key, DossierThread.question_key)
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.section_key, {})[row.question_key] = row.threads
    return found


def threads(dossier_id: UUID, section_key: str) -> tuple[ThreadView, ...]:
    """The threads of one section, open ones first, each group from the oldest on; one statement."""
    rows = db.session.execute(
        select(DossierThread, DossierComment)
        .join(DossierComment, DossierComment.thread_id == DossierThread.id)
        .where(DossierThread.dossier_id == dossier_id, DossierThread.section_key == section_key)
        .order_by(
            DossierThread.resolved_at.is_not(None), DossierThread.created_at, DossierThread.id, DossierComment.number
        )
        .limit(rules.THREADS_MAX * rules.COMMENTS_MAX)
    ).all()
    found: dict[UUID, tuple[DossierThread, list[CommentView]]] = {}
    for thread, comment in rows:
        said = CommentView(comment.text, rules.paragraphs(comment.text), comment.written_by, comment.created_at)
        found.setdefault(thread.id, (thread, []))[1].append(said)
    return tuple(
        ThreadView(row.id, row.question_key, row.resolved_at, row.resolved_by, tuple(comments))
        for row, comments in found.values()
    )
