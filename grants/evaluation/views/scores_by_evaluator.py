"""The page of how the evaluators of a call score, for who chairs it and who audits."""

from __future__ import annotations

from typing import Any

from grants.evaluation import queries
from grants.evaluation.views.frame import bp
from grants.web import paging
from grants.web.routing import current_actor, page, requires


@bp.get("/calls/<slug>/scores")
@requires(*queries.READS_SCORES)
def scores_by_evaluator(slug: str) -> Any:
    """Each evaluator’s scores beside everybody’s; nothing while own assessments of the call are open."""
    return page(
        "evaluation/scores_by_evaluator.html", shown=queries.scores_by_evaluator(current_actor(), slug, paging.asked())
    )
