"""Who is put in order by lot at the budget line, and the list with the drawn order. Pure: the same seed, the same list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from grants.awards.ranking.ranked import Ranked, RankedList
from grants.awards.rules import Plan
from grants.awards.states import Outcome
from grants.calls.rules import DrawRules
from grants.core.money import ZERO, total

# A list as it is with the panel's order of tied applications, and with those that were drawn, in drawn order.
Making = Callable[[Sequence[UUID], Sequence[UUID]], RankedList]


def line_group(found: RankedList, rules: DrawRules, plan: Plan) -> tuple[Ranked, ...]:
    """The rows that are drawn: those at the first that does not fit, as the call says; none where that is one alone.

    What a plan itself moves to a place is not drawn, and the group is not found by it.
    """
    moved = {each.reference for each in plan.overrides if each.rank is not None}
    rows = [row for row in found.rows if row.rank is not None and row.reference not in moved]
    short = next((place for place, row in enumerate(found.rows) if row.straddles), len(found.rows))
    first = next((row for row in found.rows[short:] if row in rows and row.outcome is not Outcome.SELECTED), None)
    if first is None:
        return ()
    if rules.intervals and plan.intervals is not None and plan.intervals.each:
        crossing = plan.intervals.crossing(found.rows.index(first))
        # Who is tied with one of them by every rule is treated alike.
        ranks = {row.rank for row in rows if row.reference in crossing}
        members = [row for row in rows if row.rank in ranks]
    elif rules.within:
        members = [row for row in rows if abs(row.score - first.score) <= rules.within]
    else:
        members = [row for row in rows if row.rank == first.rank]
    return tuple(members) if len(members) > 1 else ()


def drawn_list(made: Making, rules: DrawRules, plan: Plan, panel_order: Sequence[UUID]) -> RankedList:
    """The list with its group at the line in drawn order; before the draw, with the words that say who will be drawn.

    The panel has no part in the order of that group: it is found without, and drawn.
    """
    group = line_group(made((), ()), rules, plan)
    if not group:
        return replace(made(panel_order, ()), intervals=plan.intervals)
    ids = {row.reference: row.application_id for row in group}
    others = [key for key in panel_order if key not in ids.values()]
    count = len(group)
    if plan.draw is None:
        found = made(others, ())
        words = f"{count} applications at the line are put in order by lot when the list is confirmed{_how_many(found, group, plan)}."
        ties = tuple(tie for tie in found.undecided_ties if not set(tie) <= set(ids.values()))
        told = dict.fromkeys(
            ids.values(), f"One of {count} at the line that are drawn by lot when the list is confirmed."
        )
        # Each alone may fit, or none: nobody of them is short of an amount before the draw.
        rows = tuple(replace(row, missing=ZERO) if row.application_id in told else row for row in found.rows)
        return replace(
            _with_words(replace(found, rows=rows), told),
            undecided_ties=ties,
            draw_words=words,
            intervals=plan.intervals,
        )
    order = plan.draw.order(ids)
    draw = replace(plan.draw, drawn=order)
    told = {ids[reference]: draw.place_words(reference) for reference in order}
    found = _with_words(made(others, [ids[reference] for reference in order]), told)
    words = f"The order of {count} applications at the line was drawn by lot."
    return replace(found, draw_words=words, drawn=order, intervals=plan.intervals)


def _how_many(found: RankedList, group: Sequence[Ranked], plan: Plan) -> str:
    """How many of a group the lot selects, where any order selects as many; else only what is left for them."""
    ids = {row.application_id for row in group}
    places = [place for place, row in enumerate(found.rows) if row.application_id in ids]
    first = places[0]
    if places[-1] - first >= len(places):
        # Others stand between them, and take of what is left.
        return ""
    above = found.rows[:first]
    left = found.budget - total(row.amount for row in above if row.outcome is Outcome.SELECTED)
    asked = {row.amount for row in group}
    if len(asked) > 1 or not plan.is_plain:
        return f": {left} is left for them"
    each = asked.pop()
    many = min(len(group), left.cents // each.cents) if each else len(group)
    return f", and {many} of them will be selected: {left} is left, and each asks for {each}"


def _with_words(found: RankedList, told: Mapping[UUID, str]) -> RankedList:
    rows = tuple(
        replace(row, rule_words=" ".join(filter(None, (told.get(row.application_id, ""), row.rule_words))))
        for row in found.rows
    )
    return replace(found, rows=rows)
