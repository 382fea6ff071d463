"""The revision of a grant in preparation: its own budget and description beside those of its application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from grants.agreements.models import GrantRevision, RevisionVerdict, RevisionVersion
from grants.agreements.queries.conditions import reach_of
from grants.agreements.rules import GrantView, JudgementView, Revised, RevisionVersionView, RevisionView
from grants.agreements.states import RevisionKind, Verdict
from grants.applications import queries as applied
from grants.applications.models import Application
from grants.budgets import queries as budgets
from grants.budgets.models import BudgetOrganisation
from grants.budgets.queries import Stored
from grants.core import acts, clock
from grants.core.db import db
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.dossiers import queries as dossiers
from grants.dossiers.rules import DossierContent
from grants.identity.models import Organisation, User

_judge = aliased(User)


def revision_row(grant_id: UUID) -> GrantRevision | None:
    """Where the revision of a grant stands, for acts, which hold the grant's lock; None for a grant from before."""
    return db.session.scalars(select(GrantRevision).where(GrantRevision.grant_id == grant_id)).one_or_none()


@reader
def revision_page(grant: GrantView) -> Asking[tuple[RevisionView, Stored] | None]:
    """Budget and description of a grant beside those of its application, and the budget with how often each cell was saved;
    in two statements. None for a grant from before it had its own. Who may read it was decided by the caller.
    """
    if grant.revision is None:
        return None
    assert grant.budget_id is not None, "a grant with a revision has a budget"
    about: list[Asking[Any]] = [
        budgets.stored.asking(grant.budget_id),
        _described(grant.dossier_id),
        _versions(grant.id),
        names_in.asking(grant.budget_id),
        ask(select(Application.submission_id, Application.budget_id).where(Application.id == grant.application_id)),
    ]
    kept, description, versions, names, (application,) = yield from side_by_side(about)
    old, named = yield from _applied_for(grant.application_id, application)
    return RevisionView(grant.revision, old, Revised(kept.content, description), named | names, versions), kept


@reader
def revision_for(
    actor: Actor, grant: GrantView
) -> Asking[tuple[tuple[RevisionView, Stored] | None, frozenset[UUID] | None]]:
    """The same with whose part of it this person writes, as :func:`reach_of` says; no statement more."""
    return (yield from both(revision_page.asking(grant), reach_of.asking(actor, grant)))


@reader
def revision(grant: GrantView) -> Asking[RevisionView | None]:
    """The same without the cells."""
    found = yield from revision_page.asking(grant)
    return found[0] if found else None


def revision_now(grant: GrantView) -> RevisionView | None:
    """The same inside an act, as of its moment."""
    acts.running_act()
    with clock.at(acts.moment()):
        return revision(grant)


@reader
def revised(grant: GrantView) -> Asking[Revised]:
    """Budget and description of a grant as they stand, in one statement."""
    assert grant.budget_id is not None, "a grant with a revision has a budget"
    kept, description = yield from both(budgets.stored.asking(grant.budget_id), _described(grant.dossier_id))
    return Revised(kept.content, description)


def _described(dossier_id: UUID | None) -> Asking[DossierContent | None]:
    if dossier_id is None:
        return None
    return (yield from dossiers.dossier.asking(dossier_id)).content


@reader
def names_in(budget_id: UUID) -> Asking[dict[UUID, str]]:
    """The names of the organisations of a budget."""
    rows = yield from ask(
        select(Organisation.id, Organisation.name)
        .join(BudgetOrganisation, BudgetOrganisation.organisation_id == Organisation.id)
        .where(BudgetOrganisation.budget_id == budget_id)
    )
    return {row.id: row.name for row in rows}


def _applied_for(application_id: UUID, application: Any) -> Asking[tuple[Revised | None, dict[UUID, str]]]:
    """The version that was submitted and judged, and who took part; the budget alone where the outcome was published
    elsewhere.
    """
    if application.submission_id is not None:
        content = yield from applied.submitted_content.asking(application_id)
        return Revised(content.budget, content.dossier), {
            each.organisation_id: each.name for each in content.consortium
        }
    if application.budget_id is None:
        return None, {}
    kept, names = yield from both(budgets.stored.asking(application.budget_id), names_in.asking(application.budget_id))
    return Revised(kept.content, None), names


def _versions(grant_id: UUID) -> Asking[tuple[RevisionVersionView, ...]]:
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
        RevisionVersionView(
            row.number, RevisionKind(row.kind), row.words, row.sent_by, row.name, row.sent_at, tuple(said[row.id])
        )
        for row in versions
    )
