"""Acts by which an application whose lead is gone gets another: somebody of the team asks, staff answer, everybody is told."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications import queries, rules
from grants.applications.models import Application, ApplicationPartner, ApplicationTakeover
from grants.applications.services.drafting import refuse_before_acceptance, writable
from grants.applications.states import PartnerRole
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role

REASON_CHARACTERS_MAX = 500


@act(
    "application.ask_takeover",
    # Everybody of a team may comment; so everybody of it may ask.
    needs=Permission.APPLICATION_COMMENT,
    scope=queries.scope_of,
    says="asked that another person leads application {subject}",
)
def ask_takeover(actor: Actor, application_id: UUID, lead_id: UUID, reason: str) -> UUID:
    """Ask that a person of the leading organisation leads, because the lead is gone; raises :class:`Refused` where not."""
    _led_still(application_id)
    refuse_before_acceptance(actor, application_id)
    words = _reason(reason, "Say what you know of the lead, and why this person follows.")
    _refuse_unfit(application_id, lead_id)
    if queries.takeover_waits(application_id):
        raise Refused("Somebody asked already. The programme office answers, and everybody of the team is told.")
    assert actor.user_id is not None, "a person asks"
    asked = ApplicationTakeover(application_id=application_id, lead_id=lead_id, asked_by=actor.user_id, reason=words)
    db.session.add(asked)
    return asked.id


def _led_still(application_id: UUID) -> Application:
    """The locked application, while it can be written, or lies between two stages: then its lead starts what follows.

    Raises :class:`Refused` for every other: nobody needs another lead of it.
    """
    if queries.awaits_full_proposal(queries.view_for_team(application_id), acts.moment()):
        return locked(Application, application_id)
    application, _ = writable(application_id)
    return application


def _reason(typed: str, missing: str) -> str:
    """The reason in one line; raises :class:`Invalid` where there is none, or more than fits."""
    words = " ".join(typed.split())
    if not words:
        raise Invalid("A reason is missing.", {"reason": missing})
    if len(words) > REASON_CHARACTERS_MAX:
        over = len(words) - REASON_CHARACTERS_MAX
        sentence = f"The reason has {len(words)} characters; {REASON_CHARACTERS_MAX} fit. Take {over} away."
        raise Invalid(sentence, {"reason": sentence})
    return words


def _refuse_unfit(application_id: UUID, lead_id: UUID) -> None:
    """The lead must be gone, and who follows one of the leading organisation who has no other part to lose."""
    view = queries.view_by_id(application_id)
    found = queries.could_lead(view)
    if not queries.lead_is_gone(view, found):
        raise Refused(
            f"{view.coordinator.contact_name} leads the application and has a working account. "
            "Ask them to hand the lead over on the page “Team”."
        )
    if lead_id not in {person.id for person in found}:
        sentence = f"Choose somebody of {view.coordinator.name}: only its own people lead."
        raise Invalid("Nobody was asked.", {"person": sentence})
    if any(partner.contact_id == lead_id and not partner.leads for partner in view.partners):
        raise Refused("This person speaks for another organisation of the application. Choose somebody else.")
    people.refuse_staff(lead_id)


def takeover_scope(takeover_id: UUID) -> Scope:
    """Where a request lies: in its application, and in the call of that."""
    return queries.scope_of(get(ApplicationTakeover, takeover_id).application_id)


@act(
    "application.confirm_takeover",
    needs=Permission.APPLICATION_CONFIRM_TAKEOVER,
    scope=takeover_scope,
    says="made another person the lead of application {subject}",
)
def confirm_takeover(actor: Actor, takeover_id: UUID) -> None:
    """Staff say that the person leads from now on; the one before is of the team no more. Both changes are one."""
    application, asked = _open(actor, takeover_id)
    _refuse_unfit(application.id, asked.lead_id)
    coordinator = db.session.scalars(
        select(ApplicationPartner)
        .where(
            ApplicationPartner.application_id == application.id,
            ApplicationPartner.role == PartnerRole.COORDINATOR.value,
        )
        .with_for_update(of=ApplicationPartner)
        .execution_options(populate_existing=True)
    ).one()
    before, own = coordinator.contact_user_id, queries.membership(application.id, asked.lead_id)
    if own is not None:
        for role in rules.MEMBER_ROLES:
            people.end_role(asked.lead_id, role, kind="application", object_id=application.id)
        db.session.delete(own)
    if before is not None:
        people.end_role(before, Role.APPLICATION_LEAD, kind="application", object_id=application.id)
    people.give_role(asked.lead_id, Role.APPLICATION_LEAD, kind="application", object_id=application.id)
    coordinator.contact_user_id, coordinator.answered_at = asked.lead_id, acts.moment()
    _answer(actor, asked, granted=True)
    _tell(actor, application, asked, "")


@act(
    "application.refuse_takeover",
    needs=Permission.APPLICATION_CONFIRM_TAKEOVER,
    scope=takeover_scope,
    says="refused another lead of application {subject}",
)
def refuse_takeover(actor: Actor, takeover_id: UUID, reason: str) -> None:
    """Staff say that the person does not lead, and why."""
    application, asked = _open(actor, takeover_id)
    words = _reason(reason, "Say why; everybody of the team reads it.")
    acts.reason(words)
    _answer(actor, asked, granted=False)
    _tell(actor, application, asked, words)


def _open(actor: Actor, takeover_id: UUID) -> tuple[Application, ApplicationTakeover]:
    application = _led_still(get(ApplicationTakeover, takeover_id).application_id)
    asked = locked(ApplicationTakeover, takeover_id)
    acts.subject("application", application.id)
    faults.point("four_eyes")
    if actor.user_id in (asked.asked_by, asked.lead_id):
        raise Refused("You asked for this yourself, or would lead. A colleague must answer it.")
    if asked.answered_at is not None:
        raise Refused("This was answered meanwhile. Reload the page to see what still waits.")
    return application, asked


def _answer(actor: Actor, asked: ApplicationTakeover, *, granted: bool) -> None:
    asked.answered_at, asked.answered_by, asked.granted = acts.moment(), actor.user_id, granted


def _tell(actor: Actor, application: Application, asked: ApplicationTakeover, refused_why: str) -> None:
    """Everybody of the team, who asked, and who leads now."""
    db.session.flush()
    view = queries.view_by_id(application.id)
    told = {member.user_id for member in queries.team(view)} | {asked.asked_by, asked.lead_id}
    people.mail(
        sorted(told),
        "application_takeover",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        lead=identity.person(asked.lead_id).name,
        organisation=view.coordinator.name,
        answered_by=actor.name,
        refused_why=refused_why,
    )
