"""What a team did last to its draft, for the panel beside the task list: from the versions of answers and the audit record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from grants.applications import rules
from grants.applications.models import ApplicationMember, ApplicationPartner, ApplicationServing, ApplicationSignOff
from grants.applications.rules import ApplicationView, LastChange
from grants.budgets.models import BudgetLine, BudgetNote, BudgetPackage, BudgetSource
from grants.core.audit import ActRow, AuditEvent
from grants.core.files import StoredFile
from grants.core.together import Asking, ask, both, reader
from grants.dossiers.models import DossierAnswer, DossierAnswerVersion
from grants.identity.models import User

# Read so many of each; the saves of one person in one place within ten minutes are one line of the panel.
READ_MAX = 40


@reader
def last_changes(application: ApplicationView) -> Asking[tuple[LastChange, ...]]:
    """The newest changes by their people, newest first; one statement."""
    saves = (
        select(
            DossierAnswer.section_key,
            DossierAnswer.question_key,
            DossierAnswerVersion.saved_at,
            User.id.label("user_id"),
            User.name,
        )
        .join(DossierAnswer, DossierAnswer.id == DossierAnswerVersion.answer_id)
        .join(User, User.id == DossierAnswerVersion.saved_by)
        .where(DossierAnswer.dossier_id == application.dossier_id)
        .order_by(DossierAnswerVersion.saved_at.desc(), DossierAnswerVersion.id)
        .limit(READ_MAX)
    )
    written, done = yield from both(ask(saves), ask(_acts(application)))
    titles = {
        question.key: (section.title, question.label)
        for section in application.call.content.definition.sections
        for question in section.questions
    }
    return rules.told_together(
        [
            *(_written(row, titles) for row in written if row.question_key in titles),
            *(LastChange(row.done_at, row.name, row.user_id, row.verb) for row in done),
        ]
    )


def _acts(application: ApplicationView) -> Any:
    """Acts of people on the application, its budget and what hangs on it, but for writing answers."""
    beneath = [
        and_(AuditEvent.object_kind == model.__tablename__, AuditEvent.object_id.in_(_ids(model, application.id)))
        for model in (ApplicationPartner, ApplicationMember, ApplicationServing, ApplicationSignOff)
    ]
    # A budget says by its parts what changed of it.
    beneath += [
        and_(
            AuditEvent.object_kind == model.__tablename__,
            AuditEvent.object_id.in_(select(model.id).where(model.budget_id == application.budget_id)),
        )
        for model in (BudgetLine, BudgetNote, BudgetPackage, BudgetSource)
    ]
    files = select(StoredFile.id).where(StoredFile.kind == "application", StoredFile.object_id == application.id)
    about = or_(
        and_(AuditEvent.object_kind == "application", AuditEvent.object_id == application.id),
        and_(AuditEvent.object_kind == "stored_file", AuditEvent.object_id.in_(files)),
        *beneath,
    )
    return (
        select(ActRow.id, ActRow.verb, ActRow.done_at, User.id.label("user_id"), User.name)
        .join(User, User.id == ActRow.user_id)
        .where(
            ActRow.verb.in_(rules.CHANGES_TOLD),
            ActRow.id.in_(select(AuditEvent.act_id).where(about)),
        )
        .order_by(ActRow.done_at.desc(), ActRow.id)
        .limit(READ_MAX)
    )


def _ids(model: Any, application_id: UUID) -> Any:
    return select(model.id).where(model.application_id == application_id)


def _written(row: Any, titles: Any) -> LastChange:
    section, label = titles[row.question_key]
    return LastChange(
        row.saved_at, row.name, row.user_id, "application.save_answer", f"{section}: {label}", row.section_key,
        row.question_key,
    )  # fmt: skip
