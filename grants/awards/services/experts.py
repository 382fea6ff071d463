"""Names of evaluators are published without what they assessed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from grants.awards import queries
from grants.awards.models import EvaluatorNames
from grants.awards.rules.experts import checked_names
from grants.awards.states import NamesShown
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict
from grants.core.permissions import Actor, Permission
from grants.evaluation.queries import call_scope


@act(
    "evaluator_names.decide",
    needs=Permission.SELECTION_PUBLISH_RESULTS,
    scope=call_scope,
    says="decided how names of evaluators of {subject} are published",
)
def decide_names(
    actor: Actor, call_id: UUID, shown: NamesShown, left_out: Mapping[UUID, str], number: int | None = None
) -> int:
    """Publish the names of a call's evaluators beside it or with their year, from when its results are public.

    ``left_out`` are people who are named nowhere, each with the reason; ``number`` is the decision that was seen.
    """
    queries.public.refuse_kept_out(actor, call_id)
    page = queries.public.names_of(calls.call_by_id(call_id), acts.moment())
    if number is not None and number != page.number:
        raise Conflict("Somebody decided otherwise on these names meanwhile. Look at it first.")
    kept = checked_names(page, shown, left_out)
    assert actor.user_id is not None, "only a person decides"
    db.session.add(
        EvaluatorNames(
            call_id=call_id, number=page.number + 1, shown=shown.value, decided_by=actor.user_id,
            left_out={str(key): reason for key, reason in kept.items()}, decided_at=acts.moment(),
        )
    )  # fmt: skip
    acts.subject("call", call_id)
    return page.number + 1
