"""Acts of evaluation: the pool, conflicts, exact assignment, score sheets, consensus. The only writers of its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.applications import services as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls import queries as calls
from grants.calls.rules import CallView, Criterion
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import matching, queries, rules
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    Assignment,
    AssignmentRun,
    ConflictDeclaration,
    Consensus,
    ConsensusScore,
    Evaluator,
)
from grants.evaluation.rules import (
    Answered,
    Consortium,
    EvaluatorInput,
    PoolMember,
    RunInput,
    RunResult,
    SheetInput,
)
from grants.evaluation.states import (
    ASSESSMENT,
    CONSENSUS,
    SEAT,
    AssessmentState,
    ConsensusState,
    Declared,
    Ruling,
    RunStatus,
    SeatState,
)
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role

# --- the pool ---------------------------------------------------------------------------------------------------


@act("evaluator.pool", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.call_scope)
def pool(actor: Actor, call_id: UUID, values: EvaluatorInput, version: int | None = None) -> UUID:
    """Add a person to the pool of a call, or change their expertise and loads."""
    values = rules.checked_member(values)
    person = identity.person(values.user_id)
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == values.user_id).with_for_update()
    ).one_or_none()
    if row is None:
        row = Evaluator(call_id=call_id, user_id=values.user_id, organisation_id=person.organisation_id)
        db.session.add(row)
    else:
        check_version(row, version)
        load = next(member.load for member in queries.pool(call_id) if member.user_id == values.user_id)
        if values.load_max < load:
            raise Invalid(
                "The largest number is too small.",
                {"load_max": f"{person.name} already has {load} applications. Enter {load} or more, or void a seat."},
            )
    row.country_code = values.country_code
    row.languages, row.topics = list(values.languages), list(values.topics)
    row.load_min, row.load_max = values.load_min, values.load_max
    return row.id


@act("evaluator.remove", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.call_scope)
def remove(actor: Actor, call_id: UUID, user_id: UUID) -> None:
    """Take a person without any seat out of the pool."""
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    seats = db.session.scalar(select(func.count()).select_from(Assignment).where(Assignment.evaluator_id == row.id))
    if seats:
        raise Refused(
            "This evaluator has or had a seat on an application and stays on the record. Void the seat instead."
        )
    db.session.delete(row)


# --- conflicts --------------------------------------------------------------------------------------------------


@act("conflict.declare", needs=Permission.CONFLICT_DECLARE, scope=queries.call_scope)
def declare(actor: Actor, call_id: UUID, answers: tuple[Answered, ...]) -> int:
    """Store what the person declares about applications of a call; returns how many conflicts now stand.

    A conflict bars the person from the application at once and empties a seat they had on it.
    """
    allowed = queries.may_declare(actor, call_id)
    cleaned = [rules.clean_declaration(answer) for answer in answers]
    stored = {row.application_id: row for row in _own_declarations(actor, [a.application_id for a in cleaned])}
    conflicts = 0
    for answer in cleaned:
        if answer.application_id not in allowed:
            raise NotFound
        row = stored.get(answer.application_id)
        if row is not None and (row.declared, row.reason or "") == (answer.declared.value, answer.reason):
            continue
        if answer.declared is Declared.NONE:
            _refuse_taking_back(row)
        _store(actor, row, answer)
        if answer.declared is Declared.CONFLICT:
            conflicts += 1
            _keep_away(actor.user_id, answer.application_id, answer.reason)
    return conflicts


def _own_declarations(actor: Actor, application_ids: Sequence[UUID]) -> Sequence[ConflictDeclaration]:
    return db.session.scalars(
        select(ConflictDeclaration)
        .where(
            ConflictDeclaration.user_id == actor.user_id,
            ConflictDeclaration.application_id.in_(application_ids),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _refuse_taking_back(row: ConflictDeclaration | None) -> None:
    """A doubt that waits for a ruling is settled by the ruling, not by the person who has it."""
    if row is not None and row.declared == Declared.UNSURE.value and row.ruling is None:
        raise Refused(
            "You said you are unsure about one of these applications, and the programme manager has not ruled yet. "
            "Wait for the ruling; until then you can only declare a conflict. Nothing was changed."
        )


def _store(actor: Actor, row: ConflictDeclaration | None, answer: Answered) -> None:
    if row is None:
        row = ConflictDeclaration(user_id=actor.user_id, application_id=answer.application_id)
        db.session.add(row)
    row.declared, row.reason = answer.declared.value, answer.reason or None
    row.declared_at = acts.moment()
    # A new declaration opens the question again; what was ruled before stays in the audit record.
    row.ruling = row.ruling_reason = row.ruled_by = row.ruled_at = None


@act("conflict.rule", needs=Permission.CONFLICT_CONFIRM, scope=queries.declaration_scope)
def rule(actor: Actor, declaration_id: UUID, ruling: Ruling, reason: str, version: int | None = None) -> None:
    """Confirm a conflict, or clear a doubt or a declared conflict, with a reason. Nobody rules on their own."""
    row = locked(ConflictDeclaration, declaration_id)
    check_version(row, version)
    if row.user_id == actor.user_id:
        raise Refused("You cannot rule on your own declaration. Ask another programme manager.")
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; it is kept on the record."})
    acts.reason(words)
    row.ruling, row.ruling_reason = ruling.value, words
    row.ruled_by, row.ruled_at = actor.user_id, acts.moment()
    application = locked(Application, row.application_id)
    match ruling:
        case Ruling.CONFIRMED:
            _keep_away(row.user_id, application.id, words)
        case Ruling.CLEARED:
            people.lift_bar(row.user_id, "application", application.id)


def _keep_away(user_id: UUID | None, application_id: UUID, reason: str) -> None:
    """Bar a person from an application, and empty their seat on it.

    The bar has no end of its own: a day of results that moves later must not open anything early. A ruling lifts it.
    """
    assert user_id is not None, "the program itself declares nothing"
    people.bar(user_id, "application", application_id)
    seat = db.session.scalars(
        select(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == user_id,
        )
        .with_for_update(of=Assignment)
    ).one_or_none()
    if seat is not None:
        _void(seat, user_id, f"Conflict of interest: {reason}")


def _void(seat: Assignment, user_id: UUID, reason: str) -> None:
    """Empty a seat: the role ends, the sheet counts no more, a consensus already begun opens again."""
    SEAT.move(seat, "void")
    seat.voided_at, seat.void_reason = acts.moment(), reason
    people.end_role(user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=seat.application_id)
    row = _consensus_row(seat.application_id)
    if row is not None and row.state != ConsensusState.DRAFT.value:
        _reopen_consensus(row)


def _reopen_consensus(row: Consensus) -> None:
    CONSENSUS.move(row, "reopen")
    row.proposed_at = row.agreed_at = None
    row.agreed_by = []


# --- assignment -------------------------------------------------------------------------------------------------


@act("assignment.request", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.call_scope)
def request_run(actor: Actor, call_id: UUID, values: RunInput) -> UUID:
    """Ask for a run of the exact assignment; a job makes it. Returns the job's id."""
    _refuse_bad_run(values)
    if not queries.consortia(call_id):
        raise Refused("No application of this call is eligible yet. Assign evaluators after the eligibility check.")
    acts.subject("call", call_id)
    return jobs.queue(
        "jobs.evaluation.assign",
        subject=("call", call_id),
        call_id=str(call_id),
        seed=values.seed.strip(),
        due_at=values.due_at.isoformat() if values.due_at else None,
        keep_countries_apart=values.keep_countries_apart,
    )


