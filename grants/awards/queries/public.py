"""What everybody reads once the results of a call are public: the awards, and the names of evaluators without their applications."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.awards.models import EvaluatorNames, Selection, SelectionItem
from grants.awards.queries import withholding
from grants.awards.queries.describing import as_answered, public_text
from grants.awards.queries.publication import GONE, STILL_SELECTED, what_is_gone
from grants.awards.queries.selections import plan_of
from grants.awards.rules.experts import EVALUATORS_LEAST, NamesPage
from grants.awards.rules.publication import Award
from grants.awards.states import AmountBasis, NamesShown, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView, Draw
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotAllowed, NotFound
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Assessment, Assignment, Evaluator
from grants.evaluation.states import AssessmentState
from grants.identity.models import Organisation, User


def awards(actor: Actor, slug: str, at: datetime) -> tuple[CallView, tuple[Award, ...], int, str]:
    """The awards of a call as everybody reads them, by title, how many are withheld by name; and where none is left, why.

    :class:`NotFound` before its results are public.
    """
    call = calls.call(actor, slug)
    if not call.results_are_public(at):
        raise NotFound
    rows = db.session.execute(
        select(
            *(Application.id, Application.title, Application.state),
            *(SelectionItem.amount, SelectionItem.amount_basis),
            *(Organisation.name, Organisation.country_code, Selection.confirmed_at, Selection.kind),
            *(withholding.by_name().label("withheld"), public_text().label("description")),
        )
        .join(SelectionItem, SelectionItem.application_id == Application.id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .where(
            Selection.call_id == call.id,
            Selection.state == SelectionState.CONFIRMED.value,
            or_(SelectionItem.outcome == Outcome.SELECTED.value, SelectionItem.entry_id.is_not(None)),
            Application.state.in_((*STILL_SELECTED, *GONE)),
            # What the publication tells: the same before its moment, for those who look at it, and after it.
            ~applications.untold_when_public(),
        )
        # By title, never by rank: the order must say nothing about scores.
        # All of them: a frozen list and what was published elsewhere, both of which are as long as they are.
        .order_by(func.lower(Application.title), Application.reference)
    ).all()
    standing = [row for row in rows if row.state in STILL_SELECTED]
    named = [row for row in standing if not row.withheld]
    cities = evaluation.cities_of([row.id for row in named])
    ranked = [row.id for row in named if row.kind == SelectionKind.RANKED.value and not row.description]
    answered = as_answered(call, ranked)
    told = tuple(
        Award(
            row.title, row.name, row.country_code, cities.get(row.id, ""), row.amount,
            # Of what was published elsewhere only its source knows the day.
            clock.in_zone(row.confirmed_at, call.zone).date() if row.kind == SelectionKind.RANKED.value else None,
            call.synthetic or row.amount_basis == AmountBasis.SYNTHETIC.value, row.description or answered.get(row.id, ""),
        )
        for row in named
    )  # fmt: skip
    return call, told, len(standing) - len(named), "" if standing else what_is_gone(row.state for row in rows)


def draw_of(call: CallView) -> Draw | None:
    """The draw by lot of a call whose results are public, for everybody; None where nothing was drawn."""
    if call.content.draw is None:
        return None
    row = db.session.scalars(
        select(Selection).where(
            Selection.call_id == call.id,
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
        )
    ).one_or_none()
    return plan_of(row).draw if row is not None else None


# Who decides where the names stand, and who audits that.
READS_NAMES = (Permission.SELECTION_PUBLISH_RESULTS, Permission.AUDIT_READ)


def names_page(actor: Actor, slug: str, at: datetime) -> NamesPage:
    """The evaluators of a call and how their names are published, for who decides or audits it; :class:`NotFound` for others."""
    call = calls.call(actor, slug)
    if not any(actor.may(permission, Scope.of(("call", call.id))) for permission in READS_NAMES):
        raise NotFound
    refuse_kept_out(actor, call.id)
    return names_of(call, at)


def refuse_kept_out(actor: Actor, call_id: UUID) -> None:
    """Refuse whoever is kept from an application of a call: among all its evaluators are those who assessed that one."""
    sent = select(Application.id).where(Application.call_id == call_id, Application.submission_id.is_not(None))
    # Nobody has to have declared about all of them here: what is shut is what they stand in conflict with, or act for.
    # All of them, however many: behind a limit what shuts one would go unseen.
    if evaluation.shut_to(actor, (), db.session.scalars(sent).all()):
        raise NotAllowed(
            "You are kept from an application of this call, so somebody else decides how the names of its evaluators are "
            "published.",
            Permission.SELECTION_PUBLISH_RESULTS,
        )


def names_of(call: CallView, at: datetime) -> NamesPage:
    """The same of a call that was opened. Three statements."""
    people = db.session.execute(
        select(User.id, User.name)
        .where(User.id.in_(_assessed([call.id])))
        # Everybody: a name behind a limit could be left out by nobody, and would be missing without a word.
        .order_by(func.lower(User.name), User.id)
    ).all()
    many = db.session.scalar(
        select(func.count()).where(Application.call_id == call.id, Application.submission_id.is_not(None))
    )
    row = db.session.scalars(
        select(EvaluatorNames).where(EvaluatorNames.call_id == call.id).order_by(EvaluatorNames.number.desc()).limit(1)
    ).first()
    return NamesPage(
        call.id, call.slug, call.title, call.results_are_public(at), tuple((key, name) for key, name in people), many or 0,
        NamesShown(row.shown) if row else NamesShown.NOWHERE, row.number if row else 0,
        {UUID(key): reason for key, reason in row.left_out.items()} if row else {},
    )  # fmt: skip


def _assessed(call_ids: list[UUID]) -> Select[Any]:
    """Who submitted an assessment in these calls."""
    return (
        select(Evaluator.user_id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Evaluator.call_id.in_(call_ids), Assessment.state == AssessmentState.SUBMITTED.value)
    )


def published_names(actor: Actor, slug: str, at: datetime) -> tuple[CallView, tuple[str, ...]]:
    """The names beside a call, alphabetical; :class:`NotFound` where they are not published there."""
    call = calls.call(actor, slug)
    found = names_of(call, at)
    if not found.public or found.shown is not NamesShown.CALL:
        raise NotFound
    return call, tuple(name for key, name in found.people if key not in found.left_out)


def names_of_year(year: int, at: datetime) -> tuple[str, ...]:
    """The names of everybody who assessed in a call whose results became public that year, alphabetical, each once; none where they are few."""
    decided = (
        select(
            EvaluatorNames.call_id,
            EvaluatorNames.left_out,
            EvaluatorNames.shown,
            Call.zone,
            Call.results_public_at,
        )
        .join(Call, Call.id == EvaluatorNames.call_id)
        .where(Call.results_public_at <= at)
        # Every decision: one behind a limit would be that somebody is left out for their safety.
        .order_by(EvaluatorNames.call_id, EvaluatorNames.number)
    )
    newest = {row.call_id: row for row in db.session.execute(decided)}
    wanted = {
        key: row
        for key, row in newest.items()
        if row.shown != NamesShown.NOWHERE.value and clock.in_zone(row.results_public_at, row.zone).year == year
    }
    rows = db.session.execute(
        select(User.id, User.name, Evaluator.call_id)
        .join(Evaluator, Evaluator.user_id == User.id)
        .join(Assignment, Assignment.evaluator_id == Evaluator.id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Evaluator.call_id.in_(wanted), Assessment.state == AssessmentState.SUBMITTED.value)
        .distinct()
        .order_by(User.name, User.id)
    ).all()
    # Whoever is left out of one call for their safety is left out of the year.
    out = {key for row in wanted.values() for key in row.left_out}
    names = {row.id: row.name for row in rows if str(row.id) not in out}
    # So few names would tell who assessed what, in a year with one small call; and so would the few that are left where
    # one takes away the names that stand beside their calls.
    beside = {row.id for row in rows if wanted[row.call_id].shown == NamesShown.CALL.value}
    alone = len(names.keys() - beside)
    is_telling = len(names) < EVALUATORS_LEAST or 0 < alone < EVALUATORS_LEAST
    return () if is_telling else tuple(sorted(names.values(), key=str.casefold))
