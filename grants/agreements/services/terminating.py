"""A grant, or one partner’s part in it, is ended before its time: proposed by one side with a notice, objected to or not, confirmed by a second person.

What follows on the day itself moves reports too, and is an act of reporting (``report.end_grant``).
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import AgreementTermination, Grant
from grants.agreements.queries import TERMINATION_FILES, scope_of
from grants.agreements.rules import TerminationInput, TerminationView
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.holding import FINANCE
from grants.agreements.states import GRANT, TERMINATION, GrantState, Side, TerminationState
from grants.core import acts, clock, files, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh


@act(
    "termination.propose",
    needs=Permission.TERMINATION_PROPOSE,
    scope=scope_of,
    says="proposed the termination of {subject}",
)
def propose_termination(actor: Actor, grant_id: UUID, given: TerminationInput, notice: Incoming | None = None) -> int:
    """Propose to end a grant, or one partner’s part in it, from a day on, with the notice that is sent; both sides are told.

    Nothing ends by it: another person confirms it, once the other side had its time. Returns its number.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    shown, side = queries.view(grant), queries.side_of(actor, queries.scope(grant))
    _refuse_conflict(actor, grant, side)
    partner = rules.refuse_part(given.organisation_id, shown.beneficiaries).name if given.organisation_id else ""
    if rules.standing_of(shown.terminations, given.organisation_id) is not None:
        raise Conflict(
            f"The termination of {'this part' if partner else 'this grant'} is proposed already. Look at that one."
        )
    if partner and shown.ended_on is not None:
        raise Refused(f"The whole grant ends on {clock.long_date(shown.ended_on)}, and the part of {partner} with it.")
    rules.check_proposal(
        given,
        state=shown.state,
        by_side=side,
        period=_period(grant),
        objection_days=shown.objection_days,
        today=acts.today(),
    )
    if notice is None:
        raise Invalid("The notice is missing.", {"file": "Choose the notice that is sent to the other side."})
    number = len(shown.terminations) + 1
    kept = files.keep(notice, kind=TERMINATION_FILES, object_id=grant_id, role=f"notice-{number}")
    row = AgreementTermination(
        grant_id=grant_id,
        number=number,
        organisation_id=given.organisation_id,
        state=TerminationState.PROPOSED.value,
        by_side=side.value,
        reason=given.reason.value,
        words=clean_text(given.words),
        notice_id=kept.id,
        wanted_on=given.wanted_on,
        objections_until=given.objections_until,
        proposed_by=actor.user_id,
        proposed_at=acts.moment(),
    )
    db.session.add(row)
    acts.reason(row.words)
    tell_of_termination(
        grant,
        "termination_proposed",
        row,
        by=actor.name,
        because=given.reason.words,
        by_city=side is Side.CITY,
        partner=partner,
        wanted_on=clock.long_date(row.wanted_on),
        objections_until=clock.long_date(row.objections_until),
    )
    return number


