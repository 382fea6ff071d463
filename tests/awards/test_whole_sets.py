"""What a check looks at, and who is told: all there is. A set cut at a limit would let the rest through without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grants.awards import queries
from grants.awards.queries import letters, public, publication, reserve
from grants.awards.rules import BY_RANK
from grants.awards.states import SelectionKind
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core.permissions import Actor
from grants.core.together import alone
from grants.evaluation import queries as evaluation
from grants.evaluation.queries import own_sheets, packs, score_sheets
from tests.awards.test_letters import decided
from tests.evaluation.scene import Scene
from tests.statements import statements

__all__ = ["decided"]

Asked = Callable[[CallView, Actor], Any]
CHECKED: dict[str, Asked] = {
    "who is kept from the names of evaluators": lambda call, actor: public.refuse_kept_out(actor, call.id),
    "doubts that wait": lambda call, actor: evaluation.waiting_doubts(call.id),
    "conflicts found that wait": lambda call, actor: evaluation.waiting_detections(call.id),
    "what a list would forget": lambda call, actor: queries.forgotten(call.id),
    "what a list is made of": lambda call, actor: queries.live_list(call, BY_RANK),
    "what is published": lambda call, actor: publication._selected(call, tuple(SelectionKind)),
    "selections of a call": lambda call, actor: queries.selections(call.id),
    "who gets a letter": lambda call, actor: alone(letters._decided(call.id)),
    "words of letters": lambda call, actor: alone(letters._texts(call.id)),
    "mailings": lambda call, actor: alone(letters._mailings(call.id)),
    "moves from the reserve list": lambda call, actor: alone(reserve._moves(call.id)),
    "what an evaluator assesses": lambda call, actor: score_sheets.assessments(actor),
    "sheets that are begun": lambda call, actor: own_sheets.drafts(actor),
    "what an evaluator may take along": lambda call, actor: packs.to_read(actor),
}


@pytest.mark.parametrize("asked", CHECKED.values(), ids=CHECKED)
def test_nothing_is_behind_a_limit_where_everything_counts(decided: Scene, asked: Asked) -> None:
    call, manager = calls.call_by_id(decided.call_id), decided.actor("manager")

    with statements() as seen:
        asked(call, manager)

    assert seen and not [each for each in seen if "LIMIT" in each]
