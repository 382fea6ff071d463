"""What people must do about applications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from grants.applications import rules
from grants.applications.models import (
    Application,
    ApplicationMember,
    ApplicationPartner,
    ApplicationSignOff,
    Clarification,
    EligibilityCheck,
)
from grants.applications.queries.batch import in_hand
from grants.applications.queries.clarifying import is_open
from grants.applications.queries.following import second_stage_duties
from grants.applications.queries.helpdesk import asked_back_duties, desk_duties
from grants.applications.queries.lists import closes_at_of
from grants.applications.queries.reach import DUTIES_MAX, not_barred, visible
from grants.applications.queries.takeover import takeover_duties
from grants.applications.queries.vouching import waiting
from grants.applications.rules import DeskShow
from grants.applications.states import ApplicationState, PartnerRole, PartnerState
from grants.calls.models import Call
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.dossiers import queries as dossier_queries
from grants.dossiers.models import DossierSection


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """What leads, partners, their organisations and the eligibility desk must do next, in at most two statements."""
    kinds = []
    if actor.places(Permission.APPLICATION_EDIT, "application"):
        kinds += [_writing_duties, _answering_duties]
    if actor.places(Permission.APPLICATION_SUBMIT, "application"):
        kinds.append(second_stage_duties.asking)
    if actor.places(Permission.APPLICATION_SIGN_OFF, "application"):
        kinds.append(_signing_duties)
    if actor.can(Permission.ORGANISATION_VOUCH):
        kinds.append(_vouching_duties)
    if actor.can(Permission.APPLICATION_CHECK):
        kinds.append(_checking_duties)
    if actor.can(Permission.TICKET_ANSWER) or actor.can(Permission.QUESTION_ANSWER):
        kinds.append(desk_duties)
    kinds.append(asked_back_duties)
    if actor.can(Permission.APPLICATION_CONFIRM_TAKEOVER):
        kinds.append(takeover_duties)
    found = yield from side_by_side(kind(actor, at) for kind in kinds)
    return tuple(duty for duties in found for duty in duties)


def _vouching_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    first, count = func.min(closes_at_of()), func.count()
    (row,) = yield from ask(waiting(actor, at, count.label("waiting"), first.label("closes_at")))
    if not row.waiting:
        return []
    people = "1 person" if row.waiting == 1 else f"{row.waiting} people"
    return [
        Duty(
            what=f"Say whether {people} may speak for an organisation",
            why="They accepted an invitation and are not of the organisation. The application cannot be sent before this is answered.",
            button="See who waits",
            endpoint="applications.partners_waiting",
            due_at=row.closes_at,
        )
    ]


def _writing_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    own = actor.places(Permission.APPLICATION_EDIT, "application")
    rows = yield from ask(
        select(
            Application.reference,
            Application.title,
            Application.acronym,
            Application.id,
            Application.dossier_id,
            Application.submitted_at,
            closes_at_of().label("closes_at"),
            ApplicationPartner.state.label("answer"),
        )
        .outerjoin(
            ApplicationPartner,
            and_(
                ApplicationPartner.application_id == Application.id,
                ApplicationPartner.contact_user_id == actor.user_id,
            ),
        )
        .where(
            Application.id.in_(own),
            Application.state.in_([state.value for state in rules.WRITABLE]),
            closes_at_of() > at,
            *not_barred(actor),
        )
        .order_by(closes_at_of(), Application.reference)
        .limit(DUTIES_MAX)
    )
    rows = _one_each(rows)
    progress = yield from dossier_queries.progress.asking(row.dossier_id for row in rows if row.dossier_id)
    found = (_writing_duty(actor, row, progress.get(row.dossier_id)) for row in rows)
    return [duty for duty in found if duty is not None]


def _answering_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    rows = yield from ask(
        select(
            Application.reference, Application.title, Application.acronym, func.min(Clarification.due_at).label("due")
        )
        .join(Clarification, Clarification.submission_id == Application.submission_id)
        .where(
            Application.id.in_(actor.places(Permission.APPLICATION_EDIT, "application")),
            Application.state == ApplicationState.SUBMITTED.value,
            Clarification.answered_at.is_(None),
            Clarification.withdrawn_at.is_(None),
            Clarification.due_at > at,
            *not_barred(actor),
        )
        .group_by(Application.id)
        .order_by(func.min(Clarification.due_at), Application.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            what=f"Answer the programme on \u201c{row.acronym or row.title}\u201d",
            why="The programme asks before it decides whether the application is eligible. What you sent stays as it is.",
            button="Open the question",
            endpoint="applications.clarifications",
            values={"ref": row.reference},
            due_at=row.due,
        )
        for row in rows
    ]


def _one_each(rows: Sequence[Any]) -> list[Any]:
    """Who answers for several organisations of one application has one line: the open invitation first."""
    kept: dict[Any, Any] = {}
    for row in rows:
        if row.id not in kept or row.answer == PartnerState.INVITED.value:
            kept[row.id] = row
    return list(kept.values())


def _writing_duty(actor: Actor, row: Any, progress: dossier_queries.Progress | None) -> Duty | None:
    name, values = row.acronym or row.title, {"ref": row.reference}
    if row.answer == PartnerState.INVITED.value:
        return Duty(
            what=f"Answer the invitation to \u201c{name}\u201d",
            why="The lead city cannot send the application before you have accepted or declined.",
            button="Open the invitation",
            endpoint="applications.team",
            values=values,
            due_at=row.closes_at,
        )
    if row.answer == PartnerState.WAITING.value:
        return None
    if row.submitted_at is not None:
        return _newer_draft_duty(actor, row, progress)
    left = progress.sections - progress.completed if progress else 0
    leads = row.id in actor.places(Permission.APPLICATION_SUBMIT, "application")
    if left == 0 and leads:
        return Duty(
            what=f"Check and send \u201c{name}\u201d",
            why="Every section is marked as finished; nothing has been sent yet.",
            button="Check the application",
            endpoint="applications.check",
            values=values,
            due_at=row.closes_at,
        )
    return Duty(
        what=f"Finish {left} {'section' if left == 1 else 'sections'} of \u201c{name}\u201d"
        if left
        else f"Look at \u201c{name}\u201d before it is sent",
        why=f"{progress.completed if progress else 0} of {progress.sections if progress else 0} sections are finished.",
        button="Open the application",
        endpoint="applications.show",
        values=values,
        due_at=row.closes_at,
    )


def _signing_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """Where the call demands sign-offs: what this person never signed, or what was written after they did."""
    partner = exists().where(
        ApplicationPartner.application_id == Application.id,
        ApplicationPartner.contact_user_id == actor.user_id,
        ApplicationPartner.role != PartnerRole.COORDINATOR.value,
        ApplicationPartner.state == PartnerState.ACCEPTED.value,
    )
    signatory = exists().where(
        ApplicationMember.application_id == Application.id,
        ApplicationMember.user_id == actor.user_id,
        ApplicationMember.joined_at.is_not(None),
    )
    signed_at = (
        select(func.max(ApplicationSignOff.created_at))
        .where(ApplicationSignOff.application_id == Application.id, ApplicationSignOff.user_id == actor.user_id)
        .scalar_subquery()
    )
    # A partner signs what was asked of them, a signatory the whole.
    written_at = (
        select(func.max(DossierSection.saved_at))
        .where(
            DossierSection.dossier_id == Application.dossier_id,
            or_(signatory, DossierSection.asked_id == actor.user_id),
        )
        .scalar_subquery()
    )
    rows = yield from ask(
        select(
            Application.reference,
            Application.title,
            Application.acronym,
            closes_at_of().label("closes_at"),
            signed_at.label("signed_at"),
        )
        .join(Call, Call.id == Application.call_id)
        .where(
            Application.id.in_(actor.places(Permission.APPLICATION_SIGN_OFF, "application")),
            Application.state.in_([state.value for state in rules.WRITABLE]),
            Call.content["fields"]["submission.sign_offs"]["value"].as_boolean(),
            closes_at_of() > at,
            or_(partner, signatory),
            or_(signed_at.is_(None), written_at > signed_at),
            *not_barred(actor),
        )
        .order_by(closes_at_of(), Application.reference)
        .limit(DUTIES_MAX)
    )
    return [_signing_duty(row) for row in rows]


def _signing_duty(row: Any) -> Duty:
    name = row.acronym or row.title
    return Duty(
        what=f"Sign off \u201c{name}\u201d"
        if row.signed_at is None
        else f"Look at \u201c{name}\u201d again and sign it off",
        why="This call takes an application only once every partner and the signatory signed it off."
        if row.signed_at is None
        else "It was changed after you signed it off, so your sign-off does not count any more.",
        button="Read and sign off",
        endpoint="applications.sign_off",
        values={"ref": row.reference},
        due_at=row.closes_at,
    )


def _newer_draft_duty(actor: Actor, row: Any, progress: dossier_queries.Progress | None) -> Duty | None:
    """What was sent stands; only answers saved after it are worth a line, and only the lead can send them."""
    newer = progress is not None and progress.saved_at is not None and progress.saved_at > row.submitted_at
    if not newer or row.id not in actor.places(Permission.APPLICATION_SUBMIT, "application"):
        return None
    return Duty(
        what=f"Send your changes to \u201c{row.acronym or row.title}\u201d, or leave what you sent",
        why="Sections were saved after you sent the application. Without sending again, the version you sent stands.",
        button="Check the application",
        endpoint="applications.check",
        values={"ref": row.reference},
        due_at=row.closes_at,
    )


def _checking_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """What waits at the desk of each call, named for what it is, as the parts of its list: a check, a second signature, a
    letter; never of an application the person writes in, and not what a batch has in hand.
    """
    undecided = EligibilityCheck.verdict.is_(None)
    proposed = EligibilityCheck.proposed_by
    rows = yield from ask(
        select(
            *(Call.slug, Call.title),
            func.count().filter(undecided, proposed.is_(None), ~is_open(at)).label("unchecked"),
            func.count().filter(undecided, proposed != actor.user_id).label("proposed"),
            func.count().filter(~undecided).label("letters"),
        )
        .select_from(Application)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(EligibilityCheck, EligibilityCheck.submission_id == Application.submission_id)
        .where(
            Application.state == ApplicationState.SUBMITTED.value,
            Application.id.not_in(actor.places(Permission.APPLICATION_READ, "application")),
            ~in_hand(),
            visible(actor),
            closes_at_of() <= at,
        )
        .group_by(Call.slug, Call.title)
        .order_by(Call.slug)
        .limit(DUTIES_MAX)
    )
    return [duty for row in rows for duty in _desk_of(row)]


def _desk_of(row: Any) -> list[Duty]:
    """The duties at the desk of one call."""
    found = []
    if row.proposed:
        it = "it" if row.proposed == 1 else "them"
        found.append(
            Duty(
                what=f"Confirm {row.proposed} {'refusal' if row.proposed == 1 else 'refusals'}, or give {it} back",
                why=f"{row.title}: another officer finds {it} not eligible; nobody is told before a second person agrees.",
                button="Open the eligibility desk",
                endpoint="applications.eligibility_list",
                values={"slug": row.slug, "show": DeskShow.SECOND.value},
            )
        )
    if row.letters:
        one = row.letters == 1
        found.append(
            Duty(
                what=f"Look at {row.letters} decision {'letter' if one else 'letters'} and send {'it' if one else 'them'}",
                why=f"{row.title}: with its letter a verdict takes effect, and its team is told.",
                button="Open the letters",
                endpoint="applications.letters",
                values={"slug": row.slug},
            )
        )
    if row.unchecked:
        found.append(
            Duty(
                what=f"Check {row.unchecked} {'application' if row.unchecked == 1 else 'applications'} for eligibility",
                why=f"{row.title}: the deadline has passed; evaluators get only what is declared eligible.",
                button="Open the eligibility desk",
                endpoint="applications.eligibility_list",
                values={"slug": row.slug},
            )
        )
    return found
