"""The words of a call for its evaluators: accepted by each before anything opens, and taken back by whoever stops."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls.rules.expert_terms import TERMS_HEADINGS
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries, rules
from grants.evaluation.models import Evaluator, EvaluatorAcceptance
from grants.identity import services as people


@act(
    "evaluator.accept_terms",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="accepted the contract and the confidentiality of {subject}",
)
def accept_terms(actor: Actor, call_id: UUID, number: int | None, ticked: frozenset[str]) -> None:
    """Somebody of the pool accepts both parts of the version that stands; accepted once more it stays as it is."""
    if _entry(call_id, actor.user_id) is None:
        raise NotFound
    if next(iter(calls.expert_terms(call_id)), None) is None:
        raise Refused("This call asks its evaluators to accept nothing. Nothing was changed.")
    note_acceptance(actor, call_id, number, ticked)


def note_acceptance(actor: Actor, call_id: UUID, number: int | None, ticked: frozenset[str]) -> None:
    """Keep who accepted which version and the hash of its words, inside a running act; nothing where none are demanded.

    Raises :class:`Invalid` where the form carried another version than the one that stands, or a part is not ticked.
    """
    newest = next(iter(calls.expert_terms(call_id)), None)
    shown = newest if newest is not None and newest.text is not None else None
    rules.refuse_unaccepted(shown, number, ticked, frozenset(TERMS_HEADINGS))
    if shown is None or _accepted(call_id, actor.user_id, shown.number):
        return
    assert shown.sha256 is not None, "words have a hash"
    db.session.add(
        EvaluatorAcceptance(call_id=call_id, user_id=actor.user_id, number=shown.number, sha256=shown.sha256)
    )


@act(
    "evaluator.tell_of_terms",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="told the pool of {subject} of new words to accept",
)
def tell_of_terms(actor: Actor, call_id: UUID, number: int) -> int:
    """Mail everybody of the pool who has to accept the version that stands; returns how many."""
    newest = next(iter(calls.expert_terms(call_id)), None)
    if newest is None or newest.number != number or newest.text is None:
        return 0
    # Who stepped down and still has a seat may be asked about its consensus, and opens nothing without these words.
    waiting = [
        member.user_id
        for member in queries.pool(call_id)
        if member.must_accept and (member.stepped_down_at is None or member.load)
    ]
    call = calls.call_by_id(call_id)
    people.mail(
        waiting, "evaluator_terms", "call", call_id,
        call_title=call.title, slug=call.slug, number=number, note=newest.note or "",
    )  # fmt: skip
    return len(waiting)


def _accepted(call_id: UUID, user_id: UUID | None, number: int) -> bool:
    return any(row.number == number for row in _standing(call_id, user_id))


def _standing(call_id: UUID, user_id: UUID | None) -> list[EvaluatorAcceptance]:
    rows = db.session.scalars(
        select(EvaluatorAcceptance)
        .where(
            EvaluatorAcceptance.call_id == call_id,
            EvaluatorAcceptance.user_id == user_id,
            EvaluatorAcceptance.withdrawn_at.is_(None),
        )
        .order_by(EvaluatorAcceptance.number)
        .with_for_update()
    )
    return list(rows)


def _entry(call_id: UUID, user_id: UUID | None) -> Evaluator | None:
    return db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == user_id).with_for_update()
    ).one_or_none()
