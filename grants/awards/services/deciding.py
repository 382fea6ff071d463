"""A ranked list is decided by one person: frozen as this person saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.applications.states import ApplicationState
from grants.awards import queries, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.queries.ranked import LiveList
from grants.awards.ranking import Ranked, RankedList
from grants.awards.rules import DecisionInput, Plan, ScenarioView
from grants.awards.rules.heard import among, order_reason, refuse_old_order, refuse_strange_order
from grants.awards.states import (
    AmountBasis,
    SelectionKind,
    SelectionState,
)
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Conflict, Refused
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries as evaluation
from grants.evaluation.queries import call_scope
from grants.evaluation.rules import OfficialScore, beyond_words


@act("selection.decide", needs=Permission.SELECTION_DECIDE, scope=call_scope, says="decided the selection of {subject}")
def decide(actor: Actor, call_id: UUID, values: DecisionInput) -> int:
    """Freeze the ranked list as this person saw it; another person confirms it. Returns the selection's number."""
    values = values.checked()
    call = calls.call_by_id(call_id)
    refuse_open_list(call_id)
    rules.refuse_second_list(confirmed_list(call_id))
    scenario = None if values.scenario is None else queries.scenario_of(call_id, values.scenario)
    published = call.content.selection
    plan = rules.plan_of(published, values.panel_order, values.overrides)
    if scenario is not None:
        plan = scenario.plan
    listed = queries.live_list(call, plan)
    found, _, scores = listed
    _refuse_who_decides(actor, call_id, listed)
    complaints, refused_draws = _refuse_what_waits(call_id, values)
    _refuse_unready(call, listed)
    refuse = rules.refuse_departures if scenario is None else rules.refuse_old_departures
    refuse(
        plan,
        {row.reference: row.requested for row in found.rows},
        published,
        found.budget,
        draws=call.content.draw is not None,
    )
    said = among(queries.order_said(call_id), {row.reference for row in found.rows})
    plan = replace(_in_order(plan, values, found, said), intervals=found.intervals)
    _refuse_other_list(call_id, found, values)
    rules.refuse_over_budget(found.used, calls.free(call_id))
    selection = new_selection(actor, call_id, SelectionKind.RANKED, found.budget, found.used, values.reason)
    if scenario is not None:
        selection.scenario_id = scenario.id
    selection.rules = _rules_kept(call, plan, found, said) | _departures_kept(call, plan, found, scenario)
    selection.despite = values.despite if complaints else ""
    if refused_draws:
        selection.rules = selection.rules | {"redrawn": values.redrawn}
    selection.undrawn = bool(found.draw_words)
    keep(selection, call, plan, found)
    db.session.add(selection)
    freeze(selection, found, scores)
    acts.reason(values.reason)
    return selection.number


def _refuse_who_decides(actor: Actor, call_id: UUID, listed: LiveList) -> None:
    """Whoever is kept from one of its applications decides no list, and no list forgets one."""
    found, waiting, _ = listed
    forgotten = queries.forgotten(call_id)
    refuse_conflicted(actor, [row.application_id for row in found.rows] + [row.id for row in waiting], forgotten)
    rules.refuse_forgotten(*queries.without_evaluation(forgotten))


def _refuse_what_waits(call_id: UUID, values: DecisionInput) -> tuple[int, Sequence[int]]:
    """Nothing is decided over what still waits for a person; returns how many complaints and which refused draws it goes over."""
    rules.refuse_doubts(evaluation.waiting_doubts(call_id))
    rules.refuse_found(evaluation.waiting_detections(call_id))
    rules.refuse_shifts(evaluation.waiting_shifts(call_id))
    complaints = queries.complaints.about_eligibility(call_id)
    rules.refuse_complaints(complaints, values.despite)
    refused_draws = _refused_draws(call_id)
    rules.refuse_redraw(refused_draws, values.redrawn)
    return complaints, refused_draws


