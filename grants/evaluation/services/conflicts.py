"""Acts of declaring conflicts and ruling on them; a conflict bars at once and empties a seat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import among, check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, ConflictDeclaration, Consensus, Evaluator, EvaluatorWish
from grants.evaluation.rules import Answered, AnsweredEntity, Doubted
from grants.evaluation.services.consensus import reopen_consensus
from grants.evaluation.services.entities import declare_entities
from grants.evaluation.services.seats import void_seat
from grants.evaluation.states import ConsensusState, Declared, Ruled, Ruling, SeatState
from grants.identity import services as people


@act(
    "conflict.declare",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="answered about conflicts of interest with {subject}",
)
def declare(actor: Actor, call_id: UUID, answers: tuple[Answered, ...], entities: tuple[AnsweredEntity, ...]) -> int:
    """Store what the person declares about applications of a call and organisations in them; returns how many
    applications they now stand in conflict with.

    A conflict bars the person from the application at once and empties a seat they had on it; one with an organisation
    does so for each application it takes part in. An answer about an application is one about it alone: an organisation
    that is not answered for stays open, and with it the application stays shut.
    """
    assert actor.user_id is not None, "the program itself declares nothing"
    allowed = queries.may_declare(actor, call_id)
    given, about = rules.clean_answers(answers, entities)
    if any(answer.application_id not in allowed for answer in given):
        raise NotFound
    declare_entities(actor, call_id, allowed, about)
    follows = rules.said_of_applications(queries.doubted_by(actor.user_id, allowed))
    stored = _declarations_of(actor.user_id, {answer.application_id for answer in given} | follows.keys())
    _refuse_overtaken(actor.user_id, call_id, given, stored)
    conflicts = 0
    for answer in rules.with_entities(given, follows, _values(stored)):
        row = stored.get(answer.application_id)
        if answer.wish is not None:
            _store_wish(actor, call_id, row, answer)
        if row is not None and not _says_more(row, answer, follows=answer.application_id in follows):
            continue
        if answer.declared is Declared.NONE:
            _refuse_taking_back(row)
        if answer.declared is not Declared.CONFLICT:
            _refuse_late_change(row)
        _store(actor.user_id, row, answer)
        if answer.declared is Declared.CONFLICT:
            conflicts += 1
            keep_away(call_id, {(actor.user_id, answer.application_id): answer.reason})
    return conflicts


def carry_entities(call_id: UUID) -> int:
    """Write on the applications of a call what people said of organisations that take part in them now.

    An entry of the register joined with another, or a new partner: nobody declares anything, and yet a conflict empties
    the seat and a doubt waits for its ruling. Returns how many pairs are newly kept apart. Whoever takes part in an
    application themselves is kept from judging it by that, and reads on.
    """
    bound = queries.takes_part(call_id)
    said: dict[UUID, list[Doubted]] = defaultdict(list)
    for each in queries.doubted(Application.call_id == call_id, Application.state.in_(queries.IN_EVALUATION)):
        if each.follows and (each.user_id, each.application_id) not in bound:
            said[each.user_id].append(each)
    reasons: dict[tuple[UUID, UUID], str] = {}
    for user_id, doubts in said.items():
        follows = rules.said_of_applications(doubts)
        stored = _declarations_of(user_id, follows.keys())
        for answer in rules.with_entities((), follows, _values(stored)):
            row = stored.get(answer.application_id)
            if row is not None and not _says_more(row, answer, follows=True):
                continue
            _store(user_id, row, answer)
            if answer.declared is Declared.CONFLICT:
                reasons[user_id, answer.application_id] = answer.reason
    if reasons:
        keep_away(call_id, reasons)
    return len(reasons)


def _refuse_overtaken(
    user_id: UUID, call_id: UUID, given: Collection[Answered], stored: Mapping[UUID, ConflictDeclaration]
) -> None:
    """Raise :class:`Conflict` where another window answered since the page was made that an answer was given on."""
    kept = (
        select(EvaluatorWish.application_id, EvaluatorWish.wish)
        .join(Evaluator, Evaluator.id == EvaluatorWish.evaluator_id)
        .where(Evaluator.call_id == call_id, Evaluator.user_id == user_id)
        .with_for_update(of=EvaluatorWish)
    )
    wishes = {row.application_id: row.wish for row in db.session.execute(kept)}
    values = _values(stored)
    for answer in given:
        before, ruling = values.get(answer.application_id, (None, None))
        wish = wishes.get(answer.application_id, 0)
        declared, reason = (before.declared, before.reason) if before else (None, "")
        now = rules.application_mark(declared, ruling, reason, wish)
        # A wish that is not shown is none that stands.
        said = answer.mark(wish if rules.stands_clear(declared, ruling) else 0)
        rules.refuse_overtaken(answer.over, now, said)


def _is_clear(row: ConflictDeclaration) -> bool:
    return rules.stands_clear(Declared(row.declared), Ruling(row.ruling) if row.ruling else None)


def _values(rows: Mapping[UUID, ConflictDeclaration]) -> dict[UUID, tuple[Answered, Ruling | None]]:
    return {
        key: (Answered(key, Declared(row.declared), row.reason or ""), Ruling(row.ruling) if row.ruling else None)
        for key, row in rows.items()
    }


def _says_more(row: ConflictDeclaration, answer: Answered, *, follows: bool) -> bool:
    """Whether an answer differs from what stands; what follows from an organisation does once a ruling covers it no more."""
    return (row.declared, row.reason or "") != (answer.declared.value, answer.reason) or (
        follows and row.ruling is not None
    )


def _store_wish(actor: Actor, call_id: UUID, declared: ConflictDeclaration | None, answer: Answered) -> None:
    """Keep how gladly somebody would assess an application about which they have declared no conflict before."""
    if declared is None or not _is_clear(declared) or answer.declared is not Declared.NONE:
        raise Invalid(
            "A wish came too early.",
            {f"wish_{answer.application_id}": "Declare first that you have no conflict; then say what you wish."},
        )
    member = db.session.scalar(
        select(Evaluator.id).where(Evaluator.call_id == call_id, Evaluator.user_id == actor.user_id)
    )
    if member is None:
        raise NotFound
    row = db.session.scalars(
        select(EvaluatorWish).where(
            EvaluatorWish.evaluator_id == member, EvaluatorWish.application_id == answer.application_id
        )
    ).one_or_none()
    wish = answer.wish or 0
    if row is None and not wish:
        return
    if row is None:
        row = EvaluatorWish(evaluator_id=member, application_id=answer.application_id)
        db.session.add(row)
    row.wish = wish


@act(
    "conflict.declare_in_office",
    needs=Permission.CONFLICT_DECLARE_IN_OFFICE,
    scope=queries.application_of_call_scope,
    says="declared a conflict of interest with {subject}",
)
def declare_in_office(actor: Actor, application_id: UUID, reason: str) -> None:
    """An officer has a conflict with an application: from now on it is not there for them, and somebody else decides.

    What they said before of an organisation in it, and nobody settled, stands beside their words: whoever rules on the
    conflict rules on that as well.
    """
    assert actor.user_id is not None, "the program itself declares nothing"
    said = rules.clean_declaration(Answered(application_id, Declared.CONFLICT, reason))
    follows = rules.said_of_applications(queries.doubted_by(actor.user_id, [application_id]))
    # Said anew here, whatever was ruled on the same words before.
    (answer,) = rules.with_entities([said], follows, {})
    _store(actor.user_id, _declarations_of(actor.user_id, [application_id]).get(application_id), answer)
    keep_away(locked(Application, application_id).call_id, {(actor.user_id, application_id): answer.reason})


def _declarations_of(user_id: UUID, application_ids: Collection[UUID]) -> dict[UUID, ConflictDeclaration]:
    """What this person declared, by application, under lock."""
    rows = db.session.scalars(
        select(ConflictDeclaration)
        .where(ConflictDeclaration.user_id == user_id, ConflictDeclaration.application_id.in_(application_ids))
        .order_by(ConflictDeclaration.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.application_id: row for row in rows}


def _refuse_taking_back(row: ConflictDeclaration | None) -> None:
    """A doubt that waits for a ruling is settled by the ruling, not by the person who has it."""
    if row is not None and row.declared == Declared.UNSURE.value and row.ruling is None:
        raise Refused(
            "You said you are unsure about one of these applications, and the programme manager has not ruled yet. "
            "Wait for the ruling; until then you can only declare a conflict. Nothing was changed."
        )


def _refuse_late_change(row: ConflictDeclaration | None) -> None:
    """Once a list was decided, a conflict that stands ends by a ruling alone: the bar may have ended with the results.

    An application whose evaluation is repeated after a complaint is in evaluation once more, and its results stay public.
    """
    if row is None or row.ruling == Ruling.CLEARED.value:
        return
    if row.declared != Declared.CONFLICT.value and row.ruling != Ruling.CONFIRMED.value:
        return
    application = locked(Application, row.application_id)
    call = db.session.get_one(Call, application.call_id)
    if application.state not in queries.IN_EVALUATION or call.results_public_at is not None:
        raise Refused(
            f"You declared a conflict with {application.reference}, and its list is decided. "
            "Only a ruling of the programme manager ends it. Nothing was changed."
        )


def _store(user_id: UUID, row: ConflictDeclaration | None, answer: Answered) -> None:
    if row is None:
        row = ConflictDeclaration(user_id=user_id, application_id=answer.application_id)
        db.session.add(row)
    row.declared, row.reason = answer.declared.value, answer.reason or None
    row.declared_at = acts.moment()
    # A new declaration opens the question again; what was ruled before stays in the audit record.
    row.ruling = row.ruling_reason = row.ruled_by = row.ruled_at = None


@act(
    "conflict.rule",
    needs=Permission.CONFLICT_CONFIRM,
    scope=queries.declaration_scope,
    says="ruled on a conflict of interest with {subject}",
)
def rule(actor: Actor, declaration_id: UUID, ruling: Ruling, reason: str, version: int | None = None) -> Ruled:
    """Confirm a conflict, or clear a doubt or a declared conflict, with a reason. Nobody rules on their own.

    A ruling that comes after the evaluation is recorded and bars; the record of the evaluation stands as it was.
    """
    row = locked(ConflictDeclaration, declaration_id)
    check_version(row, version)
    faults.point("four_eyes")
    if row.user_id == actor.user_id:
        raise Refused("You cannot rule on your own declaration. Ask another programme manager.")
    refuse_in_conflict(actor, row.application_id)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; it is kept on the record."})
    acts.reason(words)
    row.ruling, row.ruling_reason = ruling.value, words
    row.ruled_by, row.ruled_at = actor.user_id, acts.moment()
    application = locked(Application, row.application_id)
    match ruling:
        case Ruling.CONFIRMED:
            return keep_away(application.call_id, {(row.user_id, application.id): words})
        case Ruling.CLEARED:
            if not queries.found_conflict(row.user_id, application.id):
                people.lift_bar(row.user_id, "application", application.id)
            return Ruled.NOTHING_MORE


def refuse_in_conflict(actor: Actor, application_id: UUID) -> None:
    """Who may come near an application is decided by nobody in conflict with it, whatever became of the bar."""
    if actor.user_id is not None and queries.has_conflict(actor.user_id, application_id):
        raise NotFound


def keep_away(
    call_id: UUID, reasons: Mapping[tuple[UUID, UUID], str], unbarred: Collection[tuple[UUID, UUID]] = ()
) -> Ruled:
    """Bar each (person, application) until the results of the call are public, empty the seats, reopen what they wrote.

    Only while an application is in evaluation can a seat be filled and a consensus agreed anew: afterwards both are the
    record of how it was decided. ``unbarred`` are people with an application of their own: they read it, and judge
    nothing of it.

    Before results are published the bar has no end; the act that publishes them gives it one, or moves it. The call
    is locked here and there, so that no bar is made in between.
    """
    results_public_at = calls.results_public_at(call_id)
    if results_public_at is None or results_public_at > acts.moment():
        people.bar_all("application", sorted(reasons.keys() - set(unbarred)), until=results_public_at)
    concerned = {**dict.fromkeys(unbarred, "Takes part in this application"), **reasons}
    followed = [_empty_seat(seat, user_id, concerned) for seat, user_id in _seats_of(call_id, concerned)]
    followed += [_reopen_written(row) for row in _written_by(call_id, concerned)]
    for each in (Ruled.SEAT_EMPTIED, Ruled.RECORD_STANDS, Ruled.CONSENSUS_REOPENED):
        if each in followed:
            return each
    return Ruled.NOTHING_MORE


def _seats_of(call_id: UUID, pairs: Collection[tuple[UUID, UUID]]) -> list[tuple[Assignment, UUID]]:
    """The active seats of these people on these applications, under lock; their applications first, as whoever changes a seat does."""
    standing = (
        Evaluator.call_id == call_id,
        Evaluator.user_id.in_({user_id for user_id, _ in pairs}),
        Assignment.state == SeatState.ACTIVE.value,
        among(Assignment.application_id, {application_id for _, application_id in pairs}),
    )
    seated = select(Assignment.application_id).join(Evaluator, Evaluator.id == Assignment.evaluator_id).where(*standing)
    held = select(Application.id).where(Application.id.in_(seated)).order_by(Application.reference)
    db.session.execute(held.with_for_update(of=Application)).all()
    rows = db.session.execute(
        select(Assignment, Evaluator.user_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(*standing)
        .order_by(Assignment.id)
        .with_for_update(of=Assignment)
    )
    return [(seat, user_id) for seat, user_id in rows if (user_id, seat.application_id) in pairs]


def _empty_seat(seat: Assignment, user_id: UUID, reasons: Mapping[tuple[UUID, UUID], str]) -> Ruled:
    if locked(Application, seat.application_id).state not in queries.IN_EVALUATION:
        return Ruled.RECORD_STANDS
    void_seat(seat, user_id, f"Conflict of interest: {reasons[user_id, seat.application_id]}")
    return Ruled.SEAT_EMPTIED


def _written_by(call_id: UUID, pairs: Collection[tuple[UUID, UUID]]) -> list[Consensus]:
    """What these people wrote as the consensus on these applications and is still with the evaluators, under lock.

    One that is agreed is the evaluators’ own word: who leads it adds no score.
    """
    rows = db.session.scalars(
        select(Consensus)
        .join(Application, Application.id == Consensus.application_id)
        .where(
            Application.call_id == call_id,
            Application.state.in_(queries.IN_EVALUATION),
            Consensus.written_by.in_({user_id for user_id, _ in pairs}),
            Consensus.state == ConsensusState.PROPOSED.value,
        )
        .order_by(Consensus.id)
        .with_for_update(of=Consensus)
        .execution_options(populate_existing=True)
    )
    return [row for row in rows if (row.written_by, row.application_id) in pairs]


def _reopen_written(row: Consensus) -> Ruled:
    """Somebody else leads this consensus: its words are a draft again, and nobody has agreed to them."""
    reopen_consensus(row)
    return Ruled.CONSENSUS_REOPENED
