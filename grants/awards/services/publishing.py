"""The results of a call become public: one person proposes from when, another publishes, after everybody was told by a letter."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.awards import queries, rules
from grants.awards.models import ResultsPublication
from grants.awards.states import MAILING, MailingState
from grants.calls import queries as calls
from grants.calls import rules as call_rules
from grants.calls import services as call_acts
from grants.calls.models import Call
from grants.calls.rules import ResultsInput
from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation.queries import call_scope
from grants.identity import services as people


@act(
    "selection.propose_results",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=call_scope,
    says="proposed to publish the results of {subject}",
)
def propose_results(
    actor: Actor, call_id: UUID, given: ResultsInput, version: int | None = None, without_letters: str = ""
) -> UUID:
    """Propose from when the results are public, at once or from a later moment; another person publishes them.

    Refused until two people decided the selection, and while somebody was not told by a letter and ``without_letters``
    gives no reason. Returns the proposal.
    """
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_conflict(actor, call_id)
    rules.refuse_unpublishable(queries.decided(call_id))
    reason, untold = clean_text(without_letters), queries.letters.unsent(call_id)
    if untold and not reason:
        raise Refused(rules.untold_words(untold))
    call_acts.refuse_public(call_id)
    current = calls.last_deadline(call_id)
    call_rules.results_moment(given, call.zone, closes_at=current.closes_at if current else None, at=acts.moment())
    of_it = ResultsPublication.call_id == call_id
    waiting = db.session.scalars(
        select(ResultsPublication).where(of_it, ResultsPublication.state == MailingState.PREPARED.value)
    ).first()
    if waiting is not None:
        raise Refused("A publication of these results waits for a second person. Have it published or returned first.")
    assert actor.user_id is not None, "only a person proposes"
    last = db.session.scalar(select(func.max(ResultsPublication.number)).where(of_it)) or 0
    row = ResultsPublication(
        call_id=call_id, number=last + 1, state=MAILING.initial, given={"value": encoding.encode(given)},
        without_letters=reason if untold else "", prepared_by=actor.user_id, prepared_at=acts.moment(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    acts.subject("call", call_id)
    if row.without_letters:
        acts.reason(row.without_letters)
    return row.id


def _refuse_conflict(actor: Actor, call_id: UUID) -> None:
    """Whoever has a conflict with one application of the call, or must declare about one and did not, publishes nothing.

    Also where the doubt of theirs waits for a ruling: whom it concerns reads names here and ends what keeps others away. The
    call is locked, and it is asked anew: who came into conflict since their request began publishes nothing either.
    """
    shut, waiting = queries.kept_apart(actor, call_id)
    if actor.barred("application") & shut or shut - waiting:
        raise Refused(
            "You have a conflict of interest with an application of this call, or take part in one, and its results end "
            "what keeps you from it. Somebody else must publish them."
        )
    if waiting:
        raise Refused(rules.UNDECLARED_RESULTS)


def _second_person(actor: Actor, publication_id: UUID, version: int | None) -> ResultsPublication:
    row = locked(ResultsPublication, publication_id)
    check_version(row, version)
    rules.refuse_same_person(row.prepared_by, actor.user_id, "proposed this publication", "publish or return it")
    _refuse_conflict(actor, row.call_id)
    acts.subject("call", row.call_id)
    return row


@act(
    "selection.publish_results",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.publication_scope,
    says="published the results of {subject}",
)
def publish_results(actor: Actor, publication_id: UUID, version: int | None = None) -> datetime:
    """Publish the results as another person proposed; what conflicts keep people from ends then. Returns the moment."""
    row = _second_person(actor, publication_id, version)
    rules.refuse_unpublishable(queries.decided(row.call_id))
    untold = queries.letters.unsent(row.call_id)
    if untold and not row.without_letters:
        raise Refused(f"{rules.untold_words(untold)} Return it, and have it proposed again.")
    MAILING.move(row, "confirm")
    row.confirmed_by, row.confirmed_at = actor.user_id, acts.moment()
    given: ResultsInput = encoding.decode(row.given, ResultsInput)
    at = call_acts.make_results_public(row.call_id, given)
    people.end_bars("application", queries.application_ids(row.call_id), at)
    return at


@act(
    "selection.return_results",
    needs=Permission.SELECTION_CONFIRM,
    scope=queries.publication_scope,
    says="returned the publication of the results of {subject}",
)
def return_results(actor: Actor, publication_id: UUID, reason: str, version: int | None = None) -> None:
    """Give a proposed publication back with a reason; it stays on the record."""
    row = _second_person(actor, publication_id, version)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say what must be different before they are published."})
    MAILING.move(row, "return")
    row.returned_by, row.return_reason = actor.user_id, words
    acts.reason(words)