def _refuse_bad_run(values: RunInput) -> None:
    if not values.seed.strip() or len(values.seed) > 100:
        raise Invalid("The seed is missing.", {"seed": "Write any word or number, at most 100 characters."})
    if values.due_at is not None and values.due_at <= acts.moment():
        raise Invalid("The deadline has passed.", {"due_on": "Choose a day after today, or leave it empty."})


@act("assignment.run", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.call_scope)
def run(actor: Actor, call_id: UUID, values: RunInput) -> RunResult:
    """Fill every empty seat of the call by the exact assignment; seats that stand stay.

    Kept as a run whether or not it could be solved. Run again with nothing changed it adds nothing.
    """
    jobs.progress(0, 3, "Reading applications, evaluators and declarations")
    call = calls.call_by_id(call_id)
    found = queries.consortia(call_id)
    members = queries.pool(call_id)
    instance = _instance(call, found, members, values)
    jobs.progress(1, 3, f"Finding the best of all assignments for {len(found)} applications")
    result = matching.assign(instance)
    number = 1 + (
        db.session.scalar(select(func.count()).select_from(AssignmentRun).where(AssignmentRun.call_id == call_id)) or 0
    )
    row = _run_row(call_id, number, instance, result, values)
    db.session.add(row)
    if isinstance(result, matching.Infeasible):
        jobs.progress(3, 3, "No assignment exists; the reasons are on the page")
        return RunResult(row.id, RunStatus.INFEASIBLE, 0, result.reasons)
    jobs.progress(2, 3, "Checking the proof and giving out the seats")
    assert matching.verify(instance, result) == (), "the certificate was checked pair by pair"
    by_id = {member.id: member for member in members}
    new = [pair for pair in result.pairs if pair not in instance.locked]
    for application_id, evaluator_id in new:
        utility = instance.utilities.get((application_id, evaluator_id), 0)
        _seat(application_id, by_id[evaluator_id], utility, values.due_at, run_id=row.id)
    _start_evaluation(found)
    _tell(call, [by_id[evaluator_id] for _, evaluator_id in new])
    jobs.progress(3, 3, "Done")
    return RunResult(row.id, RunStatus.SOLVED, len(new))


