"""What a team did last to its draft, for the panel beside the task list: from the versions of answers and the audit record."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Uuid, and_, any_, func, literal, select, union_all

from grants.applications import rules
from grants.applications.models import ApplicationMember, ApplicationPartner, ApplicationServing, ApplicationSignOff
from grants.applications.rules import ApplicationView, LastChange
from grants.budgets.models import BudgetLine, BudgetNote, BudgetPackage, BudgetPlanItem, BudgetSource
from grants.core.audit import ActRow, AuditEvent, RemovedRow
from grants.core.files import StoredFile
from grants.core.together import Asking, ask, both, reader
from grants.dossiers.models import DossierAnswer, DossierAnswerVersion
from grants.identity.models import User

# Read so many of each; the saves of one person in one place within ten minutes are one line of the panel.
READ_MAX = 40
_OF_APPLICATION = (ApplicationPartner, ApplicationMember, ApplicationServing, ApplicationSignOff)
_OF_BUDGET = (BudgetLine, BudgetNote, BudgetPackage, BudgetSource)


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
    """Acts of people on the application, its budget and what hangs on it, but for writing answers; whatever they changed
    may have been removed since."""
    budget_id = application.budget_id
    packages = union_all(
        select(BudgetPackage.id).where(BudgetPackage.budget_id == budget_id),
        select(RemovedRow.row_id).where(
            RemovedRow.above_id == budget_id, RemovedRow.table_name == BudgetPackage.__tablename__
        ),
    ).cte("packages")
    above = union_all(
        select(literal(application.id)), select(literal(budget_id, Uuid)), select(packages.c.id)
    ).subquery()
    # A budget says by its parts what changed of it.
    things = union_all(
        select(literal(application.id).label("id")),
        *(select(model.id).where(model.application_id == application.id) for model in _OF_APPLICATION),
        *(select(model.id).where(model.budget_id == budget_id) for model in _OF_BUDGET),
        select(BudgetPlanItem.id).where(BudgetPlanItem.package_id.in_(select(packages.c.id))),
        select(StoredFile.id).where(StoredFile.kind == "application", StoredFile.object_id == application.id),
        select(RemovedRow.row_id).where(RemovedRow.above_id.in_(select(above))),
    ).subquery()
    kinds = [model.__tablename__ for model in (*_OF_APPLICATION, *_OF_BUDGET, BudgetPlanItem, StoredFile)]
    # As one list, which is looked up by index.
    ids = func.array(select(things.c.id).scalar_subquery(), type_=ARRAY(Uuid))
    about = and_(AuditEvent.object_kind.in_(["application", *kinds]), AuditEvent.object_id == any_(ids))
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


def _written(row: Any, titles: Any) -> LastChange:
    section, label = titles[row.question_key]
    return LastChange(
        row.saved_at, row.name, row.user_id, "application.save_answer", f"{section}: {label}", row.section_key,
        row.question_key,
    )  # fmt: skip
