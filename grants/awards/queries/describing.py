"""What is published of the awards of a call in words: what stands, what waits for another person, what a form begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import aliased

from grants.applications import queries as applications
from grants.applications.models import Application, Submission
from grants.awards.models import AwardDescription, Selection, SelectionItem
from grants.awards.queries.publication import chosen
from grants.awards.rules.describing import DescribedAward, asks_to_publish, published_answers
from grants.awards.states import SelectionKind, SelectionState
from grants.calls.rules import CallView
from grants.core.db import among, db
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.dossiers.rules import DossierContent
from grants.identity.models import User


def public_text() -> ColumnElement[str]:
    """The description of a selected application that another person confirmed; empty where nobody did (:func:`as_answered`).

    What was published elsewhere has the words that came with it from its source.
    """
    newest = (
        select(AwardDescription.text)
        .where(AwardDescription.application_id == Application.id, AwardDescription.confirmed_at.is_not(None))
        .order_by(AwardDescription.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(
        newest, case((Selection.kind == SelectionKind.PUBLISHED_OUTCOME.value, Application.summary)), ""
    )


@dataclass(frozen=True, slots=True)
class DescriptionsPage:
    """The awards of a call that this person may read of before the public does, by title, each with its description."""

    call: CallView
    rows: tuple[DescribedAward, ...]
    # Something of the call waits for what this person declares.
    to_declare: bool

    @property
    def described(self) -> int:
        """How many have a description that is published with them."""
        return sum(bool(row.published) for row in self.rows)

    def about(self, reference: str) -> DescribedAward | None:
        """The award of one application."""
        return next((row for row in self.rows if row.reference == reference), None)


@reader
def descriptions(actor: Actor, slug: str) -> Asking[DescriptionsPage]:
    """What is published of each award of a call in words; :class:`NotFound` out of scope. Eight statements."""
    call, rows, to_declare = yield from chosen.asking(actor, slug)
    ids = [row.id for row in rows]
    asked: list[Asking[Any]] = [
        _versions(ids), _public(ids), as_answered.asking(call, [row.id for row in rows if row.decided_here]),
    ]  # fmt: skip
    versions, public, answered = yield from side_by_side(asked)
    return DescriptionsPage(
        call,
        tuple(
            DescribedAward(
                row.id, row.reference, row.told.title, public.get(row.id, ""), from_source=not row.decided_here,
                answered=answered.get(row.id, ""), **versions.get(row.id, {}),
            )
            for row in rows
        ),
        to_declare,
    )  # fmt: skip


def _public(ids: Sequence[UUID]) -> Asking[dict[UUID, str]]:
    """What everybody reads of each once results are public."""
    rows = yield from ask(
        select(Application.id, public_text().label("text"))
        .join(SelectionItem, SelectionItem.application_id == Application.id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(among(Application.id, ids), Selection.state == SelectionState.CONFIRMED.value)
    )
    return {row.id: row.text for row in rows}


def _versions(ids: Sequence[UUID]) -> Asking[dict[UUID, dict[str, Any]]]:
    """The newest version of each."""
    one, two, table, any_of_it = aliased(User), aliased(User), AwardDescription, aliased(AwardDescription)
    newest = select(func.max(any_of_it.number)).where(any_of_it.application_id == table.application_id)
    rows = yield from ask(
        select(
            *(table.application_id, table.number, table.text, table.written_by, table.written_at),
            *(one.name.label("writer"), func.coalesce(two.name, "").label("confirmer")),
        )
        .join(one, one.id == table.written_by)
        .outerjoin(two, two.id == table.confirmed_by)
        .where(among(table.application_id, ids), table.number == newest.scalar_subquery())
    )
    return {row.application_id: {name: row[at] for at, name in enumerate(row._fields) if at} for row in rows}


@reader
def as_answered(call: CallView, ids: Sequence[UUID]) -> Asking[dict[UUID, str]]:
    """What was answered to the questions whose answer is published, of those for which nobody confirmed other words."""
    if not ids or not asks_to_publish(call.content.definition):
        return {}
    described = select(AwardDescription.id).where(
        AwardDescription.application_id == Application.id, AwardDescription.confirmed_at.is_not(None)
    )
    rows = yield from ask(
        select(Submission)
        .join(Application, Application.submission_id == Submission.id)
        .where(among(Application.id, ids), ~described.exists())
    )
    return {row.application_id: published_answers(applications.content_of(row).dossier) for row in rows}


def sent_content(application_id: UUID) -> DossierContent | None:
    """The answers of the version that stands; None where nothing was sent here."""
    row = db.session.scalars(
        select(Submission)
        .join(Application, Application.submission_id == Submission.id)
        .where(Application.id == application_id)
    ).one_or_none()
    return None if row is None else applications.content_of(row).dossier


def newest_description(application_id: UUID) -> AwardDescription | None:
    """The newest version, for an act that holds the lock of its application."""
    table = AwardDescription
    return db.session.scalars(
        select(table).where(table.application_id == application_id).order_by(table.number.desc()).limit(1)
    ).first()