def _instance(
    call: CallView, found: Sequence[Consortium], members: Sequence[PoolMember], values: RunInput
) -> matching.Instance:
    stated = queries.declarations(one.application_id for one in found)
    locked_pairs = _standing(one.application_id for one in found)
    # Who lost a seat on an application does not get it again.
    lost = _pairs([one.application_id for one in found], SeatState.VOIDED)
    forbidden, utilities = set(), {}
    for one in found:
        for member in members:
            pair = (one.application_id, member.id)
            said = stated.get((member.user_id, one.application_id), (None, None))
            utilities[pair] = rules.utility(member, one, call.content.language)
            if pair in locked_pairs:
                continue
            if rules.why_not(member, one, *said, apart=values.keep_countries_apart) or pair in lost:
                forbidden.add(pair)
    return matching.Instance(
        tuple(matching.Subject(one.application_id, one.title) for one in found),
        tuple(matching.Seatholder(member.id, member.load_max, member.load_min, member.name) for member in members),
        call.content.evaluators_per_application,
        utilities,
        frozenset(forbidden),
        frozenset(locked_pairs),
        values.seed.strip(),
    )


def _standing(application_ids: Iterable[UUID]) -> set[matching.Pair]:
    return _pairs(application_ids, SeatState.ACTIVE)


def _pairs(application_ids: Iterable[UUID], state: SeatState) -> set[matching.Pair]:
    rows = db.session.execute(
        select(Assignment.application_id, Assignment.evaluator_id).where(
            Assignment.application_id.in_(list(application_ids)), Assignment.state == state.value
        )
    )
    return {(application_id, evaluator_id) for application_id, evaluator_id in rows}


def _run_row(
    call_id: UUID,
    number: int,
    instance: matching.Instance,
    result: matching.Matched | matching.Infeasible,
    values: RunInput,
) -> AssignmentRun:
    solved = isinstance(result, matching.Matched)
    return AssignmentRun(
        call_id=call_id,
        number=number,
        input_sha256=input_hash(instance),
        seed=instance.seed,
        settings={
            "per_application": instance.per_application,
            "keep_countries_apart": values.keep_countries_apart,
            "topic_worth": rules.TOPIC_WORTH,
            "language_worth": rules.LANGUAGE_WORTH,
        },
        status=(RunStatus.SOLVED if solved else RunStatus.INFEASIBLE).value,
        objective=result.total if isinstance(result, matching.Matched) else None,
        bound=result.bound if isinstance(result, matching.Matched) else None,
        reasons=[] if isinstance(result, matching.Matched) else list(result.reasons),
        certificate=_certificate(result),
        applications=len(instance.applications),
        evaluators=len(instance.evaluators),
        seats=len(result.pairs) if isinstance(result, matching.Matched) else 0,
        seats_new=len(result.pairs) - len(instance.locked) if isinstance(result, matching.Matched) else 0,
        pairs_priced=result.priced_pairs if isinstance(result, matching.Matched) else 0,
        rounds=result.rounds if isinstance(result, matching.Matched) else 0,
    )


