"""A run of the assignment taken along as a file that anybody can check without this program's database."""

from __future__ import annotations

from typing import Any

from flask import Response

from grants.evaluation import queries, services
from grants.evaluation.views.frame import P, bp
from grants.web.routing import current_actor, requires


@bp.get("/calls/<slug>/assignments/runs/<int(max=2147483647):number>/run.json")
@requires(P.ASSIGNMENT_DECIDE)
def run_taken(slug: str, number: int) -> Any:
    """Inputs, seats, prices, reasons, seed, solver and hash of one run."""
    taken = queries.run_taken(current_actor(), slug, number)
    services.export_run(current_actor(), taken.call_id, number, taken.sha256)
    answer = Response(taken.made, mimetype="application/json")
    answer.headers["Content-Disposition"] = f"attachment; filename={taken.name}"
    return answer
