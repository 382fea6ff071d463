"""A partner leaves a grant, by a termination of its part or by an amendment: from its day on its people only read what was."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import or_, select

from grants.agreements import queries
from grants.agreements.models import Accession, AgreementTermination, Beneficiary, Grant
from grants.agreements.queries import scope_of
from grants.agreements.services.acceding import end_awaited
from grants.agreements.services.terminating import tell_of_termination
from grants.agreements.states import TERMINATION, GrantState, TerminationState
from grants.core import acts, clock, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role


def leave(grant: Grant, actor: Actor, organisation_id: UUID, on: date, reason: str) -> None:
    """Plain helper of what lets a partner leave: the day is kept, and its people stop on it. The grant is locked."""
    row = _partner(grant.id, organisation_id)
    row.left_on = on
    end_awaited(grant, actor, organisation_id, reason)
    acceded = select(Accession).where(
        Accession.grant_id == grant.id,
        Accession.organisation_id == organisation_id,
        Accession.acceded_at.is_not(None),
        Accession.left_at.is_(None),
    )
    for each in db.session.scalars(acceded.with_for_update()):
        each.left_at = acts.moment()
    if on <= acts.today():
        _let_go(grant, organisation_id)
        return
    jobs.queue(
        "jobs.agreements.let_partner_go",
        subject=("grant", grant.id),
        unique=f"let_partner_go:{grant.id}:{organisation_id}:{on}",
        after=clock.local_to_utc(datetime.combine(on, time(1)), clock.BRUSSELS),
        asker=jobs.Asker.PROGRAM,
        grant_id=grant.id,
        organisation_id=organisation_id,
    )


def end_proposed(grant: Grant, actor: Actor, organisation_id: UUID, words: str) -> None:
    """Plain helper of an amendment by which a partner leaves: a termination of its part that still waits has nothing left to end."""
    waits = select(AgreementTermination).where(
        AgreementTermination.grant_id == grant.id,
        AgreementTermination.organisation_id == organisation_id,
        AgreementTermination.state.in_([TerminationState.PROPOSED.value, TerminationState.OBJECTED.value]),
    )
    row = db.session.scalars(waits.with_for_update()).one_or_none()
    if row is None:
        return
    row.withdraw_words, row.withdrawn_by, row.withdrawn_at = words, actor.user_id, acts.moment()
    TERMINATION.move(row, "withdraw")
    partner = identity.organisation(organisation_id).name
    tell_of_termination(grant, "termination_withdrawn", row, by=actor.name, partner=partner, left=True)


@act(
    "agreement.let_partner_go",
    needs=Permission.TERMINATION_CARRY_OUT,
    scope=scope_of,
    says="let the people of a partner that left {subject} only read what was",
)
def let_partner_go(actor: Actor, grant_id: UUID, organisation_id: UUID) -> bool:
    """On the day a partner leaves its people lose what they did for it; not where it came back meanwhile. Safe to run twice."""
    grant = locked(Grant, grant_id)
    left_on = _partner(grant_id, organisation_id).left_on
    if left_on is None or left_on > acts.today():
        return False
    return _let_go(grant, organisation_id)


def _let_go(grant: Grant, organisation_id: UUID) -> bool:
    holders = set(identity.holders("application", grant.application_id, (Role.APPLICATION_PARTNER,)))
    theirs = queries.people_of(grant.application_id, organisation_id)
    leaving = (theirs & holders) - _people_of_others(grant, organisation_id)
    for user_id in sorted(leaving):
        people.end_role(user_id, Role.APPLICATION_PARTNER, kind="application", object_id=grant.application_id)
        people.give_role(user_id, Role.PAST_PARTNER, kind="application", object_id=grant.application_id)
    return bool(leaving)


def _people_of_others(grant: Grant, organisation_id: UUID) -> frozenset[UUID]:
    """Who speaks for another partner that still takes part keeps what they may do for that one."""
    others = db.session.scalars(
        select(Beneficiary.organisation_id).where(
            Beneficiary.grant_id == grant.id,
            Beneficiary.organisation_id != organisation_id,
            or_(Beneficiary.left_on.is_(None), Beneficiary.left_on > acts.today()),
        )
    )
    return queries.people_of(grant.application_id, *others)


@act(
    "termination.end_part",
    needs=Permission.TERMINATION_CARRY_OUT,
    scope=scope_of,
    says="ended the part of a partner in {subject} by its termination",
)
def end_part(actor: Actor, grant_id: UUID, organisation_id: UUID) -> bool:
    """Carry out the termination of one partner’s part on its day: its costs count until then, and what it may do ends.

    Safe to run twice; whether its part ended now. What is left of its maximum is moved or released by an amendment once its last
    period is settled.
    """
    grant = locked(Grant, grant_id)
    row = db.session.scalars(
        select(AgreementTermination)
        .where(
            AgreementTermination.grant_id == grant_id,
            AgreementTermination.organisation_id == organisation_id,
            AgreementTermination.state == TerminationState.CONFIRMED.value,
            AgreementTermination.carried_out_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None or row.effective_on is None or row.effective_on > acts.today():
        return False
    if grant.state != GrantState.IN_FORCE.value:
        return False
    row.carried_out_at = acts.moment()
    left_on = _partner(grant_id, organisation_id).left_on
    if left_on is not None and left_on <= row.effective_on:
        # An amendment let it leave meanwhile, and its day is the one that was signed.
        return False
    leave(grant, actor, organisation_id, row.effective_on, f"Its part was terminated from {row.effective_on} on.")
    tell_of_termination(
        grant,
        "termination_part_ended",
        row,
        partner=identity.organisation(organisation_id).name,
        last_on=clock.long_date(clock.add_days(row.effective_on, -1)),
        effective_on=clock.long_date(row.effective_on),
    )
    return True


def _partner(grant_id: UUID, organisation_id: UUID) -> Beneficiary:
    return db.session.scalars(
        select(Beneficiary)
        .where(Beneficiary.grant_id == grant_id, Beneficiary.organisation_id == organisation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
