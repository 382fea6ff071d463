"""Acts after a repeated evaluation: one of the committee proposes the outcome its score comes to, the other confirms it.

Where one of them may not decide it any more, whoever may takes their place.
"""

from __future__ import annotations

from uuid import UUID

from grants.applications.models import Application
from grants.awards import queries, rules
from grants.awards.models import Complaint, SelectionItem
from grants.awards.ranking import Ranked
from grants.awards.rules import complaints as said
from grants.awards.rules.settling import Settlement, refuse_other, settled
from grants.awards.services.complaints import handlers
from grants.awards.services.confirming import carry_out_again
from grants.awards.services.leaving_out import end_exclusion
from grants.awards.services.reviewing import DECIDES, deciding_scope, handled, item_of
from grants.awards.states import ComplaintState, Outcome, Remedy
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts
from grants.core.acts import act
from grants.core.db import locked
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import beyond_words
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh

THEN = "then its outcome can be settled"


@act(
    "complaint.propose_outcome",
    needs=DECIDES,
    scope=deciding_scope,
    says="proposed the outcome of the repeated evaluation of {subject}",
)
def propose_outcome(actor: Actor, complaint_id: UUID, version: int | None = None) -> Settlement:
    """One of the committee proposes what the new score comes to on the list, with the words the applicant reads."""
    row, call, _ = _repeated(actor, complaint_id, version)
    found = _worked_out(row, call)
    row.settlement, row.settlement_by, row.settlement_at = found.to_mapping(), actor.user_id, acts.moment()
    acts.reason(found.words)
    return found


@act("complaint.settle", needs=DECIDES, scope=deciding_scope, says="settled the repeated evaluation of {subject}")
def settle(actor: Actor, complaint_id: UUID, version: int | None = None) -> Outcome:
    """The other of the committee confirms that very outcome: money, state and letter follow in this act."""
    demand_fresh(actor)
    row, call, able = _repeated(actor, complaint_id, version)
    if row.settlement is None or row.settlement_by is None:
        raise Refused("No outcome is proposed yet. One of the committee proposes it first.")
    rules.refuse_same_person(row.settlement_by, actor.user_id, "proposed this outcome", "confirm it")
    said.refuse_other_two((row.settlement_by, actor.user_id), (row.member_one, row.member_two), able)
    proposed = Settlement.from_mapping(row.settlement)
    refuse_other(proposed, _worked_out(row, call))
    item, selection = item_of(row)
    outcome = proposed.outcome
    row.settled_at, row.settled_by, row.settled_words = acts.moment(), actor.user_id, proposed.words
    row.settled_outcome = outcome.value
    application = locked(Application, row.application_id)
    carry_out_again(call, selection, item, outcome)
    told = proposed.threshold_words if call.results_are_public(acts.moment()) else ""
    _mail_outcome(call, application, item, outcome, told)
    # Whoever told the first outcome without a letter was not asked to tell this one.
    exclusion = end_exclusion(actor, application.id)
    acts.reason(" ".join(filter(None, (proposed.words, exclusion))))
    return outcome


def _mail_outcome(
    call: CallView, application: Application, item: SelectionItem, outcome: Outcome, threshold_words: str
) -> None:
    """One mail with the outcome of a repeated evaluation to everybody who writes in an application.

    No mark before the results are public.
    """
    scope = Scope.of(("application", application.id))
    team = [person.id for person in identity.users_with(Permission.APPLICATION_EDIT, scope)]
    people.mail(
        team,
        f"repeated_{outcome.value}",
        "application",
        application.id,
        reference=application.reference,
        title=application.title,
        call_title=call.title,
        amount=str(item.amount),
        threshold_words=threshold_words,
        conditions=item.conditions,
    )


def _repeated(actor: Actor, complaint_id: UUID, version: int | None) -> tuple[Complaint, CallView, list[UUID]]:
    """What is settled, and who is able to: where one of the committee is not any more, another takes their place."""
    row, call = handled(actor, complaint_id, version)
    able = handlers(row)
    said.refuse_not_settling(actor.user_id, (row.member_one, row.member_two), able)
    if row.remedy != Remedy.REPEAT.value or row.state != ComplaintState.UPHELD.value or row.settled_at is not None:
        raise Refused("No repeated evaluation of this complaint waits for its outcome.")
    return row, call, able


def _worked_out(row: Complaint, call: CallView) -> Settlement:
    """The outcome the new score would have had on the list; what keeps a list from being decided keeps this from it too."""
    reference = locked(Application, row.application_id).reference
    rules.refuse_doubts([each for each in evaluation.waiting_doubts(call.id) if each[1] == reference], THEN)
    rules.refuse_found([each for each in evaluation.waiting_detections(call.id) if each[1] == reference], THEN)
    rules.refuse_shifts([each for each in evaluation.waiting_shifts(call.id) if each[0] == reference], THEN)
    item, selection = item_of(row)
    # Score and thresholds alone: what it comes to is said by its own list, which is worked out anew below.
    found, waiting, scores = queries.live_list(call, rules.BY_RANK)
    listed = next((each for each in found.rows if each.application_id == row.application_id), None)
    if listed is None:
        scored = any(each.id == row.application_id for each in waiting)
        word = "is not scored yet" if scored else "is not under evaluation"
        raise Refused(f"The application {word}. Its outcome follows once new evaluators agreed.")
    if beyond := beyond_words(scores[row.application_id].shift_half, call.content.scoring):
        raise Refused(f"{reference}: {beyond}")
    score = scores[row.application_id]
    anew = queries.list_anew(call, selection.id, score)
    stands = next(each for each in anew.rows if each.application_id == row.application_id)
    outcome, words = settled(
        stands.outcome, stands.rule_words, amount=item.amount, free=calls.free(call.id),
        breaches=queries.breaches_now(selection.id, row.application_id),
    )  # fmt: skip
    return _as_told(call, listed, score.basis, outcome, words)


def _as_told(call: CallView, listed: Ranked, basis: str, outcome: Outcome, words: str) -> Settlement:
    agreed = evaluation.agreed_words(listed.application_id, call.content.criteria)
    return Settlement(
        outcome,
        words,
        str(listed.score),
        rules.kept_halves(listed.halves),
        listed.shift_half,
        basis,
        listed.threshold_words,
        {mark.criterion: mark.comment for mark in agreed.marks} if agreed else {},
        agreed.text if agreed else "",
    )
