"""Acts on conflicts of interest the program found: looking, and what a person decides about a proposal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls.services import look_for_conflicts
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries
from grants.evaluation.models import DetectedConflict
from grants.evaluation.rules import Detected, is_conflict, version_of
from grants.evaluation.rules.detecting import Found
from grants.evaluation.services.conflicts import carry_entities, keep_away, refuse_in_conflict
from grants.evaluation.states import DETECTED, DetectedKind, DetectedState, Ruled, Ruling
from grants.identity import services as people


@act("conflict.ask_to_look", needs=Permission.CONFLICT_DETECT, says="asked for conflicts of interest to be looked for")
def ask_to_look(actor: Actor, organisation_id: UUID | None = None) -> int:
    """Ask for every call in which somebody may still decide to be looked through; returns how many."""
    found = queries.calls_looked_at(organisation_id)
    for call_id in found:
        look_for_conflicts(call_id)
    return len(found)


@act(
    "conflict.detect",
    needs=Permission.CONFLICT_DETECT,
    scope=queries.call_scope,
    says="looked for conflicts of interest in {subject}",
)
def detect(actor: Actor, call_id: UUID) -> Detected:
    """Look the call through: certain facts keep people away at once, the others wait for a person.

    What was decided stands, but for what nobody may dismiss, and for advice and memberships: dismissed after one had ended,
    it holds again once it is so again. A proposal whose fact is no longer so goes; a certain one stays until a person dismisses it.
    What people said of organisations is carried to the applications these are in by now. That somebody competes follows from the application they take part in, and goes with it.
    """
    found = {each.key: each for each in queries.look(call_id).found}
    standing, bound = queries.standing_detections(call_id), queries.takes_part(call_id)
    kept_away: dict[tuple[UUID, UUID], str] = {}
    proposed = gone = 0
    for key, each in found.items():
        row = standing.get(key) or _kept(each)
        if _dismissed_too_long(row, each):
            row.decided_by = row.decided_at = row.decision_reason = None
            DETECTED.move(row, "find_again")
        if row.decided_by is None and row.evidence != each.evidence:
            # What a person decided about keeps the sentence they read; every other fact is told as it is now.
            row.evidence = each.evidence
        if row.state == DetectedState.GONE.value:
            DETECTED.move(row, "find_again")
        if _held_too_much(row, each):
            _lose(row)
            DETECTED.move(row, "find_again")
        if row.state == DetectedState.PROPOSED.value:
            if each.is_certain:
                DETECTED.move(row, "confirm")
                if each.kind is not DetectedKind.OWN_APPLICATION:
                    kept_away.setdefault((each.user_id, each.application_id), each.evidence)
            elif key not in standing:
                proposed += 1
    for key, row in standing.items():
        if key in found:
            continue
        if row.state == DetectedState.PROPOSED.value or (_follows(row) and not _is_bound(row, bound)):
            _lose(row)
            gone += 1
    own = {(each.user_id, each.application_id) for each in found.values() if each.kind is DetectedKind.OWN_APPLICATION}
    keep_away(call_id, {pair: words for pair, words in kept_away.items() if pair not in own}, own)
    carried = carry_entities(call_id)
    return Detected(proposed, len(kept_away.keys() | own) + carried, gone)


def _held_too_much(row: DetectedConflict, each: Found) -> bool:
    """Whether the program alone confirmed what proves nothing (any more): a person decides about it."""
    return row.state == DetectedState.CONFIRMED.value and row.decided_by is None and not each.is_certain


def _dismissed_too_long(row: DetectedConflict, each: Found) -> bool:
    """Whether what was over when a person dismissed what follows from it has begun again: a part in an application, an advice, a membership."""
    if row.state != DetectedState.DISMISSED.value or not each.is_certain:
        return False
    anew = each.since is not None and row.decided_at is not None and each.since > row.decided_at
    return anew or not each.kind.may_be_dismissed


def _follows(row: DetectedConflict) -> bool:
    """Whether it keeps the person away only because they take part in another application: no person confirmed it."""
    confirmed = row.state == DetectedState.CONFIRMED.value and row.decided_by is None
    return row.kind == DetectedKind.COMPETING_APPLICATION.value and confirmed


def _is_bound(row: DetectedConflict, bound: Collection[tuple[UUID, UUID]]) -> bool:
    """Whether the person of a competing application still takes part in another application."""
    return any(user_id == row.user_id and one != row.application_id for user_id, one in bound)


def _lose(row: DetectedConflict) -> None:
    """A fact is no longer so; the person comes near the application again unless something else keeps them away."""
    held = row.state == DetectedState.CONFIRMED.value
    DETECTED.move(row, "lose")
    db.session.flush()
    pair = (row.user_id, row.application_id)
    if held and not queries.found_conflict(*pair) and not is_conflict(*queries.told_of(*pair)):
        people.lift_bar(row.user_id, "application", row.application_id)


def _kept(each: Found) -> DetectedConflict:
    row = DetectedConflict(
        user_id=each.user_id,
        application_id=each.application_id,
        organisation_id=each.organisation_id,
        kind=each.kind.value,
        evidence=each.evidence,
        state=DetectedState.PROPOSED.value,
        found_at=acts.moment(),
    )
    db.session.add(row)
    return row


@act(
    "conflict.decide_detected",
    needs=Permission.CONFLICT_CONFIRM,
    scope=queries.application_of_call_scope,
    says="decided about a possible conflict of interest with {subject}",
)
def decide_detected(
    actor: Actor, application_id: UUID, user_id: UUID, ruling: Ruling, reason: str, version: int | None = None
) -> Ruled:
    """Confirm or dismiss all that was found between a person and an application, with a reason. Nobody decides on their own."""
    faults.point("four_eyes")
    if user_id == actor.user_id:
        raise Refused("You cannot decide about yourself. Ask another programme manager.")
    refuse_in_conflict(actor, application_id)
    rows = _found_between(user_id, application_id)
    if not rows:
        raise NotFound
    if version is not None and version != version_of(rows):
        raise Conflict("Somebody decided or something was found meanwhile. Reload the page to see what stands now.")
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; it is kept on the record."})
    acts.reason(words)
    application = locked(Application, application_id)
    match ruling:
        case Ruling.CONFIRMED:
            _decide(actor, rows, "confirm", words)
            # Who takes part in one application under another account competes with the others.
            look_for_conflicts(application.call_id)
            return keep_away(application.call_id, {(user_id, application_id): words})
        case Ruling.CLEARED:
            _refuse_dismissing(rows, application)
            _decide(actor, rows, "dismiss", words)
            _let_go_of_competing(application.call_id, user_id)
            if not is_conflict(*queries.told_of(user_id, application_id)):
                people.lift_bar(user_id, "application", application_id)
            return Ruled.NOTHING_MORE


def _found_between(user_id: UUID, application_id: UUID) -> Sequence[DetectedConflict]:
    return db.session.scalars(
        select(DetectedConflict)
        .where(
            DetectedConflict.user_id == user_id,
            DetectedConflict.application_id == application_id,
            DetectedConflict.state != DetectedState.GONE.value,
        )
        .order_by(DetectedConflict.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _refuse_dismissing(rows: Sequence[DetectedConflict], application: Application) -> None:
    for row in rows:
        if not DetectedKind(row.kind).may_be_dismissed and not _has_ended(row, application):
            raise Refused(
                "Who takes part in an application of this call judges neither it nor those it competes with; "
                "that cannot be dismissed. End their part in the application, if it was named in error."
            )


def _has_ended(row: DetectedConflict, application: Application) -> bool:
    """Whether the part in an application that it follows from is over."""
    if row.kind == DetectedKind.OWN_APPLICATION.value:
        return application.id not in queries.acts_for(row.user_id, application.call_id)
    return not _is_bound(row, queries.takes_part(application.call_id, row.user_id))


def _let_go_of_competing(call_id: UUID, user_id: UUID) -> None:
    """Who takes part in no application of the call any more competes with none."""
    db.session.flush()
    bound = queries.takes_part(call_id, user_id)
    for row in queries.standing_detections(call_id, user_id).values():
        if _follows(row) and not _is_bound(row, bound):
            _lose(row)


def _decide(actor: Actor, rows: Sequence[DetectedConflict], verb: str, words: str) -> None:
    moved = [row for row in rows if verb in DETECTED.allowed(DetectedState(row.state))]
    for row in moved:
        DETECTED.move(row, verb)
    # What stood so before keeps who decided it and why, unless the decision is about nothing else.
    for row in moved or rows:
        row.decided_by, row.decided_at, row.decision_reason = actor.user_id, acts.moment(), words
