"""A plan applied to the official list: who is selected, on the reserve or out, and by which rule; ranks stay as they are."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from grants.awards.ranking.answers import Known
from grants.awards.ranking.portfolio import Portfolio, Verdict, select, without_solver
from grants.awards.ranking.ranked import Ranked, RankedList
from grants.awards.ranking.rows import Candidate, Limits
from grants.awards.rules import Facts, Plan
from grants.awards.states import Outcome
from grants.core.money import ZERO, Money


def within(found: RankedList, plan: Plan, facts: Mapping[UUID, Facts], known: Known | None = None) -> RankedList:
    """The official list as a plan selects from it; a plain plan changes nothing.

    With ``known`` what only a solver can say is looked up there, and not worked out unless it is allowed to.
    """
    if plan.is_plain:
        return found
    candidates = candidates_of(found, plan, facts)
    made = _selected(tuple(candidates), limits_of(found, plan), known)
    places = {one.application_id: one for one in candidates}
    ranked = sorted(
        (row for row in found.rows if row.rank is not None),
        key=lambda row: (places[row.application_id].rank, row.rank, row.reference),
    )
    rows, running, reserved, at = [], ZERO, 0, 0
    while at < len(ranked):
        group = [
            row for row in ranked[at:] if places[row.application_id].rank == places[ranked[at].application_id].rank
        ]
        at += len(group)
        outcome = Outcome.SELECTED
        if not made.verdicts[group[0].application_id].selected:
            # A tied group goes on the reserve list whole or not at all.
            most = plan.rules.reserve_max
            on_reserve = most is None or reserved + len(group) <= most
            reserved = reserved + len(group) if on_reserve else (most or 0)
            outcome = Outcome.RESERVE if on_reserve else Outcome.NOT_FUNDED
        for row in group:
            one = places[row.application_id]
            running = running + one.amount
            rows.append(_judged(row, plan, made.verdicts[row.application_id], outcome, one.amount, running))
    # What they would get were they selected after all, by a complaint.
    below = [_cut(row, plan) for row in found.rows if row.rank is None]
    return replace(found, rows=(*rows, *below), used=made.used, relaxed=made.relaxed)


def _cut(row: Ranked, plan: Plan) -> Ranked:
    amount = plan.amount(row.reference, row.requested)
    return row if amount == row.requested else replace(row, recommended=amount)


def _selected(candidates: tuple[Candidate, ...], limits: Limits, known: Known | None) -> Portfolio:
    if known is None:
        return _solved(candidates, limits)
    return without_solver(candidates, limits) or known.portfolio(candidates, limits)


@functools.lru_cache(maxsize=16)
def _solved(candidates: tuple[Candidate, ...], limits: Limits) -> Portfolio:
    return select(candidates, limits)


def candidates_of(found: RankedList, plan: Plan, facts: Mapping[UUID, Facts]) -> list[Candidate]:
    """The rows above every threshold as the rules see them, in the order of the plan; ties keep one place."""
    ranked = [row for row in found.rows if row.rank is not None]

    places = places_of(((row.reference, row.rank or 0) for row in ranked), plan)
    return [_candidate(row, places[row.reference], plan, facts) for row in ranked]


def places_of(ranks: Iterable[tuple[str, int]], plan: Plan) -> dict[str, int]:
    """The place of each ranked reference in the order of a plan; ties keep one place.

    >>> places_of((("A", 1), ("B", 2), ("C", 2)), Plan())
    {'A': 1, 'B': 2, 'C': 2}
    """

    def key(reference: str, rank: int) -> tuple[int, int, str]:
        own = plan.about(reference)
        # Whoever is moved to a place stands before those who hold it.
        return (own.rank, 0, reference) if own is not None and own.rank is not None else (rank, 1, "")

    keys = {reference: key(reference, rank) for reference, rank in ranks}
    numbers = {one: number for number, one in enumerate(sorted(set(keys.values())), 1)}
    return {reference: numbers[one] for reference, one in keys.items()}


def _candidate(row: Ranked, place: int, plan: Plan, facts: Mapping[UUID, Facts]) -> Candidate:
    about = facts.get(row.application_id, Facts())
    strand = plan.rules.strand_of(row.requested)
    # Scores over one denominator would differ from list to list; a thousandth of a half point orders them all.
    score = row.score.numerator * 2_000 // row.score.denominator
    return Candidate(
        row.application_id, row.reference, place, plan.amount(row.reference, row.requested), about.country, about.cities,
        about.small(plan.rules.small_city_below), strand.name if strand else "", score,
        inhabitants=about.inhabitants,
    )  # fmt: skip


def limits_of(found: RankedList, plan: Plan) -> Limits:
    """The rules of a plan with the budget of the list, groups of references as groups of applications."""
    ids = {row.reference: row.application_id for row in found.rows}
    groups = [frozenset(ids[reference] for reference in group if reference in ids) for group in plan.exclusive]
    return Limits(found.budget, plan.rules, tuple(dict.fromkeys(groups)))


def _judged(row: Ranked, plan: Plan, verdict: Verdict, outcome: Outcome, amount: Money, running: Money) -> Ranked:
    own = plan.about(row.reference)
    said: Sequence[str] = [verdict.strand_line, verdict.words]
    if own is not None and own.rank is not None:
        said = [verdict.strand_line, f"Moved to place {own.rank}: {own.reason}", verdict.words]
    return replace(
        row,
        outcome=outcome,
        running_total=running,
        straddles=verdict.straddles,
        missing=verdict.missing,
        strand_line=verdict.strand_line,
        rule_words=" ".join(filter(None, said)),
        recommended=amount if amount != row.requested else None,
        conditions=own.conditions if own else "",
    )