def _certificate(result: matching.Matched | matching.Infeasible) -> dict[str, Any]:
    if isinstance(result, matching.Infeasible):
        return {}
    proof = result.certificate
    return {
        "applications": {str(key): value for key, value in proof.application_prices.items()},
        "evaluators": {str(key): value for key, value in proof.evaluator_prices.items()},
        "pool": proof.pool_price,
        "shift": proof.shift,
        "tie_bits": proof.tie_bits,
    }


def input_hash(instance: matching.Instance) -> bytes:
    """SHA-256 of everything the assignment depends on, the same for any order of it."""
    return rules.digest(
        {
            "applications": sorted(str(subject.id) for subject in instance.applications),
            "evaluators": sorted([str(person.id), person.load_min, person.load_max] for person in instance.evaluators),
            "per_application": instance.per_application,
            "utilities": sorted([str(a), str(e), value] for (a, e), value in instance.utilities.items()),
            "forbidden": sorted([str(a), str(e)] for a, e in instance.forbidden),
            "locked": sorted([str(a), str(e)] for a, e in instance.locked),
            "seed": instance.seed,
        }
    )


def _seat(
    application_id: UUID,
    member: PoolMember,
    utility: int,
    due_at: datetime | None,
    *,
    run_id: UUID | None = None,
    hand_reason: str | None = None,
) -> UUID:
    seat = Assignment(
        application_id=application_id,
        evaluator_id=member.id,
        run_id=run_id,
        state=SeatState.ACTIVE.value,
        utility=utility,
        due_at=due_at,
        hand_reason=hand_reason,
    )
    db.session.add(seat)
    people.give_role(member.user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=application_id)
    return seat.id


def _start_evaluation(found: Sequence[Consortium]) -> None:
    for one in found:
        application = locked(Application, one.application_id)
        if application.state == ApplicationState.ELIGIBLE.value:
            applications.move(application.id, "evaluate")


def _tell(call: CallView, members: Sequence[PoolMember]) -> None:
    """One mail for each evaluator with new seats, whatever their number."""
    counts: dict[UUID, int] = {}
    for member in members:
        counts[member.user_id] = counts.get(member.user_id, 0) + 1
    for user_id, count in sorted(counts.items()):
        people.mail([user_id], "assignment_made", "call", call.id, call_title=call.title, count=count)


@act("assignment.fill", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.application_scope)
def fill(actor: Actor, application_id: UUID, evaluator_id: UUID, reason: str, due_at: datetime | None = None) -> UUID:
    """Give an empty seat to an evaluator by hand: the same checks as the run, and a reason."""
    application = locked(Application, application_id)
    queries.refuse_closed(application)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why this evaluator, in a sentence."})
    call = calls.call_by_id(application.call_id)
    locked_pool = db.session.scalars(
        select(Evaluator).where(Evaluator.id == evaluator_id, Evaluator.call_id == call.id).with_for_update()
    ).one_or_none()
    member = next((one for one in queries.pool(call.id) if one.id == evaluator_id), None)
    if locked_pool is None or member is None:
        raise Invalid("Choose an evaluator.", {"evaluator": "Choose an evaluator of this call’s pool."})
    (about,) = queries.consortia(call.id, only=[application_id])
    why = rules.why_not(member, about, *queries.declaration_of(member.user_id, application_id), apart="no")
    if why:
        raise Refused(f"{why} Choose somebody else.")
    queries.refuse_conflict(member.user_id, application_id)
    rules.refuse_load(member)
    standing = _standing([application_id])
    if len(standing) >= call.content.evaluators_per_application:
        raise Refused(f"{application.reference} has all its evaluators ({len(standing)}). Void a seat first.")
    if (application_id, evaluator_id) in standing | _pairs([application_id], SeatState.VOIDED):
        raise Refused(f"{member.name} has or had a seat on {application.reference}. Choose somebody else.")
    acts.reason(words)
    utility = rules.utility(member, about, call.content.language)
    seat_id = _seat(application_id, member, utility, due_at, hand_reason=words)
    _start_evaluation([about])
    _tell(call, [member])
    return seat_id