def _refuse_unready(call: CallView, listed: LiveList) -> None:
    """A list is decided once every application has its score, and the rules of the call can be kept."""
    found, waiting, scores = listed
    for row in waiting:
        if beyond := beyond_words(scores[row.id].shift_half, call.content.scoring):
            raise Refused(f"{row.reference}: {beyond}")
    if waiting:
        names = ", ".join(row.reference for row in waiting[:5])
        raise Refused(rules.waiting_words(len(waiting), names, call.content.scoring.method))
    if not found.rows:
        raise Refused("No application of this call is under evaluation. There is nothing to decide.")
    if found.relaxed:
        raise Refused(" ".join(found.relaxed))


def _refuse_other_list(call_id: UUID, found: RankedList, values: DecisionInput) -> None:
    """What is decided is the list that was seen, and one that can be drawn where it is drawn."""
    if found.straddling and found.intervals is not None and found.intervals.missing:
        raise Refused(rules.INTERVALS_MISSING)
    if queries.hash_of(found) != values.list_hash:
        raise Conflict(
            "The list changed after you opened it: a score, a budget or a rule is different. Look at it again."
        )
    # Whoever decides knows no seed yet: a group at the line is drawn when another person confirms the list.
    assert not found.draw_words or calls.draw_sha256(call_id), "the publication of a call that draws makes its seed"


def _rules_kept(call: CallView, plan: Plan, found: RankedList, said: Sequence[str]) -> dict[str, Any]:
    """By which rules of the call the list was made, kept with it."""
    content = call.content
    kept: dict[str, Any] = {
        "line": plan.line.value,
        "reserve_max": plan.rules.reserve_max,
        "panel_order": list(plan.panel_order),
        # What signed minutes say now: whoever confirms is refused where later ones say another order.
        "panel_said": list(said),
        "tie_order": list(content.tie_order),
        "total_threshold_half": content.total_threshold_half,
        "criteria": encoding.encode(list(content.criteria)),
        "scale": encoding.encode(content.scale),
        "scoring": encoding.encode(content.scoring),
    }
    if tying := queries.tying_of(content, [row.application_id for row in found.rows]):
        # What its ties were decided by, for whoever makes the list again.
        kept["tying"] = {str(key): [sorted(topics), country] for key, (topics, country) in tying.items()}
    return kept


def _departures_kept(call: CallView, plan: Plan, found: RankedList, scenario: ScenarioView | None) -> dict[str, Any]:
    """What of the list is no rule of the call: the scenario it comes from, departures with their reasons, an order that was told."""
    kept: dict[str, Any] = {}
    if scenario is not None:
        kept["scenario"] = {"number": scenario.number, "name": scenario.name}
    if not plan.is_plain or scenario is not None:
        # Moves from the reserve list go by what was so when the list was decided, whatever a register says later.
        kept["departures"] = rules.departures(plan, call.content.selection)
        kept["facts"] = rules.kept_facts(queries.facts_of([row.application_id for row in found.rows]))
    if plan.order_told:
        # Apart from departures from the rules, which it is none of; without its reason, which letters do not tell.
        kept["order_told"] = plan.order_told
    return kept


def _in_order(plan: Plan, values: DecisionInput, found: RankedList, said: Sequence[str]) -> Plan:
    """The plan with why its order of ties is not the panel's: nobody else says in its name who stands first."""
    listed = frozenset(row.reference for row in found.rows)
    if values.scenario is not None:
        refuse_old_order(plan.panel_order, said, listed)
        # Whom its panel named may have left the list since it was saved.
        return replace(plan, panel_order=among(plan.panel_order, listed))
    refuse_strange_order(plan.panel_order, listed)
    return replace(plan, order_reason=order_reason(plan.panel_order, said, listed, values.order_reason))


def _refused_draws(call_id: UUID) -> list[int]:
    """The numbers of the lists of a call whose draw by lot was refused."""
    refused = (Selection.call_id == call_id, Selection.draw_refused_at.is_not(None))
    return list(db.session.scalars(select(Selection.number).where(*refused).order_by(Selection.number)))


