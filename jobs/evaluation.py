"""Jobs of evaluation: one run of the exact assignment, done by the person who asked for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grants.core import jobs
from grants.core.permissions import Permission
from grants.evaluation import services
from grants.evaluation.rules import RunInput
from grants.evaluation.states import CountryRule, StandingRule


def assign(
    *, call_id: str, seed: str, due_at: str | None, keep_countries_apart: str, standing: str = "kept"
) -> dict[str, str | int]:
    """Fill the empty seats of a call. Safe to run twice: what stands is kept, and nothing is left to fill."""
    due = datetime.fromisoformat(due_at) if due_at else None
    values = RunInput(seed, due, CountryRule(keep_countries_apart), StandingRule(standing))
    result = services.run(jobs.actor(Permission.ASSIGNMENT_DECIDE), UUID(call_id), values)
    return {"status": result.status.value, "seats_new": result.seats_new}


def work_out_loss(*, call_id: str, run_id: str, application_id: str, evaluator_id: str) -> None:
    """Work out what the total of a run loses without one seat. Safe to run twice: it is kept once."""
    actor, pair = jobs.actor(Permission.ASSIGNMENT_DECIDE), (UUID(application_id), UUID(evaluator_id))
    services.work_out_loss(actor, UUID(call_id), UUID(run_id), pair)


def import_pool(*, call_id: str, import_id: str, done: int) -> dict[str, int]:
    """Take the next piece of a long file of evaluators over. Safe to run twice: a piece that is done does nothing."""
    actor = jobs.actor(Permission.ASSIGNMENT_DECIDE)
    return {"left_out": services.import_piece(actor, UUID(call_id), UUID(import_id), done)}


def empty_imports() -> int:
    """Empty the files of evaluators whose taking over ended before its last piece."""
    return services.empty_imports(jobs.actor(Permission.ASSIGNMENT_DECIDE))


def remind_invited() -> int:
    """Remind whoever was invited to a pool and has not answered; safe to run twice, since everybody is reminded once."""
    return services.remind_late(jobs.actor(Permission.ASSIGNMENT_DECIDE))


def tell_of_terms(*, call_id: str, number: int) -> int:
    """Tell everybody of the pool of new words; where a later version stands by now, its own job tells them."""
    return services.tell_of_terms(jobs.actor(Permission.ASSIGNMENT_DECIDE), UUID(call_id), number)
