"""Acts of awards: the panel meets; a list is decided by one person and confirmed by another, which reserves the money and tells."""

from __future__ import annotations

from grants.awards.services import (
    complaints,
    describing,
    leaving_out,
    letters,
    minutes,
    panel,
    panel_log,
    reviewing,
    settling,
    withholding,
)
from grants.awards.services.advising import ADVICE_JOB, advise, request_advice
from grants.awards.services.confirming import confirm, return_list
from grants.awards.services.deciding import decide
from grants.awards.services.experts import decide_names
from grants.awards.services.moving import confirm_move, decide_move, return_move
from grants.awards.services.published import record_published_outcome
from grants.awards.services.publishing import propose_results, publish_results, return_results
from grants.awards.services.robustness import ROBUSTNESS_JOB, request_robustness, work_out_robustness
from grants.awards.services.scenarios import save_scenario
from grants.awards.services.solving import SOLVE_JOB, request_solve, request_typed, solve, solving_job
from grants.awards.services.standing_in import stand_in
from grants.awards.services.taking_out import download_minute, export_advice, export_complaints, export_ranking

__all__ = [
    "ADVICE_JOB",
    "ROBUSTNESS_JOB",
    "SOLVE_JOB",
    "advise",
    "complaints",
    "confirm",
    "confirm_move",
    "decide",
    "decide_move",
    "decide_names",
    "describing",
    "download_minute",
    "export_advice",
    "export_complaints",
    "export_ranking",
    "leaving_out",
    "letters",
    "minutes",
    "panel",
    "panel_log",
    "propose_results",
    "publish_results",
    "record_published_outcome",
    "request_advice",
    "request_robustness",
    "request_solve",
    "request_typed",
    "return_list",
    "return_move",
    "return_results",
    "reviewing",
    "save_scenario",
    "settling",
    "solve",
    "solving_job",
    "stand_in",
    "withholding",
    "work_out_robustness",
]
