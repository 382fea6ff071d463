"""Asking somebody into the pool of a call: invited by mail, reminded, answered by the person, or taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.services import look_for_conflicts
from grants.core import acts, clock, encoding, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Evaluator, EvaluatorInvitation
from grants.evaluation.rules import AskInput, EvaluatorInput
from grants.evaluation.services.accepting import note_acceptance
from grants.evaluation.services.evaluators import fill_entry, keep_employers
from grants.evaluation.states import POOL_INVITATION, WAITING, DeclineKind, InvitationState
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import Joins, checked_name, normal_email


@act(
    "evaluator.invite",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="invited somebody to the pool of {subject}",
)
def invite(actor: Actor, call_id: UUID, given: AskInput) -> UUID:
    """Ask a person into the pool of a call by mail, or ask once more; who has no account gets one. Returns the person."""
    rules.checked_ask(given)
    problems: dict[str, str] = {}
    email = name = ""
    try:
        email = normal_email(given.email)
    except Invalid as error:
        problems["email"] = str(error)
    try:
        name = checked_name(given.name)
    except Invalid as error:
        problems["name"] = str(error)
    if problems:
        raise Invalid("The invitation was not sent.", problems)
    entry = EvaluatorInput(UUID(int=0), "", (), (), 0, given.load_max, roles=given.roles)
    return ask_person(actor, calls.call_by_id(call_id), email, name, entry, clean_text(given.message), given.days)


def ask_person(
    actor: Actor, call: CallView, email: str, name: str, entry: EvaluatorInput, message: str, days: int
) -> UUID:
    """Ask one person, inside a running act; raises :class:`Invalid` by field where nobody may be asked."""
    assert actor.user_id is not None, "a person invites"
    user_id = people.find_or_invite(email, name, None, joins=Joins.AS_GUEST)
    db.session.flush()
    _refuse_unfit(actor, user_id)
    if _member(call.id, user_id) is not None:
        raise Invalid("Nobody was invited.", {"email": "This person is in the pool already."})
    row = _row(call.id, user_id)
    if row is None:
        row = EvaluatorInvitation(call_id=call.id, user_id=user_id, state=InvitationState.INVITED.value)
        db.session.add(row)
    elif row.state == InvitationState.INVITED.value and row.expires_at > acts.moment():
        raise Invalid(
            "Nobody was invited.",
            {"email": f"This person was invited on {clock.long_date(clock.in_zone(row.invited_at).date())} and has not answered yet. Remind them instead."},
        )  # fmt: skip
    elif row.state == InvitationState.AGREED.value:
        raise Invalid(
            "Nobody was invited.", {"email": "This person said yes and has to fill in a profile. Remind them instead."}
        )
    else:
        POOL_INVITATION.move(row, "invite_again")
    row.message, row.entry = message, encoding.encode(replace(entry, user_id=user_id))
    row.invited_by, row.invited_at = actor.user_id, acts.moment()
    row.expires_at = clock.end_of_day(acts.today() + timedelta(days=days))
    row.answered_at = row.reason = row.reminded_at = row.declined_for = None
    _mail(row, call, actor.name, "evaluator_invited")
    return user_id


def _refuse_unfit(actor: Actor, user_id: UUID) -> None:
    """Refuse oneself, whoever takes part in an application, and roles that must stay apart from judging."""
    faults.point("four_eyes")
    if user_id == actor.user_id:
        raise Invalid("Nobody was invited.", {"email": "This is your own address. Enter that of somebody else."})
    why = people.why_not_staff(user_id, Role.EVALUATOR)
    if why:
        raise Invalid("Nobody was invited.", {"email": why})


def _member(call_id: UUID, user_id: UUID | None) -> UUID | None:
    return db.session.scalar(select(Evaluator.id).where(Evaluator.call_id == call_id, Evaluator.user_id == user_id))


def _row(call_id: UUID, user_id: UUID | None) -> EvaluatorInvitation | None:
    return db.session.scalars(
        select(EvaluatorInvitation)
        .where(EvaluatorInvitation.call_id == call_id, EvaluatorInvitation.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _mail(row: EvaluatorInvitation, call: CallView, invited_by: str, letter: str) -> None:
    people.mail(
        [row.user_id], letter, "call", call.id,
        call_title=call.title, slug=call.slug, invited_by=invited_by, message=row.message,
        until=clock.long_date(clock.in_zone(row.expires_at - timedelta(seconds=1)).date()),
        agreed=row.state == InvitationState.AGREED.value,
        link=[str(row.id), rules.asked_mark(row.invited_at)],
    )  # fmt: skip


def invitation_scope(invitation_id: UUID) -> Scope:
    """An invitation lies where its call lies; the call is locked first."""
    scope = queries.call_scope(get(EvaluatorInvitation, invitation_id).call_id)
    locked(EvaluatorInvitation, invitation_id)
    return scope


@act(
    "evaluator.remind",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=invitation_scope,
    says="reminded somebody of the invitation to the pool of {subject}",
)
def remind(actor: Actor, invitation_id: UUID) -> None:
    """Send the invitation once more; at most once a day, and only while it waits."""
    _remind(locked(EvaluatorInvitation, invitation_id))


def _remind(row: EvaluatorInvitation) -> None:
    acts.subject("call", row.call_id)
    lapsed = row.state == InvitationState.INVITED.value and row.expires_at <= acts.moment()
    if row.state not in WAITING or lapsed:
        raise Refused("This invitation does not wait for an answer any more. Invite the person again.")
    if row.reminded_at is not None and row.reminded_at > acts.moment() - rules.REMIND_AGAIN:
        raise Refused("This person was reminded within the last day. Wait for tomorrow, or call them.")
    row.reminded_at = acts.moment()
    _mail(row, calls.call_by_id(row.call_id), identity.person(row.invited_by).name, "evaluator_reminded")


@act(
    "evaluator.remind_late",
    needs=Permission.ASSIGNMENT_DECIDE,
    says="reminded whoever has not answered an invitation to a pool",
)
def remind_late(actor: Actor) -> int:
    """Remind everybody once whose invitation lapses within days; returns how many. Done twice it does nothing more."""
    waiting = queries.due_reminders(acts.moment() + timedelta(days=rules.REMIND_DAYS))
    for invitation_id in waiting:
        invitation_scope(invitation_id)
        row = locked(EvaluatorInvitation, invitation_id)
        if row.reminded_at is None and row.state in WAITING:
            _remind(row)
    return len(waiting)


@act(
    "evaluator.withdraw_invitation",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=invitation_scope,
    says="withdrew an invitation to the pool of {subject}",
)
def withdraw_invitation(actor: Actor, invitation_id: UUID, reason: str, version: int | None = None) -> None:
    """Take an invitation back that nobody answered; the person is told, with the reason."""
    row = locked(EvaluatorInvitation, invitation_id)
    acts.subject("call", row.call_id)
    check_version(row, version)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; the person reads it."})
    if row.state not in WAITING:
        raise Refused("This invitation is answered already. Reload the page to see what stands.")
    POOL_INVITATION.move(row, "withdraw")
    row.answered_at, row.reason = acts.moment(), words
    acts.reason(words)
    call = calls.call_by_id(row.call_id)
    people.mail([row.user_id], "evaluator_uninvited", "call", call.id, call_title=call.title, words=words)


@act("invitation.accept", needs=None, says="joined the pool of {subject}")
def accept_invitation(
    actor: Actor,
    call_id: UUID,
    values: EvaluatorInput,
    number: int | None = None,
    ticked: frozenset[str] = frozenset(),
    version: int | None = None,
) -> UUID:
    """The invited person joins the pool with what they say of themselves, and accepts the words of the call with it.

    What the programme offered, the roles and the largest number of applications, is not theirs to raise.
    """
    row, call = _own_waiting(actor, call_id, version)
    assert actor.user_id is not None, "an invitation is answered by a person"
    why = people.why_not_staff(actor.user_id, Role.EVALUATOR)
    if why:
        raise Refused(f"{why} Tell the programme office.")
    offered = queries.invitations(call_id, [actor.user_id])[actor.user_id].entry
    rules.refuse_beyond_offer(values.load_max, offered.load_max)
    load_min = min(offered.load_min, values.load_max)
    checked = rules.checked_member(replace(values, user_id=actor.user_id, roles=offered.roles, load_min=load_min))
    entry = Evaluator(
        call_id=call_id, user_id=actor.user_id, organisation_id=identity.person(actor.user_id).organisation_id
    )
    db.session.add(entry)
    fill_entry(entry, checked)
    db.session.flush()
    keep_employers({entry.id: checked.employers or ()})
    POOL_INVITATION.move(row, "accept")
    row.answered_at = acts.moment()
    people.give_role(actor.user_id, Role.EVALUATOR, kind="call", object_id=call_id)
    note_acceptance(actor, call_id, number, ticked)
    look_for_conflicts(call_id)
    people.mail(
        [row.invited_by], "evaluator_answered", "call", call_id,
        call_title=call.title, slug=call.slug, name=actor.name, accepted=True, words="",
    )  # fmt: skip
    return entry.id


@act("invitation.decline", needs=None, says="declined to join the pool of {subject}")
def decline_invitation(
    actor: Actor, call_id: UUID, kind: DeclineKind, words: str = "", version: int | None = None
) -> None:
    """The invited person says no, and why; whoever invited them is told."""
    row, call = _own_waiting(actor, call_id, version)
    say_no(actor, row, call, kind, words)


def say_no(actor: Actor, row: EvaluatorInvitation, call: CallView, kind: DeclineKind, words: str) -> None:
    """Write a no and its reason, inside a running act, and tell whoever invited this person."""
    told = rules.checked_decline(kind, words)
    POOL_INVITATION.move(row, "decline")
    row.answered_at, row.declined_for, row.reason = acts.moment(), kind.value, told or None
    why = ": ".join(each for each in (kind.words, told) if each)
    acts.reason(why)
    people.mail(
        [row.invited_by], "evaluator_answered", "call", call.id,
        call_title=call.title, slug=call.slug, name=actor.name, accepted=False, words=why,
    )  # fmt: skip


def locked_invitation(call_id: UUID, user_id: UUID | None) -> EvaluatorInvitation | None:
    """The invitation of a person under lock; the call is locked first, as whoever takes it back does."""
    queries.call_scope(call_id)
    return _row(call_id, user_id)


def _own_waiting(actor: Actor, call_id: UUID, version: int | None) -> tuple[EvaluatorInvitation, CallView]:
    """The own invitation under lock, if it still waits."""
    row = locked_invitation(call_id, actor.user_id)
    if row is None or row.state == InvitationState.WITHDRAWN.value:
        raise NotFound
    acts.subject("call", call_id)
    check_version(row, version)
    if row.state not in WAITING:
        raise Refused("You have answered this invitation already. Nothing was changed.")
    if row.state == InvitationState.INVITED.value and row.expires_at <= acts.moment():
        raise Refused("This invitation has lapsed. Ask the programme office for a new one if you would still join.")
    return row, calls.call_by_id(call_id)
