"""The results of a call become public."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grants.awards import queries, rules
from grants.calls import services as call_acts
from grants.calls.rules import ResultsInput
from grants.core.acts import act
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation.queries import call_scope
from grants.identity import services as people


@act(
    "selection.publish_results",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=call_scope,
    says="published the results of {subject}",
)
def publish_results(actor: Actor, call_id: UUID, given: ResultsInput, version: int | None = None) -> datetime:
    """Make the results of a call public, at once or from a later moment; what conflicts keep people from ends then.

    Refused until two people decided the selection and every applicant has a result. Returns the moment.
    """
    if actor.barred("application") & queries.application_ids(call_id):
        raise Refused(
            "You declared a conflict of interest with an application of this call, and its results end what keeps you "
            "from it. Somebody else must publish them."
        )
    rules.refuse_unpublishable(queries.decided(call_id))
    at = call_acts.make_results_public(call_id, given, version=version)
    people.end_bars("application", queries.application_ids(call_id), at)
    return at
