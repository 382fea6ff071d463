"""The words evaluators of a call accept: a new version, which everybody of the pool is asked to accept anew."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.calls import queries as calls
from grants.calls.models import CallExpertTerms
from grants.calls.rules.expert_terms import ExpertTerms, checked_terms
from grants.core import acts, encoding, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission


@act(
    "call.add_expert_terms",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="published a version of the contract for evaluators of call {subject}",
)
def add_expert_terms(actor: Actor, call_id: UUID, given: ExpertTerms, note: str = "", *, shown: int = 0) -> int:
    """Publish a version of the words; nothing opens to an evaluator before they accept it. Returns its number.

    ``shown`` is the number that stood where the form was filled in: nobody replaces words they have not seen.
    """
    call = calls.call_by_id(call_id)
    if call.published_at is None:
        raise Refused("This call is a draft: these words are a part of it, on the page where it is built.")
    kept, last = checked_terms(given), _newest(call_id)
    if shown != (last.number if last else 0):
        raise Refused(
            "Somebody published a version of these words meanwhile. Read it on this page, then publish yours if it is "
            "still needed. What you typed stands below."
        )
    if last is not None and last.sha256 == kept.sha256:
        raise Refused(f"These are the words of version {last.number}, which stands. Nothing was published.")
    words = note.strip()
    if last is not None and not words:
        raise Invalid("Say what changed.", {"note": "Say what changed. Everybody who is asked again reads it."})
    acts.reason(words)
    return keep_terms(actor, call_id, kept, words).number


def keep_terms(actor: Actor, call_id: UUID, terms: ExpertTerms | None, note: str) -> CallExpertTerms:
    """A new version of the words inside a running act; the first one has no note."""
    last = _newest(call_id)
    assert actor.user_id is not None, "a person publishes a call"
    row = CallExpertTerms(
        call_id=call_id,
        number=(last.number if last else 0) + 1,
        content=encoding.encode(terms) if terms is not None else None,
        sha256=terms.sha256 if terms is not None else None,
        note=note if last else None,
        published_by=actor.user_id,
    )
    db.session.add(row)
    # Who is in the pool only a later stage knows.
    jobs.queue(
        "jobs.evaluation.tell_of_terms",
        subject=("call", call_id),
        asker=jobs.Asker.PROGRAM,
        call_id=str(call_id),
        number=row.number,
    )
    return row


def take_terms(actor: Actor, call_id: UUID, terms: ExpertTerms | None, note: str = "") -> None:
    """What a version of the call says of these words becomes their version, where it differs from the one that stands."""
    last = _newest(call_id)
    kept = checked_terms(terms) if terms is not None else None
    if (kept.sha256 if kept else None) != (last.sha256 if last else None):
        keep_terms(actor, call_id, kept, note)


def _newest(call_id: UUID) -> CallExpertTerms | None:
    return db.session.scalars(
        select(CallExpertTerms)
        .where(CallExpertTerms.call_id == call_id)
        .order_by(CallExpertTerms.number.desc())
        .limit(1)
    ).first()
