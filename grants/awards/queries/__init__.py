"""Reads of awards for views, acts and later stages; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.awards.queries import complaints, letters, minutes, own_complaints, panel, public
from grants.awards.queries.advice import advice_page
from grants.awards.queries.after import after_decision, beside_decision
from grants.awards.queries.aims import what_ifs
from grants.awards.queries.complaints_work import repeated
from grants.awards.queries.describing import descriptions
from grants.awards.queries.heard import heard, order_said
from grants.awards.queries.involved import involved_in
from grants.awards.queries.lists import ranking_page
from grants.awards.queries.minute import minute, minute_file
from grants.awards.queries.outcomes_told import outcomes_told
from grants.awards.queries.publication import (
    application_ids,
    decided,
    kept_apart,
    publication_scope,
    publishing,
    reads_withheld,
)
from grants.awards.queries.ranked import (
    Listed,
    facts_of,
    forgotten,
    hash_of,
    live_list,
    scored,
    solved_list,
    tying_of,
    without_evaluation,
)
from grants.awards.queries.reserve import (
    SELECTION_FILES,
    breaches_now,
    drawn_again,
    list_anew,
    move_scope,
    next_on_reserve,
    reserve_page,
    selection_page,
)
from grants.awards.queries.results import result
from grants.awards.queries.robustness import RobustnessInput, robustness_input
from grants.awards.queries.scenarios import (
    figures_now,
    scenario_of,
    scenario_page,
    scenarios,
    scenarios_page,
    to_solve,
    worked_out,
)
from grants.awards.queries.selections import (
    item_of,
    opened,
    others_of,
    pilots_of,
    plan_of,
    published,
    refuse_unopened,
    selection_of,
    selection_scope,
    selections,
)
from grants.awards.queries.sheets import SheetsRead, input_hash, newest_run, sheets_read
from grants.awards.queries.solves import answers_kept
from grants.awards.queries.work import duties

__all__ = [
    "SELECTION_FILES",
    "Listed",
    "RobustnessInput",
    "SheetsRead",
    "advice_page",
    "after_decision",
    "answers_kept",
    "application_ids",
    "beside_decision",
    "breaches_now",
    "complaints",
    "decided",
    "descriptions",
    "drawn_again",
    "duties",
    "facts_of",
    "figures_now",
    "forgotten",
    "hash_of",
    "heard",
    "input_hash",
    "involved_in",
    "item_of",
    "kept_apart",
    "letters",
    "list_anew",
    "live_list",
    "minute",
    "minute_file",
    "minutes",
    "move_scope",
    "newest_run",
    "next_on_reserve",
    "opened",
    "order_said",
    "others_of",
    "outcomes_told",
    "own_complaints",
    "panel",
    "pilots_of",
    "plan_of",
    "public",
    "publication_scope",
    "published",
    "publishing",
    "ranking_page",
    "reads_withheld",
    "refuse_unopened",
    "repeated",
    "reserve_page",
    "result",
    "robustness_input",
    "scenario_of",
    "scenario_page",
    "scenarios",
    "scenarios_page",
    "scored",
    "selection_of",
    "selection_page",
    "selection_scope",
    "selections",
    "sheets_read",
    "solved_list",
    "to_solve",
    "tying_of",
    "what_ifs",
    "without_evaluation",
    "worked_out",
]
