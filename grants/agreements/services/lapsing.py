"""The last day of a preparation: set with a reason, reminded of, and kept: the program drops what is not signed by then."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from grants.agreements import queries, rules
from grants.agreements.models import Grant
from grants.agreements.queries import scope_of
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.ending import release_reserve
from grants.agreements.services.offering import end_offer
from grants.agreements.states import GRANT, GrantState, OfferEnd
from grants.applications.models import Application
from grants.applications.states import APPLICATION
from grants.calls import queries as calls
from grants.core import acts, clock, faults, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people

UNSIGNED = (GrantState.PREPARATION.value, GrantState.READY_TO_SIGN.value)
# So many days before the last one everybody is reminded.
REMINDED_BEFORE = (14, 3)


@act(
    "agreement.set_end",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="moved the last day of the preparation of {subject}",
)
def set_end(actor: Actor, grant_id: UUID, ends_on: date, *, reason: str) -> None:
    """Move the last day, with a reason that everybody of both sides reads; a day that has passed is not moved any more."""
    grant = locked(Grant, grant_id)
    refuse_conflict(actor, grant_id)
    if grant.state not in UNSIGNED:
        raise Refused("This grant is no longer in preparation, so its preparation has no last day to move.")
    today = acts.today()
    rules.refuse_after(grant.preparation_ends_on, today)
    problems = {}
    if ends_on < today:
        problems["ends_on"] = "This day has passed. Enter today or a later day."
    elif ends_on == grant.preparation_ends_on:
        problems["ends_on"] = "This is the last day already. Enter another one."
    if not reason.strip():
        problems["reason"] = "Say why the day moves; both sides read it."
    if problems:
        raise Invalid("The last day stays as it is.", problems)
    before = grant.preparation_ends_on
    acts.reason(reason.strip())
    grant.preparation_ends_on = ends_on
    people.mail(
        _everybody(grant),
        "agreement_end_moved",
        "grant",
        grant.id,
        reference=grant.reference,
        title=grant.title,
        before=clock.long_date(before) if before else "",
        ends_on=clock.long_date(ends_on),
        reason=reason.strip(),
        officer=actor.name,
    )


def _everybody(grant: Grant) -> list[UUID]:
    """The people of the application, who prepares the grant and who signs it for the programme."""
    told = set(queries.team(grant.application_id))
    for permission in (Permission.AGREEMENT_PREPARE, Permission.AGREEMENT_SIGN_PROGRAMME):
        told |= {each.id for each in identity.users_with(permission, queries.scope(grant))}
    return sorted(told)


@act("agreement.plan_ends", needs=Permission.AGREEMENT_LAPSE, says="looked for preparations that end")
def plan_ends(actor: Actor) -> int:
    """Ask, once each, for the end of every preparation whose last day has passed, and for the reminders of those it is near."""
    today = acts.today()
    found = queries.ending(clock.add_days(today, max(REMINDED_BEFORE)))
    for grant in found:
        ends_on = grant.preparation_ends_on
        assert ends_on is not None, "only what ends is found"
        if today > ends_on:
            jobs.queue(
                "jobs.agreements.lapse",
                subject=("grant", grant.id),
                unique=f"lapse:{grant.id}:{ends_on}",
                asker=jobs.Asker.PROGRAM,
                grant_id=grant.id,
            )
            continue
        near = min(days for days in REMINDED_BEFORE if (ends_on - today).days <= days)
        jobs.queue(
            "jobs.agreements.remind_of_end",
            subject=("grant", grant.id),
            unique=f"remind_of_end:{grant.id}:{ends_on}:{near}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant.id,
        )
    return len(found)


@act(
    "agreement.lapse",
    needs=Permission.AGREEMENT_LAPSE,
    scope=scope_of,
    says="dropped {subject}, not signed by the last day of its preparation",
)
def lapse(actor: Actor, grant_id: UUID) -> bool:
    """Drop a preparation whose last day has passed, also where all but one have signed: the reserve goes back (E3).

    Safe to run twice. Whether it was dropped now: one that was signed, ended or given more time meanwhile stays as it is.
    """
    grant = locked(Grant, grant_id)
    today = acts.today()
    faults.point("deadline")
    ends_on = grant.preparation_ends_on
    if grant.state not in UNSIGNED or ends_on is None or today <= ends_on:
        return False
    reason = (
        f"The agreement was not signed by both sides by {clock.long_date(ends_on)}, the last day of its preparation."
    )
    acts.reason(reason)
    told = _everybody(grant)
    grant.lapsed_at = acts.moment()
    GRANT.move(grant, "lapse")
    end_offer(grant, OfferEnd.LAPSED)
    application = locked(Application, grant.application_id)
    APPLICATION.move(application, "drop")
    db.session.flush()
    release_reserve(grant, "not signed in time")
    people.mail(
        told,
        "agreement_lapsed",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        ends_on=clock.long_date(ends_on),
        complains=calls.call_by_id(application.call_id).content.complaints is not None,
    )
    return True


@act(
    "agreement.remind_of_end",
    needs=Permission.AGREEMENT_LAPSE,
    scope=scope_of,
    says="reminded both sides of the last day of the preparation of {subject}",
)
def remind_of_end(actor: Actor, grant_id: UUID) -> bool:
    """Tell both sides how many days are left; nobody where it was signed, ended or given more time meanwhile."""
    grant = locked(Grant, grant_id)
    today = acts.today()
    ends_on = grant.preparation_ends_on
    if grant.state not in UNSIGNED or ends_on is None or not 0 <= (ends_on - today).days <= max(REMINDED_BEFORE):
        return False
    people.mail(
        _everybody(grant),
        "agreement_ends_soon",
        "grant",
        grant.id,
        reference=grant.reference,
        title=grant.title,
        ends_on=clock.long_date(ends_on),
        days=(ends_on - today).days,
    )
    return True
