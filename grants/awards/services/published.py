"""Outcomes that were published elsewhere, recorded with their source."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services as applications
from grants.applications.states import ApplicationState
from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.rules import PublishedOutcome
from grants.awards.services.deciding import new_selection, refuse_open_list
from grants.awards.states import (
    AmountBasis,
    EndedElsewhere,
    Outcome,
    SelectionKind,
)
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.rules import CallView
from grants.calls.states import Phase
from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import db
from grants.core.money import ZERO
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation.queries import call_scope


@act(
    "selection.record_published_outcome",
    needs=Permission.SELECTION_RECORD_PUBLISHED_OUTCOME,
    scope=call_scope,
    says="recorded the published outcome of {subject}",
)
def record_published_outcome(actor: Actor, call_id: UUID, values: PublishedOutcome) -> int:
    """Record an outcome that was published elsewhere, with its source; another person confirms it.

    No assessments and no scores: its pilots enter as selected, and their known or synthetic amounts are
    reserved, when it is confirmed; the applications that got no grant enter as they ended. Returns the selection's number.
    """
    values = values.checked()
    refuse_open_list(call_id)
    free = calls.free(call_id)
    rules.refuse_over_budget(values.asked, free)
    words = clean_text(values.reason)
    selection = new_selection(actor, call_id, SelectionKind.PUBLISHED_OUTCOME, free, values.asked, words)
    pilots = encoding.encode(list(values.pilots))
    others = encoding.encode(list(values.others))
    selection.rules = {"pilots": pilots, "others": others} if others else {"pilots": pilots}
    selection.list_sha256 = bytes.fromhex(rules.list_hash([*pilots, *others]))
    selection.source_url, selection.source_title = values.source_url, values.source_title.strip()
    count = len(values.pilots)
    selection.line_words = f"{count} {'pilot' if count == 1 else 'pilots'} as published; {values.asked} of {free} free."
    db.session.add(selection)
    acts.reason(words)
    return selection.number


def count_as_published(call: CallView) -> None:
    """A call to which nothing was submitted here has its results public by the source they were recorded from."""
    closed = call.phase(acts.moment()) is Phase.CLOSED
    if closed and call.results_public_at is None and not queries.decided(call.id).submitted_here:
        call_acts.results_public_by_source(call.id)


def enter_published(selection: Selection) -> list[SelectionItem]:
    """The applications and items of a recorded outcome, in the order of its source."""
    items = []
    for position, pilot in enumerate(queries.pilots_of(selection), 1):
        application_id = applications.record_published(
            selection.call_id,
            pilot.title,
            pilot.acronym or None,
            pilot.organisations,
            pilot.source_url or selection.source_url or "",
            requested=pilot.amount,
            summary=pilot.summary or None,
            synthetic_note=pilot.synthetic_note or None,
            cells=pilot.cells,
        )
        item = SelectionItem(
            selection_id=selection.id,
            application_id=application_id,
            position=position,
            outcome=Outcome.SELECTED.value,
            amount=pilot.amount,
            amount_basis=pilot.amount_basis.value,
            tie_words="",
            threshold_words="",
            straddles=False,
            missing=ZERO,
        )
        db.session.add(item)
        items.append(item)
    _enter_others(selection, len(items))
    db.session.flush()
    return items


_ENDED = {
    EndedElsewhere.NOT_FUNDED: ApplicationState.NOT_FUNDED,
    EndedElsewhere.INELIGIBLE: ApplicationState.INELIGIBLE,
    EndedElsewhere.WITHDRAWN: ApplicationState.WITHDRAWN,
}


def _enter_others(selection: Selection, after: int) -> None:
    """The applications of a recorded outcome that got no grant; those that were judged stand on its list below the others."""
    position = after
    for other in queries.others_of(selection):
        application_id = applications.record_published(
            selection.call_id,
            other.title,
            None,
            other.organisations,
            selection.source_url or "",
            requested=other.requested,
            summary=other.recorded,
            synthetic_note=other.synthetic_note or None,
            state=_ENDED[other.ended],
        )
        if other.ended is EndedElsewhere.NOT_FUNDED:
            position += 1
            db.session.add(
                SelectionItem(
                    selection_id=selection.id,
                    application_id=application_id,
                    position=position,
                    outcome=Outcome.NOT_FUNDED.value,
                    amount=other.requested,
                    amount_basis=(AmountBasis.SYNTHETIC if other.synthetic_note else AmountBasis.REQUESTED).value,
                    tie_words="",
                    threshold_words="",
                    straddles=False,
                    missing=ZERO,
                )
            )