@act("assignment.void", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.seat_scope)
def void(actor: Actor, seat_id: UUID, reason: str) -> None:
    """Empty a seat for another reason than a conflict (illness, silence); the evaluator loses access at once."""
    seat = locked(Assignment, seat_id)
    queries.refuse_closed(locked(Application, seat.application_id))
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why this seat is emptied; it is kept on the record."})
    acts.reason(words)
    _void(seat, locked(Evaluator, seat.evaluator_id).user_id, words)


# --- score sheets -----------------------------------------------------------------------------------------------


@act("assessment.save", needs=Permission.ASSESSMENT_SCORE, scope=queries.application_scope)
def save(actor: Actor, application_id: UUID, values: SheetInput, version: int | None = None) -> int:
    """Save a draft as it is, finished or not; returns the new version."""
    row, criteria, max_half = _own_sheet(actor, application_id, version)
    _write_marks(row, rules.tidy(values, criteria, max_half))
    db.session.flush()
    return row.version


@act("assessment.submit", needs=Permission.ASSESSMENT_SCORE, scope=queries.application_scope)
def submit(actor: Actor, application_id: UUID, values: SheetInput, version: int | None = None) -> None:
    """Submit the sheet: every criterion scored, and low scores with reasons. The others’ sheets open then."""
    row, criteria, max_half = _own_sheet(actor, application_id, version)
    sheet = rules.tidy(values, criteria, max_half)
    rules.refuse_unfinished(sheet, criteria)
    _write_marks(row, sheet)
    ASSESSMENT.move(row, "submit")
    row.submitted_at = acts.moment()