@act(
    "termination.object",
    needs=Permission.TERMINATION_OBJECT,
    scope=scope_of,
    says="objected to the termination of {subject}",
)
def object_to_termination(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """The other side, or the partner whose part is to end, says what speaks against it; whoever decides reads and answers it."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    side = queries.side_of(actor, queries.scope(grant))
    _refuse_conflict(actor, grant, side)
    row, found = _waiting(grant, number)
    rules.refuse_objector(
        found,
        side,
        queries.speaks_for(actor, queries.view(grant)) if side is Side.CITY else frozenset(),
        for_coordinator=actor.may(Permission.REPORT_SUBMIT, queries.scope(grant)),
    )
    TERMINATION.target(found.state, "object")
    rules.refuse_late(found, acts.today())
    if not clean_text(words):
        raise Invalid("Say what speaks against it.", {"words": "Say what speaks against it; whoever decides reads it."})
    acts.reason(clean_text(words))
    row.objection, row.objected_by, row.objected_at = clean_text(words), actor.user_id, acts.moment()
    TERMINATION.move(row, "object")
    tell_of_termination(grant, "termination_objected", row, by=actor.name, partner=found.partner)


@act(
    "termination.confirm",
    needs=Permission.TERMINATION_CONFIRM,
    scope=scope_of,
    says="confirmed the termination of {subject}",
)
def confirm_termination(actor: Actor, grant_id: UUID, number: int, *, effective_on: date, answer: str) -> None:
    """Another person of the programme confirms it for a day, with an answer to what was objected.

    From then on nothing more is pre-financed of what ends. On its day the program ends the work and shortens the reports; where that
    day is today, at once.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    row, found = _waiting(grant, number)
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("This grant is no longer in force, so nothing of it is left to terminate.")
    if row.organisation_id is not None:
        rules.refuse_part(row.organisation_id, queries.view(grant).beneficiaries)
    rules.check_confirmation(
        found,
        effective_on,
        answer,
        confirms=actor.user_id,
        side=queries.side_of(actor, queries.scope(grant)),
        period=_period(grant),
        today=acts.today(),
    )
    people.refuse_tied_to(actor.user_id, (row.proposed_by, row.proposed_at))
    acts.reason(clean_text(answer))
    row.answer, row.effective_on = clean_text(answer), effective_on
    row.confirmed_by, row.confirmed_at = actor.user_id, acts.moment()
    TERMINATION.move(row, "confirm")
    tell_of_termination(
        grant,
        "termination_confirmed",
        row,
        by=actor.name,
        effective_on=clock.long_date(effective_on),
        partner=found.partner,
    )
    jobs.queue(
        "jobs.documents.termination_letter",
        subject=("grant", grant.id),
        unique=f"termination_letter:{row.id}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
        number=row.number,
    )
    if effective_on <= acts.today():
        ask_for_end(grant.id, effective_on, row.organisation_id)


@act(
    "termination.withdraw",
    needs=Permission.TERMINATION_PROPOSE,
    scope=scope_of,
    says="withdrew the termination of {subject}",
)
def withdraw_termination(actor: Actor, grant_id: UUID, number: int, *, words: str) -> None:
    """The side that proposed it takes it back, before it is confirmed, and says why: the grant goes on as agreed."""
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    side = queries.side_of(actor, queries.scope(grant))
    _refuse_conflict(actor, grant, side)
    row, found = _waiting(grant, number)
    if found.by_side is not side:
        raise Refused("The other side proposed this termination, and only they withdraw it. You may object to it.")
    if not clean_text(words):
        raise Invalid("Say why.", {"words": "Say why it is withdrawn; the other side reads it."})
    acts.reason(clean_text(words))
    row.withdraw_words, row.withdrawn_by, row.withdrawn_at = clean_text(words), actor.user_id, acts.moment()
    TERMINATION.move(row, "withdraw")
    tell_of_termination(grant, "termination_withdrawn", row, by=actor.name, partner=found.partner, left=False)


@act(
    "termination.open_notice",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened the notice of the termination of {subject}",
)
def open_termination_notice(actor: Actor, grant_id: UUID, number: int) -> FileView:
    """Hand out the notice of a termination; who took it is kept."""
    acts.subject("grant_agreement", grant_id)
    notice_id = db.session.scalar(
        select(AgreementTermination.notice_id).where(
            AgreementTermination.grant_id == grant_id, AgreementTermination.number == number
        )
    )
    if notice_id is None:
        raise NotFound
    return files.view(notice_id)


@act(
    "termination.open_letter",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened the letter of the termination of {subject}",
)
def open_termination_letter(actor: Actor, grant_id: UUID, number: int) -> FileView:
    """Hand out the letter of a confirmed termination; who took it is kept. Not there until it is made."""
    acts.subject("grant_agreement", grant_id)
    for made in files.listed(TERMINATION_FILES, grant_id, rules.letter_role(number)):
        return made
    raise NotFound


@act(
    "termination.plan_ends",
    needs=Permission.TERMINATION_CARRY_OUT,
    says="looked for grants that end by their termination",
)
def plan_terminations(actor: Actor) -> int:
    """Ask, once each, for the end of every grant, and of every partner’s part, whose termination has reached its day."""
    today = acts.today()
    found = queries.to_carry_out(today)
    for grant_id, organisation_id in found:
        ask_for_end(grant_id, today, organisation_id)
    return len(found)


def ask_for_end(grant_id: UUID, on: date, organisation_id: UUID | None) -> None:
    """Queue what ends a grant: its state and its reports move in one act of reporting; or what ends one partner’s part.

    Once for each day it is asked on.
    """
    if organisation_id is not None:
        jobs.queue(
            "jobs.agreements.end_part",
            subject=("grant", grant_id),
            unique=f"end_part:{grant_id}:{organisation_id}:{on}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant_id,
            organisation_id=organisation_id,
        )
        return
    jobs.queue(
        "jobs.reporting.end_grant",
        subject=("grant", grant_id),
        unique=f"end_grant:{grant_id}:{on}",
        asker=jobs.Asker.PROGRAM,
        grant_id=grant_id,
    )


def carry_out(grant: Grant) -> AgreementTermination | None:
    """Plain helper of reporting: move a grant whose termination has reached its day; returns the termination.

    None where there is nothing to do: not confirmed, before its day, or done already. The grant is locked.
    """
    row = db.session.scalars(
        select(AgreementTermination)
        .where(
            AgreementTermination.grant_id == grant.id,
            AgreementTermination.organisation_id.is_(None),
            AgreementTermination.state == TerminationState.CONFIRMED.value,
            AgreementTermination.carried_out_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None or row.effective_on is None or row.effective_on > acts.today():
        return None
    if grant.state != GrantState.IN_FORCE.value:
        return None
    GRANT.move(grant, "terminate")
    row.carried_out_at = acts.moment()
    return row


def refuse_over(grant: Grant, deed: str) -> None:
    """Plain helper: refuse what only goes on with work, on the day of a termination also before the program moved it."""
    if rules.is_over(GrantState(grant.state), queries.ended_on(grant.id), acts.today()):
        raise Refused(f"This grant is terminated, so {deed}. Its final report says how far it came.")


def refuse_prefinancing(grant: Grant, *, approved: bool = False) -> None:
    """Plain helper of payments: nothing more is paid ahead of its costs once a termination is confirmed. It is locked.

    The words say what becomes of what was ``approved`` before.
    """
    rules.refuse_prefinancing(rules.standing(queries.terminations(grant.id)), approved=approved)


def tell_of_termination(grant: Grant, template: str, row: AgreementTermination, **more: str | bool) -> None:
    """The people of the application and of the partner it is about, who prepares the grant, who decides on its end, and the finance people."""
    told = set(queries.team(grant.application_id))
    if row.organisation_id is not None:
        told |= queries.people_of(grant.application_id, row.organisation_id)
    for permission in (Permission.AGREEMENT_PREPARE, Permission.TERMINATION_CONFIRM):
        told |= {each.id for each in identity.users_with(permission, queries.scope(grant))}
    told |= {each.id for each in identity.in_roles(FINANCE, queries.scope(grant))}
    people.mail(
        sorted(told),
        template,
        "grant",
        grant.id,
        reference=grant.reference,
        title=grant.title,
        words=row.withdraw_words or row.answer or row.objection or row.words,
        **more,
    )


def _waiting(grant: Grant, number: int) -> tuple[AgreementTermination, TerminationView]:
    """The termination of this number with its row, locked; refused where it no longer waits."""
    row = db.session.scalars(
        select(AgreementTermination)
        .where(AgreementTermination.grant_id == grant.id, AgreementTermination.number == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    found = next(each for each in queries.terminations(grant.id) if each.number == number)
    if not found.waits:
        done = "confirmed" if found.state is TerminationState.CONFIRMED else "withdrawn"
        raise Conflict(f"Somebody has {done} this termination after you opened the page.")
    return row, found


def _refuse_conflict(actor: Actor, grant: Grant, side: Side) -> None:
    """Of the programme nobody in conflict takes a step; the city's people act for their own pilot."""
    if side is Side.PROGRAMME:
        refuse_conflict(actor, grant.id)


def _period(grant: Grant) -> tuple[date, date]:
    return grant.starts_on, grant.ends_before
