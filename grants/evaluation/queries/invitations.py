"""Invitations to pools and the words evaluators accept: the own page of each, and what the programme sees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import aliased

from grants.calls import queries as calls
from grants.calls.models import Call, CallExpertTerms
from grants.core import clock, encoding
from grants.core.db import db
from grants.core.duties import DUTIES_MAX, Duty, every, with_the_rest
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.core.together import EVERY, Asking, ask, reader, side_by_side
from grants.evaluation import rules
from grants.evaluation.models import Assignment, Evaluator, EvaluatorAcceptance, EvaluatorInvitation
from grants.evaluation.queries.accepting import terms_accepted
from grants.evaluation.queries.stepping_down import is_stopping_place
from grants.evaluation.rules import Accepted, EvaluatorInput, InvitationView, LinkedInvitation, TermsPage
from grants.evaluation.states import WAITING, DeclineKind, InvitationState, SeatState
from grants.identity import queries as identity
from grants.identity.models import User

# More invitations than any pool has.
INVITATIONS_MAX = 2_000
# Own calls named beside the page of conflicts, the newest first.
OWN_CALLS_MAX = 50
OWN_CALLS_ALL = 2_000


def _invitations() -> Select[Any]:
    inviter = aliased(User)
    return (
        select(
            *(EvaluatorInvitation.id, EvaluatorInvitation.version, EvaluatorInvitation.call_id),
            *(EvaluatorInvitation.state, EvaluatorInvitation.message, EvaluatorInvitation.entry),
            *(EvaluatorInvitation.invited_at, EvaluatorInvitation.expires_at, EvaluatorInvitation.reminded_at),
            *(EvaluatorInvitation.answered_at, EvaluatorInvitation.reason, EvaluatorInvitation.user_id),
            EvaluatorInvitation.declined_for,
            *(Call.slug, Call.title, User.name, User.handle, User.email, inviter.name.label("inviter")),
        )
        .join(Call, Call.id == EvaluatorInvitation.call_id)
        .join(User, User.id == EvaluatorInvitation.user_id)
        .join(inviter, inviter.id == EvaluatorInvitation.invited_by)
    )


def _view(row: Any) -> InvitationView:
    return InvitationView(
        row.id, row.version, row.call_id, row.slug, row.title, row.user_id, row.name, row.handle, row.email,
        InvitationState(row.state), row.message, encoding.decode({"value": row.entry}, EvaluatorInput), row.inviter,
        row.invited_at, row.expires_at, row.reminded_at, row.answered_at, row.reason or "",
        None if row.declined_for is None else DeclineKind(row.declined_for),
    )  # fmt: skip


@reader
def invitations(call_id: UUID, user_ids: Iterable[UUID] | None = None) -> Asking[dict[UUID, InvitationView]]:
    """The invitations to the pool of a call by person; one statement."""
    wanted = _invitations().where(EvaluatorInvitation.call_id == call_id)
    if user_ids is not None:
        wanted = wanted.where(EvaluatorInvitation.user_id.in_(list(user_ids)))
    rows = yield from ask(wanted.order_by(User.name, EvaluatorInvitation.id).limit(INVITATIONS_MAX))
    return {row.user_id: _view(row) for row in rows}


def invitation_by_link(token: str) -> LinkedInvitation | None:
    """The invitation a link of a mail names; None for a link that we never made. One statement."""
    named = rules.named_by(identity.read_signed_address(rules.ANSWER_LINK, token))
    if named is None:
        return None
    invitation_id, asked = named
    row = db.session.execute(_invitations().where(EvaluatorInvitation.id == invitation_id)).one_or_none()
    if row is None:
        return None
    found = _view(row)
    state = rules.link_state(found.state, found.invited_at, found.expires_at, asked, clock.now())
    return LinkedInvitation(found, state, asked)


def own_invitation(actor: Actor, slug: str) -> InvitationView:
    """What the programme asked this person; :class:`NotFound` for everybody else."""
    return _own(actor, slug)


@reader
def _own(actor: Actor, slug: str) -> Asking[InvitationView]:
    rows = yield from ask(
        _invitations().where(
            Call.slug == slug,
            EvaluatorInvitation.user_id == actor.user_id,
            EvaluatorInvitation.state != InvitationState.WITHDRAWN.value,
        )
    )
    for row in rows:
        return _view(row)
    raise NotFound


@reader
def acceptances(call_id: UUID, user_id: UUID | None) -> Asking[tuple[Accepted, ...]]:
    """What a person accepted of a call, the newest first; one statement."""
    rows = yield from ask(
        select(
            *(EvaluatorAcceptance.number, EvaluatorAcceptance.sha256, EvaluatorAcceptance.created_at),
            *(EvaluatorAcceptance.withdrawn_at, EvaluatorAcceptance.withdrawn_why),
        )
        .where(EvaluatorAcceptance.call_id == call_id, EvaluatorAcceptance.user_id == user_id)
        .order_by(EvaluatorAcceptance.created_at.desc(), EvaluatorAcceptance.id)
        .limit(100)
    )
    return tuple(
        Accepted(row.number, row.sha256.hex()[:16], row.created_at, row.withdrawn_at, row.withdrawn_why or "")
        for row in rows
    )


@reader
def terms_page(actor: Actor, slug: str) -> Asking[TermsPage]:
    """The words of a call for somebody of its pool; :class:`NotFound` for everybody else. Two statements."""
    rows = yield from ask(
        select(Call.id, Call.slug, Call.title)
        .join(Evaluator, and_(Evaluator.call_id == Call.id, Evaluator.user_id == actor.user_id))
        .where(Call.slug == slug)
    )
    for row in rows:
        asked: list[Asking[Any]] = [calls.expert_terms.asking(row.id), acceptances.asking(row.id, actor.user_id)]
        versions, accepted = yield from side_by_side(asked)
        newest = next(iter(versions), None)
        shown = newest if newest is not None and newest.text is not None else None
        return TermsPage(row.id, row.slug, row.title, shown, accepted, True)
    raise NotFound


@reader
def to_accept(actor: Actor) -> Asking[tuple[tuple[tuple[str, str], ...], int]]:
    """(address, title) of each call in whose pool this person is and whose words they have not accepted, and how many
    there are; one statement."""
    seats = select(Assignment.id).where(
        Assignment.evaluator_id == Evaluator.id, Assignment.state == SeatState.ACTIVE.value
    )
    rows = yield from ask(
        select(Call.slug, Call.title, EVERY)
        .join(Evaluator, Evaluator.call_id == Call.id)
        .where(
            Evaluator.user_id == actor.user_id,
            # Who stepped down and still has a seat may be asked about its consensus.
            or_(Evaluator.stepped_down_at.is_(None), seats.exists()),
            ~terms_accepted(Evaluator.user_id, Evaluator.call_id),
        )
        .order_by(Call.reference)
        .limit(DUTIES_MAX)
    )
    return tuple((row.slug, row.title) for row in rows), every(rows)


@reader
def own_pools(actor: Actor, most: int = OWN_CALLS_MAX) -> Asking[tuple[tuple[str, str, bool], ...]]:
    """(address, title) of each call in whose pool this person is, the newest first, and whether there is something to
    step down from or to come back to; one statement."""
    rows = yield from ask(
        select(Call.slug, Call.title, is_stopping_place().label("stops"))
        .join(Evaluator, Evaluator.call_id == Call.id)
        .where(Evaluator.user_id == actor.user_id)
        .order_by(Evaluator.created_at.desc(), Call.reference)
        .limit(most + 1)
    )
    return tuple((row.slug, row.title, row.stops) for row in rows)


@reader
def own_terms(actor: Actor, most: int = OWN_CALLS_MAX) -> Asking[tuple[tuple[str, str, bool], ...]]:
    """(address, title, whether it waits) of each call with words in whose pool this person is, what waits first and the
    newest first; one statement."""
    waits = ~terms_accepted(Evaluator.user_id, Evaluator.call_id)
    rows = yield from ask(
        select(Call.slug, Call.title, waits.label("waits"))
        .join(Evaluator, Evaluator.call_id == Call.id)
        .where(
            Evaluator.user_id == actor.user_id,
            select(CallExpertTerms.id).where(CallExpertTerms.call_id == Call.id).correlate(Call).exists(),
        )
        .order_by(waits.desc(), Evaluator.created_at.desc(), Call.reference)
        .limit(most + 1)
    )
    return tuple((row.slug, row.title, row.waits) for row in rows)


@reader
def pool_duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """Invitations this person has to answer and words they have to accept, whatever their roles; one statement each."""
    wanted = (
        select(Call.slug, Call.title, EvaluatorInvitation.expires_at, EvaluatorInvitation.state)
        .join(Call, Call.id == EvaluatorInvitation.call_id)
        .where(
            EvaluatorInvitation.user_id == actor.user_id,
            _waits(at),
        )
        .order_by(EvaluatorInvitation.expires_at)
        .limit(20)
    )
    asked: list[Asking[Any]] = [ask(wanted), to_accept.asking(actor)]
    rows, (demanded, every_demand) = yield from side_by_side(asked)
    found = [
        Duty(
            f"Fill in your profile for {row.title}", "You said yes; you are in the pool once the programme knows what you know.",
            "Fill in your profile", "evaluation.invitation", {"slug": row.slug},
        ) if row.state == InvitationState.AGREED.value else Duty(
            f"Say whether you evaluate in {row.title}", "The programme invites you; it waits for your answer.",
            "Answer the invitation", "evaluation.invitation", {"slug": row.slug}, due_at=row.expires_at,
        )
        for row in rows
    ]  # fmt: skip
    to_read = [
        Duty(
            f"Accept the contract and the confidentiality of {title}",
            "Nothing of an application opens before that, and no conflict is declared.",
            "Read and accept", "evaluation.terms", {"slug": slug},
        )
        for slug, title in demanded
    ]  # fmt: skip
    return (*found, *with_the_rest(to_read, every_demand, "Accept contracts and confidentiality"))


def _waits(at: datetime) -> ColumnElement[bool]:
    """For an answer, until its last day; or for the profile of whoever said yes, for as long as that takes."""
    row = EvaluatorInvitation
    return and_(
        row.state.in_([each.value for each in WAITING]),
        or_(row.state == InvitationState.AGREED.value, row.expires_at > at),
    )


def due_reminders(before: datetime) -> tuple[UUID, ...]:
    """Invitations that lapse before a moment, wait still, and of which nobody was reminded."""
    rows = db.session.scalars(
        select(EvaluatorInvitation.id)
        .where(
            EvaluatorInvitation.state.in_([each.value for each in WAITING]),
            EvaluatorInvitation.reminded_at.is_(None),
            EvaluatorInvitation.expires_at > clock.now(),
            EvaluatorInvitation.expires_at <= before,
        )
        .order_by(EvaluatorInvitation.expires_at, EvaluatorInvitation.id)
        .limit(INVITATIONS_MAX)
    )
    return tuple(rows)
