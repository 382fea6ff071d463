"""The revision of a grant in preparation: its own budget and description beside those of its application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from grants.agreements.models import GrantRevision, RevisionVerdict, RevisionVersion
from grants.agreements.rules import GrantView, JudgementView, Revised, RevisionView, VersionView
from grants.agreements.states import RevisionKind, Verdict
from grants.applications import queries as applied
from grants.applications.models import Application
from grants.budgets import queries as budgets
from grants.core import acts, clock
from grants.core.db import db
from grants.core.together import Asking, ask, reader, side_by_side
from grants.dossiers import queries as dossiers
from grants.identity import queries as identity
from grants.identity.models import User

_judge = aliased(User)


def revision_row(grant_id: UUID) -> GrantRevision | None:
    """Where the revision of a grant stands, for acts, which hold the grant's lock; None for a grant from before."""
    return db.session.scalars(select(GrantRevision).where(GrantRevision.grant_id == grant_id)).one_or_none()


@reader
def revision(grant: GrantView) -> Asking[RevisionView | None]:
    """Budget and description of a grant beside those of its application, in three statements; None for a grant from before
    it had its own. Who may read it was decided by the caller.
    """
    if grant.revision is None:
        return None
    about: list[Asking[Any]] = [
        revised.asking(grant),
        _versions(grant.id),
        ask(select(Application.submission_id, Application.budget_id).where(Application.id == grant.application_id)),
    ]
    new, versions, (application,) = yield from side_by_side(about)
    old = yield from _applied_for(grant.application_id, application)
    named = {*new.budget.organisations, *(old.budget.organisations if old else ())}
    known = yield from identity.organisations.asking(named)
    names = {who: found.name for who, found in known.items()}
    return RevisionView(grant.revision, old, new, names, versions)


def revision_now(grant: GrantView) -> RevisionView | None:
    """The same inside an act, as of its moment."""
    acts.running_act()
    with clock.at(acts.moment()):
        return revision(grant)


@reader
def revised(grant: GrantView) -> Asking[Revised]:
    """Budget and description of a grant as they stand, in one statement."""
    assert grant.budget_id is not None, "a grant with a revision has a budget"
    about: list[Asking[Any]] = [budgets.stored.asking(grant.budget_id)]
    if grant.dossier_id is not None:
        about.append(dossiers.dossier.asking(grant.dossier_id))
    kept, *described = yield from side_by_side(about)
    return Revised(kept.content, described[0].content if described else None)


def _applied_for(application_id: UUID, application: Any) -> Asking[Revised | None]:
    """The version that was submitted and judged; the budget alone where the outcome was published elsewhere."""
    if application.submission_id is not None:
        content = yield from applied.submitted_content.asking(application_id)
        return Revised(content.budget, content.dossier)
    if application.budget_id is None:
        return None
    kept = yield from budgets.stored.asking(application.budget_id)
    return Revised(kept.content, None)


def _versions(grant_id: UUID) -> Asking[tuple[VersionView, ...]]:
    versions, verdicts = yield from side_by_side(
        ask(question)
        for question in (
            select(
                RevisionVersion.id,
                RevisionVersion.number,
                RevisionVersion.kind,
                RevisionVersion.words,
                RevisionVersion.sent_by,
                RevisionVersion.sent_at,
                User.name,
            )
            .join(User, User.id == RevisionVersion.sent_by)
            .where(RevisionVersion.grant_id == grant_id)
            .order_by(RevisionVersion.number),
            select(
                RevisionVerdict.revision_id,
                RevisionVerdict.verdict,
                RevisionVerdict.words,
                RevisionVerdict.decided_at,
                _judge.name,
            )
            .join(RevisionVersion, RevisionVersion.id == RevisionVerdict.revision_id)
            .join(_judge, _judge.id == RevisionVerdict.decided_by)
            .where(RevisionVersion.grant_id == grant_id)
            .order_by(RevisionVerdict.revision_id, RevisionVerdict.number),
        )
    )
    said: Mapping[UUID, list[JudgementView]] = {row.id: [] for row in versions}
    for row in verdicts:
        said[row.revision_id].append(JudgementView(Verdict(row.verdict), row.words, row.name, row.decided_at))
    return tuple(
        VersionView(
            row.number, RevisionKind(row.kind), row.words, row.sent_by, row.name, row.sent_at, tuple(said[row.id])
        )
        for row in versions
    )
