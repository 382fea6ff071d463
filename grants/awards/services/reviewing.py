"""Acts of the programme on a complaint: admissible or not, a committee of two, more time, and the second decision by these two."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.applications import queries as applied
from grants.applications import services as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import queries, rules
from grants.awards.models import Complaint, Selection, SelectionItem
from grants.awards.rules import complaints as said
from grants.awards.rules.complaints import ComplaintLetter, SecondDecision
from grants.awards.services.complaints import handlers, tell_staff, tell_team
from grants.awards.services.confirming import reserve
from grants.awards.services.deciding import confirmed_list
from grants.awards.services.leaving_out import end_exclusion
from grants.awards.states import COMPLAINT, OPEN_COMPLAINTS, ComplaintState, Remedy, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.calls.services import look_for_conflicts
from grants.core import acts, clock, faults, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries as evaluation
from grants.evaluation.services import start_again
from grants.identity import queries as identity
from grants.identity.rules import demand_fresh

reads = queries.complaints
DECIDES = Permission.COMPLAINT_DECIDE


def deciding_scope(complaint_id: UUID) -> Scope:
    """A complaint lies in its application; the call is locked first, whose money a decision may take."""
    row = get(Complaint, complaint_id)
    evaluation.call_scope(row.call_id)
    return reads.scope_of(complaint_id)


def handled(actor: Actor, complaint_id: UUID, version: int | None) -> tuple[Complaint, CallView]:
    """The complaint, locked, for somebody who had no part in the first decision and has no conflict."""
    row = locked(Complaint, complaint_id)
    if row.state == ComplaintState.DRAFT.value or evaluation.undecidable(actor, [row.application_id]):
        raise NotFound
    said.refuse_involved(actor.user_id, queries.involved_in(row.application_id))
    check_version(row, version)
    return row, calls.call_by_id(row.call_id)


@act("complaint.admit", needs=DECIDES, scope=reads.scope_of, says="found the complaint about {subject} admissible")
def admit(actor: Actor, complaint_id: UUID, version: int | None = None) -> None:
    """The complaint came in time and rests on a ground the call allows: it is reviewed."""
    row, call = handled(actor, complaint_id, version)
    COMPLAINT.move(row, "admit")
    row.checked_by, row.checked_at = actor.user_id, acts.moment()
    tell_team(row, call, "admissible")


@act(
    "complaint.turn_away", needs=DECIDES, scope=reads.scope_of, says="found the complaint about {subject} inadmissible"
)
def turn_away(actor: Actor, complaint_id: UUID, reason: str, version: int | None = None) -> None:
    """The complaint is not reviewed, for a reason the applicant reads."""
    row, call = handled(actor, complaint_id, version)
    words = said.reasoned(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why it is not reviewed. The applicant reads it."})
    COMPLAINT.move(row, "turn_away")
    row.checked_by, row.checked_at, row.check_reason = actor.user_id, acts.moment(), words
    acts.reason(words)
    tell_team(row, call, "inadmissible", words)


@act(
    "complaint.name_committee",
    needs=DECIDES,
    scope=reads.scope_of,
    says="named who reviews the complaint about {subject}",
)
def name_committee(actor: Actor, complaint_id: UUID, chosen: tuple[UUID, UUID], version: int | None = None) -> None:
    """Name two people, or two others while nothing is proposed; both decide it together.

    What stands proposed falls with a committee one of whom may not decide it any more: nobody could confirm or return it.
    """
    row, call = handled(actor, complaint_id, version)
    allowed = handlers(row)
    said.refuse_committee(chosen, allowed)
    if row.proposed_by is not None:
        if {row.member_one, row.member_two} <= set(allowed):
            raise Refused("A decision is proposed. Have it confirmed or returned before another committee is named.")
        row.upholds = row.remedy = row.proposed_by = row.proposed_at = None
        row.return_reason = "It was proposed by a committee one of whom may not decide it. Another one was named."
    COMPLAINT.move(row, "name_committee")
    row.member_one, row.member_two = chosen
    row.named_by = actor.user_id
    tell_staff(row, call, list(chosen), "named")


@act("complaint.extend", needs=DECIDES, scope=reads.scope_of, says="took more time for the complaint about {subject}")
def extend(actor: Actor, complaint_id: UUID, day: date | None, reason: str, version: int | None = None) -> None:
    """Move the day by which it is decided, to a later one, with the reason; the applicant is told."""
    row, call = handled(actor, complaint_id, version)
    words = said.checked_extension(day, row.decide_at, call.zone, reason)
    assert day is not None, "a day is demanded"
    if ComplaintState(row.state) not in OPEN_COMPLAINTS:
        raise Refused("This complaint is closed; it needs no time any more.")
    row.decide_at, row.extension_reason = clock.end_of_day(day, call.zone), words
    acts.reason(words)
    tell_team(row, call, "extended", words)


@act(
    "complaint.propose",
    needs=DECIDES,
    scope=reads.scope_of,
    says="proposed the decision on the complaint about {subject}",
)
def propose(actor: Actor, complaint_id: UUID, given: SecondDecision, version: int | None = None) -> None:
    """One of the committee proposes what is decided and why; what was proposed before is kept and replaced."""
    row, _ = _reviewed(actor, complaint_id, version)
    _refuse_incomplete(row)
    checked = given.checked(ApplicationState(row.about))
    _refuse_impossible(row, checked.remedy)
    breaches = _breaches(row, checked.remedy)
    said.refuse_breaches(breaches, checked.despite)
    row.despite = checked.despite if breaches else None
    row.breached = said.breached_words(breaches) or None
    row.upholds, row.remedy = checked.upholds, checked.remedy.value if checked.remedy else None
    row.decision, row.proposed_by, row.proposed_at = checked.text, actor.user_id, acts.moment()
    row.return_reason = None


def _breaches(row: Complaint, remedy: Remedy | None) -> tuple[str, ...]:
    """Which rules of its list an outcome breaks if it is corrected now; what falls with nothing breaks nothing."""
    if remedy is not Remedy.CORRECT:
        return ()
    item, selection = item_of(row)
    return queries.breaches_now(selection.id, item.application_id)


def _refuse_incomplete(row: Complaint) -> None:
    """Raise :class:`Refused` where the other of the committee may not decide it: nobody could confirm what is proposed."""
    able = handlers(row)
    unfit = [each for each in (row.member_one, row.member_two) if each not in able]
    if not unfit:
        return
    names = " and ".join(identity.person(each).name for each in unfit if each)
    raise Refused(
        f"{names} may not decide this complaint any more, so nobody could confirm what you propose. Another committee is named "
        "first, by anybody who may decide complaints and had no part in the first decision: you may, on this page."
    )


def _reviewed(actor: Actor, complaint_id: UUID, version: int | None) -> tuple[Complaint, CallView]:
    row, call = handled(actor, complaint_id, version)
    said.refuse_not_of_committee(actor.user_id, (row.member_one, row.member_two))
    if row.state != ComplaintState.UNDER_REVIEW.value:
        raise Refused(f"This complaint is {row.state.replace('_', ' ')}; nothing is decided about it now.")
    return row, call


def _refuse_impossible(row: Complaint, remedy: Remedy | None) -> None:
    """What could not be carried out is not proposed."""
    if remedy is None:
        return
    application = applied.view_by_id(row.application_id)
    if application.state.value != row.about:
        word = application.state.value.replace("_", " ")
        if row.about == ApplicationState.RESERVE.value and application.was_selected:
            raise Refused(
                f"{application.reference} moved up from the reserve list and is {word} now, so upholding the complaint would "
                "bring nothing more. Reject it and say so in the reasons; its letter says that another result took its place."
            )
        raise Refused(
            f"{application.reference} is {word} now; the result complained about stands no more. Reject the complaint."
        )
    if remedy is Remedy.RESTORE and (number := confirmed_list(row.call_id)) is not None:
        raise Refused(
            f"List {number} of this call is confirmed, so {application.reference} cannot be ranked with the others any more. "
            "If the verdict was wrong, reject the complaint and say so in the reasons, with how the programme makes good "
            "for it: for example by another call."
        )


def _refuse_untold(row: Complaint) -> None:
    """The letter of the second decision speaks of the result that stands, and is not the first to tell one."""
    application = get(Application, row.application_id)
    if application.state == row.about or not applied.is_untold(application.id):
        return
    if not queries.letters.is_left_out(application.id):
        raise Refused(
            "Another result took the place of the one complained about, and the team does not know it: its letter of decision "
            "has not left. Have the letter sent first, or leave it out by name and tell the lead; then decide the complaint."
        )


@act(
    "complaint.return",
    needs=DECIDES,
    scope=reads.scope_of,
    says="returned the decision on the complaint about {subject}",
)
def return_decision(actor: Actor, complaint_id: UUID, reason: str, version: int | None = None) -> None:
    """The other of the committee gives the proposal back with a reason."""
    row, _ = _reviewed(actor, complaint_id, version)
    _refuse_own(actor, row)
    words = said.reasoned(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say what must be different before you confirm it."})
    row.upholds = row.remedy = row.proposed_by = row.proposed_at = None
    row.return_reason = words
    acts.reason(words)


def _refuse_own(actor: Actor, row: Complaint) -> None:
    if row.proposed_by is None:
        raise Refused("Nothing is proposed yet. One of the committee proposes the decision first.")
    rules.refuse_same_person(row.proposed_by, actor.user_id, "decided this proposal")


@act("complaint.decide", needs=DECIDES, scope=deciding_scope, says="decided the complaint about {subject}")
def decide(actor: Actor, complaint_id: UUID, version: int | None = None) -> ComplaintState:
    """The other of the committee confirms: the letter is frozen and sent, and what follows from it is carried out in this act."""
    row, call = _reviewed(actor, complaint_id, version)
    _refuse_own(actor, row)
    remedy = Remedy(row.remedy) if row.remedy else None
    if remedy is Remedy.CORRECT:
        # It reserves money.
        demand_fresh(actor)
    _refuse_impossible(row, remedy)
    _refuse_untold(row)
    breaches = _breaches(row, remedy)
    said.refuse_others_broken(said.breached_words(breaches), row.breached or "")
    # The letter reads the application, and nothing of the row is written until it is whole.
    letter = _letter(row, call, remedy).to_mapping()
    state = COMPLAINT.move(row, "uphold" if row.upholds else "reject")
    row.confirmed_by, row.decided_at = actor.user_id, acts.moment()
    row.letter, row.letter_sha256 = letter, said.digest(letter)
    # An outcome that changes here is not told by who told the first one without a letter.
    exclusion = end_exclusion(actor, row.application_id) if remedy is Remedy.CORRECT else ""
    broken = f"{said.breached_words(breaches)} {row.despite}" if breaches else ""
    acts.reason("\n\n".join(filter(None, (row.decision, broken, exclusion))))
    db.session.flush()
    match remedy:
        case Remedy.RESTORE:
            applications.move(row.application_id, "restore")
            look_for_conflicts(row.call_id)
        case Remedy.REPEAT:
            applications.move(row.application_id, "evaluate_again")
            start_again(row.application_id, "The evaluation is repeated: a complaint about it was upheld.")
        case Remedy.CORRECT:
            row.entry_id = _corrected(row, call)
    tell_team(row, call, state.value, row.decision or "")
    jobs.queue(reads.JOB, subject=("application", row.application_id), complaint_id=row.id)
    return state


def _corrected(row: Complaint, call: CallView) -> UUID:
    """Select the application after all: its money is reserved under its item of the list that left it out."""
    item, selection = item_of(row)
    application = locked(Application, row.application_id)
    free = calls.free(call.id)
    faults.point("ceiling")
    if item.amount > free:
        raise Refused(
            f"{application.reference} asks for {item.amount}; the call has {free} free. Raise the authorised budget first, "
            "or decide that the evaluation is repeated."
        )
    applications.move(application.id, "correct")
    reserve(call, selection, item, application)
    assert item.entry_id is not None, "what is selected is reserved"
    return item.entry_id


def item_of(row: Complaint) -> tuple[SelectionItem, Selection]:
    """The item of the confirmed list that a complaint is about, locked, with its list."""
    found = db.session.execute(
        select(SelectionItem, Selection)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(SelectionItem.application_id == row.application_id, Selection.state == SelectionState.CONFIRMED.value)
        .order_by(Selection.number.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise Refused("The application stands in no confirmed list; its outcome cannot be corrected here.")
    return found[0], found[1]


def _letter(row: Complaint, call: CallView, remedy: Remedy | None) -> ComplaintLetter:
    application = applied.view_by_id(row.application_id)
    sent = clock.long_date(clock.in_zone(row.sent_at or acts.moment(), call.zone).date())
    about = said.ABOUT_WORDS[ApplicationState(row.about)]
    stands = application.state.value == row.about
    first = "The first decision stands." if stands else "Since then another result took the place of the first one."
    return ComplaintLetter(
        heading=f"The complaint about {application.reference} is {'upheld' if row.upholds else 'rejected'}",
        programme=call.programme.name,
        call=call.title,
        reference=application.reference,
        coordinator=application.coordinator.name,
        first=about[0].upper() + about[1:],
        paragraphs=(
            "Dear applicant,",
            f"On {sent} you complained about {about}. Two people who had no part in the first decision reviewed it.",
            *(part for part in (row.decision or "").split("\n\n") if part.strip()),
            f"{said.REMEDY_WORDS[remedy]}." if remedy else first,
            *(["You are told the new outcome as soon as it is settled."] if remedy is Remedy.REPEAT else []),
            said.DECIDED_BY,
            call.programme.name,
        ),
    )
