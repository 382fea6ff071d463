"""Acts by which a published call changes: a working copy, published as a corrigendum or as corrected wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call, CallOneExtension, CallVersion, CallWorkingCopy
from grants.calls.rules import (
    ELSEWHERE,
    FIELDS,
    NOT_FOUND,
    CallSummary,
    Change,
    CorrigendumInput,
    DeadlineDecision,
    Sourced,
    VersionKind,
)
from grants.calls.services.conflicts import look_for_conflicts
from grants.calls.services.drawing import fix_seed
from grants.calls.services.expert_terms import take_terms
from grants.calls.services.keeping import add_deadline, parent_rules_of, summary, take_over
from grants.calls.states import CallState
from grants.core import acts, encoding, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Problem, Problems, Refused
from grants.core.permissions import Actor, Permission

# The job that moves open drafts and tells their teams; its acts belong to the stage that owns them.
CORRIGENDUM_JOB = "jobs.calls.corrigendum_published"

# --- the working copy -----------------------------------------------------------------------------------------------


@act(
    "call.edit_copy",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="edited the working copy of call {subject}",
)
def edit_copy(actor: Actor, call_id: UUID, path: str, text: str, *, version: int | None = None) -> CallSummary:
    """Set one value of the working copy from the YAML of its form; nobody outside sees it before it is published."""
    call = _changeable(call_id, version)
    if path not in FIELDS or path in ELSEWHERE:
        raise NotFound
    fields = _copied(call)
    fields[path] = rules.edited(fields.get(path, NOT_FOUND), rules.read_value(path, text))
    _keep_copy(call, fields)
    acts.reason(FIELDS[path].label)
    return summary(call, (f"“{FIELDS[path].label}” is saved in the working copy. The public call is as it was.",))


@act(
    "call.replace_copy",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="brought a file into the working copy of call {subject}",
)
def replace_copy(actor: Actor, call_id: UUID, text: str, *, version: int | None = None) -> CallSummary:
    """Take every value of a call file of the same call into the working copy; raises Problems with all that is wrong.

    What the file leaves out because it came from the template stays as it is. Deadlines and documents have pages of
    their own, so those of the file are passed over.
    """
    call = _changeable(call_id, version)
    file = rules.read_call_file(text)
    theirs = file.value("call.id")
    if theirs != call.published_id and not (theirs is None and file.value("call.title") == call.title):
        said = f"is {theirs or 'left out'}, but this call is {call.published_id or call.title}. Choose its own file."
        raise Problems("Nothing was taken over.", [Problem("call.id", said)])
    standing = rules.from_json(call.content)
    fields = {
        path: standing[path]
        if file.fields.get(path, NOT_FOUND).value is None and standing.get(path, NOT_FOUND).from_template
        else file.fields.get(path, NOT_FOUND)
        for path in FIELDS
        if path not in ELSEWHERE
    }
    _keep_copy(call, fields)
    number = len(rules.changes(standing, fields))
    return summary(call, (f"The file is in the working copy: {number} differences from what is published.",))


@act(
    "call.discard_copy",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="discarded the working copy of call {subject}",
)
def discard_copy(actor: Actor, call_id: UUID, *, version: int | None = None) -> CallSummary:
    """Discard the working copy; the call stays as it is published."""
    call = locked(Call, call_id)
    check_version(call, version)
    row = queries.copy_row(call.id)
    if row is None:
        raise Refused("There is no working copy; the call is as it is published.")
    db.session.delete(row)
    call.version += 1
    return summary(call, ("The working copy is gone. The call is as it is published.",))


def _changeable(call_id: UUID, version: int | None) -> Call:
    """The locked call, if it is published and not closed yet."""
    call = locked(Call, call_id)
    check_version(call, version)
    last = queries.last_deadline(call.id)
    closes_at = last.closes_at if last is not None else None
    rules.refuse_changed_after_closing(CallState(call.state), closes_at, call.zone, acts.moment())
    return call


def _copied(call: Call) -> dict[str, Sourced]:
    stored = queries.copied(call.id)
    return dict(rules.from_json(call.content if stored is None else stored))


def _keep_copy(call: Call, fields: Mapping[str, Sourced]) -> None:
    row = queries.copy_row(call.id)
    if row is None:
        row = CallWorkingCopy(call_id=call.id)
        db.session.add(row)
    row.content = rules.to_json(fields)
    # The call's own number goes on, so that a form shown before is found stale, also once the copy is another one.
    call.version += 1


# --- publication ----------------------------------------------------------------------------------------------------


@act(
    "call.publish_corrigendum",
    needs=Permission.CALL_PUBLISH,
    scope=queries.scope_of,
    says="published a corrigendum of call {subject}",
)
def publish_corrigendum(
    actor: Actor, call_id: UUID, given: CorrigendumInput, *, version: int | None = None
) -> CallSummary:
    """Make the working copy the next version of the call, with its table of changes and what was decided about the
    deadline; a job moves every open draft to it and tells the teams.

    Raises :class:`Problems` with all that keeps it from being published.
    """
    call = _changeable(call_id, version)
    given = given.checked()
    fields, found = _what_changes(call)
    problems = rules.fixed_problems(found, opened=call.opens_at is not None and call.opens_at <= acts.moment())
    problems = problems or rules.publish_problems(fields, queries.deadlines(call.id), call.zone, parent_rules_of(call))
    if problems:
        raise Problems("The corrigendum was not published.", problems)
    decision = DeadlineDecision.KEPT if given.deadline is None else DeadlineDecision.MOVED
    moved = _move_deadline(call, given)
    if any(change.path.startswith("evaluation.expert_terms") for change in found):
        take_terms(actor, call.id, fields.get("evaluation.expert_terms", NOT_FOUND).value, given.reason)
    fix_seed(call.id, fields.get("evaluation.draw", NOT_FOUND).value)
    _publish(call, fields, found)
    call.version_number += 1
    _keep_version(actor, call, VersionKind.CORRIGENDUM, given.reason, found, decision, moved or given.kept_reason)
    acts.reason(given.reason)
    jobs.queue(
        CORRIGENDUM_JOB,
        subject=("call", call.id),
        unique=f"corrigendum {call.id} {call.version_number}",
        call_id=str(call.id),
        number=call.version_number,
    )
    told: tuple[str, ...] = (
        f"Version {call.version_number} of the call is public. Open drafts are being moved to it.",
    )
    if any(change.path.startswith("evaluation.conflict_rules") for change in found):
        look_for_conflicts(call.id)
        told += ("What is a conflict of interest changed: the program looks for conflicts again.",)
    return summary(call, told)


def _move_deadline(call: Call, given: CorrigendumInput) -> str:
    """Move the deadline where that was decided; returns the reason, empty where it is kept."""
    if given.deadline is None:
        return ""
    current = queries.last_deadline(call.id)
    assert current is not None, "a published call has a deadline"
    moved = rules.extended(queries.deadline_value(current), given.deadline, at=acts.moment())
    add_deadline(call.id, moved)
    return moved.reason or ""


@act(
    "call.correct_wording",
    needs=Permission.CALL_PUBLISH,
    scope=queries.scope_of,
    says="corrected wording of call {subject}",
)
def correct_wording(actor: Actor, call_id: UUID, note: str = "", *, version: int | None = None) -> CallSummary:
    """Make corrected titles, guidance and help public at once; what binds is refused with the reason of each.

    The version stays the same, and drafts and sent applications are not touched.
    """
    call = _changeable(call_id, version)
    fields, found = _what_changes(call)
    problems = rules.correction_problems(found)
    if problems:
        raise Problems("This is more than corrected wording. Publish it as a corrigendum.", problems)
    words = note.strip() or rules.correction_note(found)
    _publish(call, fields, found)
    _keep_version(actor, call, VersionKind.CORRECTION, words, found)
    acts.reason(words)
    return summary(call, (f"{words} It stands on the page of the call.",))


def _what_changes(call: Call) -> tuple[dict[str, Sourced], tuple[Change, ...]]:
    fields = _copied(call)
    found = rules.changes(rules.from_json(call.content), fields)
    if not found:
        raise Refused("Nothing differs from what is published. Change a part of the working copy first.")
    return fields, found


def _publish(call: Call, fields: Mapping[str, Sourced], found: Sequence[Change]) -> None:
    """The working copy becomes the call, and is gone."""
    take_over(call, fields)
    if "call.title" in {change.path for change in found}:
        title = fields["call.title"].value
        if not title:
            raise Invalid("A call needs a title.", {"reason": "The title is empty. Write one in the working copy."})
        call.title = title
    row = queries.copy_row(call.id)
    assert row is not None, "what differs stands in a working copy"
    db.session.delete(row)
    call.version += 1


def _keep_version(
    actor: Actor,
    call: Call,
    kind: VersionKind,
    reason: str,
    found: Sequence[Change] = (),
    decision: DeadlineDecision | None = None,
    deadline_reason: str = "",
) -> None:
    correction = queries.last_correction(call.id, call.version_number) + 1 if kind is VersionKind.CORRECTION else 0
    db.session.add(
        CallVersion(
            call_id=call.id,
            number=call.version_number,
            correction=correction,
            kind=kind.value,
            published_at=acts.moment(),
            published_by=actor.user_id,
            reason=reason,
            changes=encoding.encode(tuple(found)),
            content=call.content,
            deadline_decision=decision.value if decision else None,
            deadline_reason=deadline_reason,
        )
    )


# --- for the stage that owns the applications -----------------------------------------------------------------------


def note_one_extension(call_id: UUID, reason: str) -> None:
    """Put on the public record that one applicant got more time, and why, inside the act that gives it."""
    db.session.add(CallOneExtension(call_id=call_id, given_at=acts.moment(), reason=reason))
