"""A run of the assignment as a file: what it was given, what came of it, and the prices, to be checked anywhere."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import matching
from grants.evaluation.models import AssignmentRun, Evaluator
from grants.evaluation.queries.assignments import call_to_assign, shut_titles
from grants.evaluation.rules import RunTaken, told_of_run
from grants.evaluation.states import RunStatus
from grants.identity.models import User

# Such a file tells of every application of the run, and of some by what is missing: in part it is not given out.
NOT_IN_PART = (
    "A conflict of interest, or one you have not declared about, keeps an application of this call from you, or you assess one "
    "yourself, and the file of a run tells of all of them. Somebody who sees the whole call can take it."
)
# Of an input as it is kept, each application and each evaluator: what it says of millions of pairs need not be read for them.
_IDS = re.compile(rb'"id":"([0-9a-f-]{36})"')
NO_INPUT = "Run {number} was made before the inputs of a run were kept, so there is no file of it. Later runs have one."


def superseded_by() -> ColumnElement[int]:
    """The number of the first solved run of the call after a run; NULL for the one that stands."""
    after = aliased(AssignmentRun)
    return (
        select(func.min(after.number))
        .where(
            after.call_id == AssignmentRun.call_id,
            after.number > AssignmentRun.number,
            after.status == RunStatus.SOLVED.value,
        )
        .correlate(AssignmentRun)
        .scalar_subquery()
    )


@reader
def run_taken(actor: Actor, slug: str, number: int) -> Asking[RunTaken]:
    """A run by its number as a file, for whom nothing of the call is shut.

    Raises :class:`NotAllowed` for anybody else, :class:`Refused` where the input was not kept, :class:`NotFound`.
    """
    call = yield from call_to_assign.asking(actor, slug)
    asked = select(
        *(AssignmentRun.number, AssignmentRun.status, AssignmentRun.created_at, AssignmentRun.solver),
        *(AssignmentRun.settings, AssignmentRun.milliseconds, AssignmentRun.input_sha256, AssignmentRun.input),
        *(AssignmentRun.objective, AssignmentRun.bound, AssignmentRun.ideal, AssignmentRun.floor),
        *(AssignmentRun.spread, AssignmentRun.pairs_priced, AssignmentRun.rounds, AssignmentRun.certificate),
        *(AssignmentRun.difference, AssignmentRun.explanations, AssignmentRun.reasons, AssignmentRun.changes),
        superseded_by().label("superseded_by"),
    ).where(AssignmentRun.call_id == call.id, AssignmentRun.number == number)
    found, shut = yield from both(ask(asked), shut_titles(actor, call.id))
    if not found:
        raise NotFound
    if shut.ids:
        raise NotAllowed(NOT_IN_PART)
    row = found[0]
    if row.input is None:
        raise Refused(NO_INPUT.format(number=number))
    spelled = zlib.decompress(row.input)
    named = yield from _names(call.id, frozenset(each.decode() for each in _IDS.findall(spelled)))
    told = {
        "format": matching.FORMAT,
        "call": call.slug,
        "run": row.number,
        "made_at": row.created_at.isoformat(),
        "status": row.status,
        "superseded_by": row.superseded_by,
        "solver": row.solver,
        "milliseconds": row.milliseconds,
        "input_sha256": row.input_sha256.hex(),
        "settings": row.settings,
        "objective": row.objective,
        "bound": row.bound,
        "ideal": row.ideal,
        "worst_served": row.floor,
        "spread": row.spread,
        "pairs_priced": row.pairs_priced,
        "rounds": row.rounds,
        "seats": row.certificate.get("seats", []),
        "prices": row.certificate.get("steps", []),
        "explanations": row.explanations,
        "difference": row.difference,
        "reasons": told_of_run(row.reasons, shut),
        "changes": told_of_run(row.changes, shut),
        "names": named,
    }
    # The input stands in the file as the very bytes that were hashed.
    rest = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return RunTaken(call.id, f"{call.slug}-run-{number}.json", b'{"input":' + spelled + b"," + rest[1:].encode())


def _names(call_id: UUID, ids: Collection[str]) -> Asking[dict[str, dict[str, str]]]:
    """References and titles of these of a call's applications and names of these of its pool, as they are now, by id.

    Of others, drafts and who came to the pool since, a run tells nothing.
    """
    applications, people = yield from both(
        ask(select(Application.id, Application.reference, Application.title).where(Application.call_id == call_id)),
        ask(
            select(Evaluator.id, User.name).join(User, User.id == Evaluator.user_id).where(Evaluator.call_id == call_id)
        ),
    )
    return {
        "applications": {str(row.id): f"{row.reference} {row.title}" for row in applications if str(row.id) in ids},
        "evaluators": {str(row.id): row.name for row in people if str(row.id) in ids},
    }
