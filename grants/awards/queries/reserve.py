"""What of a confirmed list came free, and who of its reserve list is next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import ranking
from grants.awards.models import Selection, SelectionItem, SelectionMove
from grants.awards.queries.lists import frozen_list
from grants.awards.queries.publication import STILL_SELECTED
from grants.awards.queries.ranked import Listed, Read, facts_of, planned
from grants.awards.queries.selections import numbered, opened, plan_of
from grants.awards.queries.settling import settled_in, settlements
from grants.awards.ranking import Bound, Candidate, Freed, Limits, Next, RankedList, Unit, Walk, next_of
from grants.awards.rules import (
    Facts,
    MoveView,
    NextView,
    Plan,
    RankingPage,
    ReservePage,
    SelectionView,
    facts_kept,
    halves_kept,
)
from grants.awards.rules.settling import Settlement, place
from grants.awards.states import Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView, exact_words
from grants.core import files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import Money, total
from grants.core.permissions import Actor, Scope
from grants.core.together import Asking, alone, ask, both, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import OfficialScore
from grants.identity import queries as identity

SELECTION_FILES = "selection"

_ENDED = (ApplicationState.DECLINED.value, ApplicationState.DROPPED.value)


def move_scope(move_id: UUID) -> Scope:
    """A move lies in the call of its list, which is locked first: its money becomes scarcer."""
    found = db.session.execute(
        select(Selection.call_id)
        .join(SelectionMove, SelectionMove.selection_id == Selection.id)
        .where(SelectionMove.id == move_id)
    ).scalar()
    if found is None:
        raise NotFound
    return evaluation.call_scope(found)


@reader
def next_on_reserve(selection_id: UUID) -> Asking[tuple[Freed, Next | None, Sequence[Any]]]:
    """What came free of a confirmed list, who is next, and its items with their applications as they stand now.

    Country, cities and inhabitants are those the list was decided with; a list from before they were frozen with it
    is reckoned with those of today. What a repeated evaluation settled stands for what the list said.
    """
    stock = yield from _stock(selection_id)
    items, row = stock.items, stock.row
    had = [item for item in items if _had_money(item)]
    freed = Freed(
        stock.holding,
        total(item.amount for item in had if item.state in _ENDED),
        # What went to those who were not selected by the list: moved up, or corrected by a complaint.
        total(item.amount for item in had if item.outcome != Outcome.SELECTED.value),
        row.budget - row.used,
        stock.free,
    )
    reserve = [
        stock.candidate(item)
        for item in items
        if stock.outcome(item) is Outcome.RESERVE and item.state == ApplicationState.RESERVE.value
    ]
    return freed, next_of(reserve, freed, stock.limits), items


@reader
def breaches_now(selection_id: UUID, application_id: UUID) -> Asking[tuple[str, ...]]:
    """Which rules of a confirmed list its application would break beside those who hold its money now.

    Whether the money is there is another question: the budget of the call counts, not what the list had.
    """
    stock = yield from _stock(selection_id)
    walk = Walk(stock.limits)
    for one in stock.holding:
        walk.take(Unit.of(0, (one,)))
    item = next(each for each in stock.items if each.application_id == application_id)
    found = walk.breaches(Unit.of(1, (stock.candidate(item),)))
    broken = tuple(words for bound, words in found.items() if bound is not Bound.BUDGET)
    # A list of before the amounts of those below a threshold were cut with the others.
    asked = item.amount if item.asked is None else item.asked
    if stock.plan.amount(item.reference, asked) < item.amount:
        broken += (f"every amount is cut by {exact_words(stock.plan.cut_percent)} %, and this one is not",)
    return broken


def list_anew(call: CallView, selection_id: UUID, score: OfficialScore) -> RankedList:
    """A confirmed list worked out again with the new score of one of its applications; for acts.

    The same rows, rules, facts, money and seed; what earlier repeated evaluations were settled as stands for what the list
    said. Raises :class:`Refused` where that is too hard.
    """
    stock = alone(_stock(selection_id))
    scores = {item.application_id: stock.score(item) for item in stock.items} | {score.application_id: score}
    return _anew(call, stock, scores)


def drawn_again(call: CallView, selection_id: UUID) -> tuple[Plan, RankedList]:
    """What a confirmed list was selected by, and the list made again from that: its group at the line is found and drawn anew.

    From what is kept with the decision alone: scores, rules, facts, rank intervals and seed.
    """
    stock = alone(_stock(selection_id))
    return stock.plan, _anew(call, stock, {item.application_id: stock.score(item) for item in stock.items})


def _anew(call: CallView, stock: _Stock, scores: Mapping[UUID, OfficialScore]) -> RankedList:
    rows = tuple(
        Listed(
            item.application_id,
            item.reference,
            item.title,
            item.state,
            item.amount if item.asked is None else item.asked,
        )
        for item in stock.items
    )
    tying = {
        UUID(key): (frozenset(topics), country) for key, (topics, country) in stock.row.rules.get("tying", {}).items()
    }
    return planned(call.content, stock.plan, Read(rows, (), scores, stock.row.budget, tying=tying), stock.facts)


@dataclass(frozen=True, slots=True)
class _Stock:
    """A confirmed list with its applications as they stand now, and what repeated evaluations settled of them."""

    row: Any
    items: Sequence[Any]
    plan: Plan
    facts: Mapping[UUID, Facts]
    free: Money
    places: Mapping[str, int]
    settled: Mapping[UUID, Settlement]

    @property
    def holding(self) -> tuple[Candidate, ...]:
        """Who has money of the list now."""
        return tuple(self.candidate(item) for item in self.items if _had_money(item) and item.state in STILL_SELECTED)

    @property
    def limits(self) -> Limits:
        """The rules of the list."""
        ids = {item.reference: item.application_id for item in self.items}
        groups = tuple(frozenset(ids[ref] for ref in group if ref in ids) for group in self.plan.exclusive)
        return Limits(self.row.budget, self.plan.rules, groups)

    def outcome(self, item: Any) -> Outcome:
        """What the list said, or what was settled since."""
        settlement = self.settled.get(item.application_id)
        return Outcome(item.outcome) if settlement is None else settlement.outcome

    def score(self, item: Any) -> OfficialScore:
        """By what it was ranked, or what was settled since."""
        kept = self.settled.get(item.application_id, item)
        return OfficialScore(
            item.application_id, halves_kept(kept.halves or {}), basis=kept.basis, shift_half=kept.shift_half
        )

    def candidate(self, item: Any) -> Candidate:
        """An item as the rules see it."""
        about = self.facts.get(item.application_id, Facts())
        strand = self.plan.rules.strand_of(item.asked if item.asked is not None else item.amount)
        rank, after = self._place(item)
        return Candidate(
            item.application_id, item.reference, rank, item.amount, about.country, about.cities,
            about.small(self.plan.rules.small_city_below), strand.name if strand else "", after=after,
        )  # fmt: skip

    def _place(self, item: Any) -> tuple[int, int]:
        """Its place in the order of the plan; tied ones share theirs, and so stand together: no alphabet decides."""
        settlement = self.settled.get(item.application_id)
        if settlement is None:
            return (self.places[item.reference] if self.plan.overrides else (item.rank or item.position)), 0
        key = self._key(settlement)
        ranked = [each for each in self.items if each.rank is not None and each.application_id not in self.settled]
        rank, after = place(key, [(self._key(each), each.rank) for each in ranked])
        if not self.plan.overrides or not rank:
            return rank, after
        return next(self.places[each.reference] for each in ranked if each.rank == rank), after

    def _key(self, scored: Any) -> tuple[Fraction, ...]:
        halves = halves_kept(scored.halves or {})
        ties = self.row.rules.get("tie_order", ())
        return (Fraction(scored.score or 0), *(Fraction(halves.get(name, 0)) for name in ties))


def _stock(selection_id: UUID) -> Asking[_Stock]:
    ((row,), items, complaints) = yield [
        select(Selection).where(Selection.id == selection_id),
        select(SelectionItem, Application.reference, Application.title, Application.state)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(SelectionItem.selection_id == selection_id)
        .order_by(SelectionItem.position),
        settled_in(select(SelectionItem.application_id).where(SelectionItem.selection_id == selection_id)),
    ]
    plan = plan_of(row)
    facts, free = yield from both(
        facts_frozen(row, [item.application_id for item in items]), calls.free.asking(row.call_id)
    )
    places = ranking.places_of(((item.reference, item.rank) for item in items if item.rank is not None), plan)
    return _Stock(row, items, plan, facts, free, places, settlements(complaints))


def _had_money(item: Any) -> bool:
    return item.outcome == Outcome.SELECTED.value or item.entry_id is not None


def facts_frozen(row: Any, application_ids: Sequence[UUID]) -> Asking[Mapping[UUID, Facts]]:
    """The facts a list was decided by, as they were frozen with it; as they are now where none were."""
    frozen = row.rules.get("facts")
    if frozen is not None:
        return facts_kept(frozen)
    return (yield from facts_of.asking(application_ids))


@reader
def selection_page(actor: Actor, slug: str, number: int) -> Asking[tuple[RankingPage, SelectionView]]:
    """One selection as it was frozen, whatever became of it, with its page; raises :class:`NotFound`.

    Nothing of its reserve list for whoever has a conflict with a row of it.
    """
    call, views = yield from opened.asking(actor, slug)
    view = numbered(views, number)
    asked: list[Asking[Any]] = [
        frozen_list(actor, call, views, view), reserve_page.asking(view), files.listed.asking(SELECTION_FILES, view.id)
    ]  # fmt: skip
    shown, reserve, made = yield from side_by_side(asked)
    if shown.partial:
        return shown, view
    return replace(shown, reserve=reserve), replace(view, has_minute=bool(made))


@reader
def reserve_page(view: SelectionView) -> Asking[ReservePage]:
    """The reserve list of a confirmed ranked list: what came free, who is next, what was decided. Empty for others."""
    if view.kind is not SelectionKind.RANKED or view.state is not SelectionState.CONFIRMED:
        return ReservePage()
    (freed, found, items), moves = yield from both(next_on_reserve.asking(view.id), _moves(view.id))
    named = {item.application_id: (item.reference, item.title, item.rank) for item in items}
    ended = tuple(
        (item.reference, item.title, item.amount) for item in items if _had_money(item) and item.state in _ENDED
    )
    proposed = None
    if found is not None:
        reference, title, rank = named[found.candidate.application_id]
        place_words = f"rank {rank}"
        if found.candidate.after:
            where = f"after rank {found.candidate.rank}" if found.candidate.rank else "before rank 1"
            place_words = f"{where} by its repeated evaluation"
        proposed = NextView(
            found.candidate.application_id, reference, title, place_words, found.candidate.amount, found.words
        )
    return ReservePage(ended, freed.available, proposed, moves, freed.added)


def _moves(selection_id: UUID) -> Asking[tuple[MoveView, ...]]:
    rows = yield from ask(
        select(SelectionMove, Application.reference, Application.title)
        .join(Application, Application.id == SelectionMove.application_id)
        .where(SelectionMove.selection_id == selection_id)
        .order_by(SelectionMove.number)
        .limit(500)
    )
    people = yield from identity.people.asking(
        who for row in rows for who in (row.decided_by, row.confirmed_by, row.returned_by) if who
    )

    def name(who: UUID | None) -> str:
        return people[who].name if who in people else ""

    return tuple(
        MoveView(
            row.id, row.number, SelectionState(row.state), row.version, row.application_id, row.reference, row.title, row.amount,
            row.words, row.reason, name(row.decided_by), row.decided_by, row.decided_at, name(row.confirmed_by),
            name(row.returned_by), row.return_reason or "",
        )
        for row in rows
    )  # fmt: skip