def refuse_open_list(call_id: UUID) -> None:
    standing = db.session.scalars(
        select(Selection).where(Selection.call_id == call_id, Selection.state == SelectionState.DECIDED.value)
    ).first()
    if standing is not None:
        raise Refused(
            f"List {standing.number} of this call waits for a second person. Have it confirmed or returned before another is decided."
        )


def confirmed_list(call_id: UUID) -> int | None:
    """The number of the ranked list of a call that two people decided."""
    return db.session.scalar(
        select(Selection.number).where(
            Selection.call_id == call_id,
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
        )
    )


def refuse_conflicted(actor: Actor, application_ids: Sequence[UUID], beside: Sequence[queries.Listed] = ()) -> None:
    """Whoever has a conflict with one application of a list, takes part in one, or did not declare about it, decides nothing.

    ``beside`` are applications the list would forget; nobody declares about those before they are eligible.
    """
    application_ids = [*application_ids, *(row.id for row in beside if row.state == ApplicationState.ELIGIBLE.value)]
    shut = evaluation.undecidable(actor, application_ids, [row.id for row in beside])
    if not shut:
        return
    if actor.barred("application") & shut or shut - evaluation.undeclared(actor, application_ids):
        raise Refused(
            "You have a conflict of interest with an application of this call, or take part in one, so you cannot decide "
            "its list. Somebody else must."
        )
    raise Refused(rules.UNDECLARED)


def new_selection(
    actor: Actor, call_id: UUID, kind: SelectionKind, budget: Money, used: Money, reason: str
) -> Selection:
    assert actor.user_id is not None, "only a person decides"
    last = db.session.scalar(select(func.max(Selection.number)).where(Selection.call_id == call_id)) or 0
    return Selection(
        call_id=call_id,
        number=last + 1,
        kind=kind.value,
        state=SelectionState.DECIDED.value,
        budget=budget,
        used=used,
        rules={},
        line_words="",
        reason=reason,
        despite="",
        decided_by=actor.user_id,
        decided_at=acts.moment(),
    )


def keep(selection: Selection, call: CallView, plan: Plan, found: RankedList) -> None:
    """What a list as a whole comes to, kept with its selection."""
    by_the_call = plan
    if selection.scenario_id is not None:
        by_the_call = rules.plan_of(call.content.selection, plan.panel_order)
    # Nobody is under evaluation once it is confirmed: what was compared is kept as it was.
    of = None if selection.scenario_id is None else selection.rules["scenario"]["number"]
    figures = queries.figures_now(call, by_the_call, plan.draw, {of: found})
    selection.compared = {"value": encoding.encode(figures)}
    selection.rules = selection.rules | {"plan": encoding.encode(plan)}
    selection.used = found.used
    selection.line_words = found.line_words
    selection.list_sha256 = bytes.fromhex(queries.hash_of(found))


def freeze(selection: Selection, found: RankedList, scores: Mapping[UUID, OfficialScore]) -> None:
    for position, row in enumerate(found.rows, 1):
        db.session.add(
            SelectionItem(
                selection_id=selection.id,
                application_id=row.application_id,
                amount_basis=AmountBasis.REQUESTED.value,
                score=str(row.score),
                halves=rules.kept_halves(row.halves),
                shift_half=row.shift_half,
                basis=scores[row.application_id].basis,
                threshold_words=row.threshold_words,
                undrawn=selection.undrawn,
                **placed(position, row),
            )
        )


def placed(position: int, row: Ranked) -> dict[str, Any]:
    """Where an application stands on a list, and what follows from that: all a draw by lot may change."""
    return {
        "position": position,
        "rank": row.rank,
        "outcome": row.outcome.value,
        "amount": row.amount,
        "asked": None if row.recommended is None else row.requested,
        "conditions": row.conditions,
        "rule_words": row.rule_words,
        "tie_words": "\n".join(row.tie_sentences),
        "straddles": row.straddles,
        "missing": row.missing,
    }
