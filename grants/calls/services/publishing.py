"""Acts that make a call public, cancel it, move its deadline and add to its documents."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call, CallPrivacyNotice, CallVersion
from grants.calls.rules import (
    NOT_FOUND,
    CallSummary,
    DeadlineInput,
    DeadlineNotice,
    DocumentInput,
    Sourced,
    VersionKind,
)
from grants.calls.services.drawing import fix_seed
from grants.calls.services.expert_terms import take_terms
from grants.calls.services.keeping import add_deadline, add_document, followed, parent_rules_of, summary
from grants.calls.states import MACHINE, CallState
from grants.core import acts, encoding, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Problems, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import services as identity

# The job that tells everybody with a draft.
DEADLINE_JOB = "jobs.calls.deadline_moved"


@act("call.publish", needs=Permission.CALL_PUBLISH, scope=queries.scope_of, says="published call {subject}")
def publish(actor: Actor, call_id: UUID, *, version: int | None = None) -> CallSummary:
    """Make a draft public; raises Problems with everything that is missing or does not fit together."""
    call = locked(Call, call_id)
    check_version(call, version)
    MACHINE.target(CallState(call.state), "publish")
    fields = rules.from_json(call.content)
    parent = parent_rules_of(call)
    # The call for concepts may have come, or have become one, after this one named it.
    call.follows_id = followed(fields.get("call.follows", NOT_FOUND).value)
    problems = rules.stage_problems(fields, call.follows_id) or rules.publish_problems(
        fields, queries.deadlines(call.id), call.zone, parent
    )
    if problems:
        raise Problems("The call was not published.", problems)
    MACHINE.move(call, "publish")
    call.parent_rules = encoding.encode(parent)
    call.published_at = acts.moment()
    _keep_first_version(actor, call)
    _publish_notice(actor, call, fields)
    take_terms(actor, call.id, fields.get("evaluation.expert_terms", NOT_FOUND).value)
    fix_seed(call.id, fields.get("evaluation.draw", NOT_FOUND).value)
    assert call.opens_at is not None and (call.total_cents is not None or not call.pays), "a published call is complete"
    return summary(call)


def _keep_first_version(actor: Actor, call: Call) -> None:
    """What everybody reads from now on, kept whole: corrigenda are told from it."""
    call.version_number = 1
    db.session.add(
        CallVersion(
            call_id=call.id,
            number=1,
            correction=0,
            kind=VersionKind.PUBLISHED.value,
            published_at=acts.moment(),
            published_by=actor.user_id,
            reason="",
            changes=[],
            content=call.content,
            deadline_reason="",
        )
    )


def _publish_notice(actor: Actor, call: Call, fields: Mapping[str, Sourced]) -> None:
    """The privacy notice of the call's file becomes its first version."""
    notice = fields.get("privacy_notice", NOT_FOUND).value
    if notice is not None:
        db.session.add(
            CallPrivacyNotice(
                call_id=call.id, number=1, content=encoding.encode(notice), note=None, published_by=actor.user_id
            )
        )


@act("call.cancel", needs=Permission.CALL_PUBLISH, scope=queries.scope_of, says="cancelled call {subject}")
def cancel(actor: Actor, call_id: UUID, reason: str, *, version: int | None = None) -> CallSummary:
    """Cancel a call; its page stays and says so."""
    call = locked(Call, call_id)
    check_version(call, version)
    if not reason.strip():
        raise Invalid("Say why the call is cancelled.", {"reason": "Say why the call is cancelled."})
    MACHINE.move(call, "cancel")
    call.cancelled_at = acts.moment()
    acts.reason(reason.strip())
    return summary(call)


@act(
    "call.extend_deadline",
    needs=Permission.CALL_EXTEND,
    scope=queries.scope_of,
    says="moved the deadline of call {subject}",
)
def extend_deadline(actor: Actor, call_id: UUID, given: DeadlineInput, *, version: int | None = None) -> CallSummary:
    """Move the deadline later, for everybody, with a reason; everybody with a draft is told by a job."""
    call = locked(Call, call_id)
    check_version(call, version)
    current = queries.last_deadline(call.id)
    if current is None:
        raise Refused("This call has no deadline yet. Set it on the page where the call is built.")
    if call.state == CallState.CANCELLED.value:
        raise Refused("This call is cancelled; its deadline does not move.")
    if call.results_public_at is not None:
        raise Refused("The results of this call are public or will be; its deadline does not move any more.")
    moved = rules.extended(queries.deadline_value(current), given, at=acts.moment())
    add_deadline(call.id, moved)
    # The call itself changes, so that a page shown before the extension is found stale.
    call.version += 1
    acts.reason(moved.reason or "")
    jobs.queue(DEADLINE_JOB, subject=("call", call.id), call_id=call.id, number=moved.number)
    return summary(call, (f"The deadline is now {moved.literal}.",))


@act(
    "call.add_document_version",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="added a version of a document to call {subject}",
)
def add_document_version(actor: Actor, call_id: UUID, given: DocumentInput) -> CallSummary:
    """Add a version of the call's documents with its table of changes; versions are never overwritten."""
    call = locked(Call, call_id)
    label = given.label.strip()
    if not label or not given.what.strip():
        raise Invalid(
            "The version is not complete.",
            {
                name: sentence
                for name, sentence in {
                    "label": "" if label else "Enter the number of the version, for example 1.2.",
                    "what": "" if given.what.strip() else "Say what this version is.",
                }.items()
                if sentence
            },
        )
    known = [document.label for document in queries.call_by_id(call.id).documents]
    if label in known:
        raise Invalid("This version exists.", {"label": f"There is a version {label} already. Use the next number."})
    add_document(
        call.id,
        rules.DocumentVersion(
            label, given.published_on, given.what.strip(), tuple(line for line in given.changes if line.strip())
        ),
    )
    return summary(call)


def deadline_notice(call_id: UUID, number: int) -> DeadlineNotice:
    """What the notice about a moved deadline says; the stage that owns the drafts sends it."""
    call = get(Call, call_id)
    lines = {line.number: line for line in queries.deadlines(call_id)}
    if number not in lines or number - 1 not in lines:
        raise NotFound
    new, old = lines[number], lines[number - 1]
    return DeadlineNotice(call.reference, call.slug, call.title, old.literal, new, new.number == max(lines))


@act(
    "call.tell_deadline_moved",
    needs=Permission.CALL_EXTEND,
    scope=queries.scope_of,
    says="told applicants that a deadline moved",
)
def tell_deadline_moved(actor: Actor, call_id: UUID, number: int) -> int:
    """Mail everybody of a draft or a sent application that the deadline moved; returns how many were told.

    Nobody is told of a deadline that has moved again meanwhile: the later notice says all.
    """
    notice = deadline_notice(call_id, number)
    if not notice.stands:
        return 0
    people = frozenset(queries.people_at_work(call_id))
    identity.mail(
        people,
        "call_deadline_moved",
        "call",
        call_id,
        reference=notice.reference,
        slug=notice.slug,
        title=notice.title,
        old=notice.old_literal,
        new=notice.new.literal,
        zone=notice.new.zone,
        note=notice.new.public_note or "",
        reason=notice.new.reason or "",
    )
    return len(people)