def _own_sheet(
    actor: Actor, application_id: UUID, version: int | None
) -> tuple[Assessment, tuple[Criterion, ...], int]:
    """The evaluator's own sheet, locked and open to be written; begun where there is none."""
    assert actor.user_id is not None
    queries.refuse_conflict(actor.user_id, application_id)
    application = locked(Application, application_id)
    queries.refuse_closed(application)
    seat = db.session.scalars(
        select(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
        )
        .with_for_update(of=Assignment)
    ).one_or_none()
    if seat is None:
        raise NotFound
    agreed = _consensus_row(application_id)
    if agreed is not None and agreed.state == ConsensusState.AGREED.value:
        raise Refused("The consensus is agreed; assessments of this application no longer change.")
    row = db.session.scalars(
        select(Assessment)
        .where(Assessment.assignment_id == seat.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        if version:
            raise Conflict("This sheet is no longer here. Reload the page to see what stands now.")
        row = Assessment(
            assignment_id=seat.id,
            state=AssessmentState.DRAFT.value,
            remark="",
            saved_at=acts.moment(),
            saves=0,
            submitted_at=None,
        )
        db.session.add(row)
    else:
        check_version(row, version)
        if row.state != AssessmentState.DRAFT.value:
            raise Refused(
                "You have submitted this assessment; it no longer changes. Ask the programme manager to reopen it."
            )
    call = calls.call_by_id(application.call_id)
    return row, call.content.criteria, call.content.max_half


def _write_marks(row: Assessment, sheet: SheetInput) -> None:
    stored = {
        score.criterion: score
        for score in db.session.scalars(select(AssessmentScore).where(AssessmentScore.assessment_id == row.id))
    }
    for mark in sheet.marks:
        score = stored.get(mark.criterion)
        if score is None:
            db.session.add(
                AssessmentScore(assessment_id=row.id, criterion=mark.criterion, half=mark.half, comment=mark.comment)
            )
        else:
            score.half, score.comment = mark.half, mark.comment
    row.remark, row.saved_at = sheet.remark, acts.moment()
    row.saves += 1


@act("assessment.reopen", needs=Permission.ASSIGNMENT_DECIDE, scope=queries.seat_scope)
def reopen(actor: Actor, seat_id: UUID, reason: str) -> None:
    """Give a submitted sheet back to its evaluator, with a reason, as long as the consensus is not agreed."""
    seat = locked(Assignment, seat_id)
    queries.refuse_closed(locked(Application, seat.application_id))
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why the assessment is reopened."})
    row = db.session.scalars(
        select(Assessment).where(Assessment.assignment_id == seat_id).with_for_update()
    ).one_or_none()
    if row is None or seat.state != SeatState.ACTIVE.value:
        raise Refused("There is no submitted assessment on this seat.")
    consensus = _consensus_row(seat.application_id)
    if consensus is not None and consensus.state == ConsensusState.AGREED.value:
        raise Refused("The consensus is agreed; assessments of this application no longer change.")
    acts.reason(words)
    ASSESSMENT.move(row, "reopen")
    row.submitted_at = None
    if consensus is not None and consensus.state == ConsensusState.PROPOSED.value:
        _reopen_consensus(consensus)


# --- consensus --------------------------------------------------------------------------------------------------


@act("consensus.write", needs=Permission.CONSENSUS_WRITE, scope=queries.application_scope)
def write_consensus(actor: Actor, application_id: UUID, values: SheetInput, version: int | None = None) -> int:
    """Save the consensus as a draft; returns its new version."""
    row, criteria, max_half = _open_consensus(actor, application_id, version)
    _write_consensus(actor, row, rules.tidy(values, criteria, max_half))
    db.session.flush()
    return row.version


@act("consensus.propose", needs=Permission.CONSENSUS_WRITE, scope=queries.application_scope)
def propose(actor: Actor, application_id: UUID, values: SheetInput, version: int | None = None) -> None:
    """Put the consensus to the evaluators: every criterion scored, low scores with reasons, a text."""
    row, criteria, max_half = _open_consensus(actor, application_id, version)
    sheet = rules.tidy(values, criteria, max_half)
    rules.refuse_unfinished(sheet, criteria)
    if not sheet.remark:
        raise Invalid(
            "The text is missing.", {"remark": "Write what the evaluators agreed on, for the applicant to read."}
        )
    _write_consensus(actor, row, sheet)
    CONSENSUS.move(row, "propose")
    row.proposed_at = acts.moment()
    others = [user_id for user_id in queries.seat_people(application_id) if user_id != actor.user_id]
    people.mail(others, "assignment_consensus", "application", application_id, reference=_reference(application_id))


def _open_consensus(
    actor: Actor, application_id: UUID, version: int | None
) -> tuple[Consensus, tuple[Criterion, ...], int]:
    """The consensus, locked and in draft, begun where there is none; only when every assessment is in."""
    application = _refuse_reading(actor, application_id)
    call = calls.call_by_id(application.call_id)
    _refuse_incomplete(application, call.content.evaluators_per_application)
    row = _consensus_row(application_id)
    if row is None:
        if version:
            raise Conflict("This consensus is no longer here. Reload the page to see what stands now.")
        row = Consensus(
            application_id=application_id,
            state=ConsensusState.DRAFT.value,
            text="",
            written_by=actor.user_id,
            saved_at=acts.moment(),
            saves=0,
            agreed_by=[],
        )
        db.session.add(row)
    else:
        check_version(row, version)
        if row.state != ConsensusState.DRAFT.value:
            raise Refused(
                "This consensus is with the evaluators. Take it back before you change it."
                if row.state == ConsensusState.PROPOSED.value
                else "This consensus is agreed; it no longer changes."
            )
    return row, call.content.criteria, call.content.max_half


def _refuse_reading(actor: Actor, application_id: UUID) -> Application:
    """The application, locked, for somebody who leads its consensus: declared free of conflict, still in evaluation."""
    assert actor.user_id is not None
    declared, _ = queries.declaration_of(actor.user_id, application_id)
    if declared is None:
        raise NotAllowed("Declare first whether you have a conflict of interest with this application.")
    queries.refuse_conflict(actor.user_id, application_id)
    application = locked(Application, application_id)
    queries.refuse_closed(application)
    return application


def _refuse_incomplete(application: Application, per_application: int) -> None:
    seats = db.session.execute(
        select(Assignment.id, Assessment.state)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id == application.id, Assignment.state == SeatState.ACTIVE.value)
    ).all()
    submitted = sum(state == AssessmentState.SUBMITTED.value for _, state in seats)
    if submitted < per_application:
        raise Refused(
            f"{application.reference} has {submitted} submitted {'assessment' if submitted == 1 else 'assessments'}; "
            f"{per_application} are needed before the consensus. Wait for the others, or fill an empty seat."
        )


def _consensus_row(application_id: UUID) -> Consensus | None:
    return db.session.scalars(
        select(Consensus)
        .where(Consensus.application_id == application_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _write_consensus(actor: Actor, row: Consensus, sheet: SheetInput) -> None:
    stored = {
        score.criterion: score
        for score in db.session.scalars(select(ConsensusScore).where(ConsensusScore.consensus_id == row.id))
    }
    for mark in sheet.marks:
        score = stored.get(mark.criterion)
        if score is None:
            db.session.add(
                ConsensusScore(consensus_id=row.id, criterion=mark.criterion, half=mark.half, comment=mark.comment)
            )
        else:
            score.half, score.comment = mark.half, mark.comment
    assert actor.user_id is not None
    row.text, row.written_by, row.saved_at = sheet.remark, actor.user_id, acts.moment()
    row.saves += 1


@act("consensus.take_back", needs=Permission.CONSENSUS_WRITE, scope=queries.application_scope)
def take_back(actor: Actor, application_id: UUID) -> None:
    """Take a proposed consensus back to change it; agreements given to the old words no longer count."""
    _refuse_reading(actor, application_id)
    row = _consensus_row(application_id)
    if row is None:
        raise NotFound
    CONSENSUS.move(row, "take_back")
    row.proposed_at, row.agreed_by = None, []


@act("consensus.agree", needs=Permission.CONSENSUS_AGREE, scope=queries.application_scope)
def agree(actor: Actor, application_id: UUID, version: int | None = None) -> ConsensusState:
    """An evaluator agrees to the words and scores as shown; with the last of them the consensus stands."""
    assert actor.user_id is not None
    queries.refuse_conflict(actor.user_id, application_id)
    row = _consensus_row(application_id)
    seated = queries.seat_people(application_id)
    if row is None or actor.user_id not in seated:
        raise NotFound
    check_version(row, version)
    if row.state != ConsensusState.PROPOSED.value:
        raise Refused("This consensus is not with the evaluators now. Reload the page to see what stands.")
    if any(entry["user_id"] == str(actor.user_id) for entry in row.agreed_by):
        raise Refused("You have agreed to this consensus already.")
    row.agreed_by = [*row.agreed_by, {"user_id": str(actor.user_id), "at": acts.moment().isoformat()}]
    if {UUID(entry["user_id"]) for entry in row.agreed_by} >= set(seated):
        _settle(row)
    return ConsensusState(row.state)


def _settle(row: Consensus) -> None:
    CONSENSUS.move(row, "settle")
    row.agreed_at = acts.moment()


@act("consensus.settle", needs=Permission.CONSENSUS_WRITE, scope=queries.application_scope)
def settle(actor: Actor, application_id: UUID, minority_view: str, version: int | None = None) -> None:
    """Close a consensus that not everybody agrees to: the view that remains is recorded beside it."""
    application = _refuse_reading(actor, application_id)
    row = _consensus_row(application_id)
    if row is None:
        raise NotFound
    check_version(row, version)
    words = clean_text(minority_view)
    if not words:
        raise Invalid(
            "The view that remains is missing.", {"minority_view": "Write what the others hold, in their own words."}
        )
    if len(row.agreed_by) * 2 <= len(queries.seat_people(application.id)):
        raise Refused(
            f"{len(row.agreed_by)} of {len(queries.seat_people(application.id))} evaluators have agreed; more than half must, "
            "before a minority view can be recorded."
        )
    row.minority_view = words
    acts.reason(words)
    _settle(row)


def _reference(application_id: UUID) -> str:
    return locked(Application, application_id).reference
