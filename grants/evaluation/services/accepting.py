"""The words of a call for its evaluators: accepted by each before anything opens, and taken back by whoever stops."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules.expert_terms import TERMS_HEADINGS
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, Evaluator, EvaluatorAcceptance
from grants.evaluation.services.consensus import consensus_row
from grants.evaluation.services.seats import void_seat
from grants.evaluation.states import ConsensusState, SeatState
from grants.identity import services as people
from grants.identity.queries import users_with


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
    waiting = [member.user_id for member in queries.pool(call_id) if member.must_accept]
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


@act(
    "evaluator.withdraw_terms",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="took back the acceptance of the contract of {subject}",
)
def withdraw_terms(actor: Actor, call_id: UUID, reason: str) -> int:
    """Stop evaluating in a call: everything shuts at once, and the seats are free for the manager to hand over.

    A seat whose consensus is agreed, or whose application is decided, stays as the record of how it was. Returns how
    many seats became free.
    """
    entry = _entry(call_id, actor.user_id)
    standing = _standing(call_id, actor.user_id)
    words = clean_text(reason)
    if entry is None:
        raise NotFound
    if not standing:
        raise Refused("You have accepted nothing here that could be taken back. Nothing was changed.")
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; the programme manager reads it."})
    acts.reason(words)
    for row in standing:
        row.withdrawn_at, row.withdrawn_why = acts.moment(), words
    freed = [seat.application_id for seat in _own_seats(entry) if _gave_back(seat, entry.user_id, words)]
    call = calls.call_by_id(call_id)
    managers = [each.id for each in users_with(Permission.ASSIGNMENT_DECIDE, Scope.of(("call", call_id)))]
    people.mail(
        managers, "evaluator_stepped_down", "call", call_id,
        call_title=call.title, slug=call.slug, name=actor.name, words=words, freed=len(freed),
    )  # fmt: skip
    return len(freed)


def _own_seats(entry: Evaluator) -> list[Assignment]:
    rows = db.session.scalars(
        select(Assignment)
        .where(Assignment.evaluator_id == entry.id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(Assignment.application_id)
        .with_for_update()
    )
    return list(rows)


def _gave_back(seat: Assignment, user_id: UUID, words: str) -> bool:
    """Whether the seat is empty now; what is agreed or decided stands."""
    application = locked(Application, seat.application_id)
    consensus = consensus_row(application.id)
    agreed = consensus is not None and consensus.state == ConsensusState.AGREED.value
    if agreed or application.state not in queries.IN_EVALUATION:
        return False
    void_seat(seat, user_id, f"{rules.GIVEN_BACK}{words}")
    return True
