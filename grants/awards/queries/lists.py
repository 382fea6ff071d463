"""The ranked list: as it would be decided now, or as it was frozen, in the scope of who looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import SelectBase, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards import ranking, rules
from grants.awards.models import SelectionItem
from grants.awards.queries.ranked import (
    Listed,
    forgotten,
    hash_of,
    in_state,
    live_list,
    why_told,
    without_evaluation,
)
from grants.awards.queries.selections import opened
from grants.awards.queries.settling import repeated_by
from grants.awards.ranking import Ranked, RankedList
from grants.awards.rules import LISTS_KEPT, Kept, Override, Plan, RankingPage, RankingRow, SelectionView, WaitingRow
from grants.awards.states import AmountBasis, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import TIE_WORDS, CallView, tie_words
from grants.core import clock
from grants.core.kept import ByIdentity
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, RawAnswer, ask, ask_lately, both, reader, side_by_side, stand
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import OfficialScore, shift_words
from grants.identity.models import Organisation

MOVES_SCORES = (Permission.SELECTION_DECIDE, Permission.SELECTION_CONFIRM)


@reader
def ranking_page(
    actor: Actor, slug: str, *, panel_order: Sequence[str] = (), plan: Plan | None = None, overrides: Sequence[Override] = ()
) -> Asking[RankingPage]:  # fmt: skip
    """The ranked list with its line: frozen once decided, else as it would be now. At most six statements.

    Somebody with a conflict, or who must declare and did not, sees neither the application nor ranks and totals it
    could be inferred from.
    """
    (call, views), stands_at = yield from both(opened.asking(actor, slug), stand.asking())
    plan = plan or rules.plan_of(call.content.selection, panel_order, overrides)
    return (yield from shown_list(actor, call, views, plan, stands_at))


def shown_list(
    actor: Actor, call: CallView, views: Sequence[SelectionView], plan: Plan, stands_at: str | None = None
) -> Asking[RankingPage]:
    """The ranked list of a call that was opened, while the database stood at that."""
    standing = standing_of(views)
    if standing is not None:
        return (yield from frozen_list(actor, call, views, standing))
    return (yield from _page(actor, call, views, None, live_list.asking(call, plan, stands_at), plan, stands_at))


def standing_of(views: Sequence[SelectionView]) -> SelectionView | None:
    """The ranked list that was decided and not returned."""
    return next((v for v in views if v.kind is SelectionKind.RANKED and v.state is not SelectionState.RETURNED), None)


def frozen_list(
    actor: Actor, call: CallView, views: Sequence[SelectionView], view: SelectionView, kept: Kept | None = None
) -> Asking[RankingPage]:
    """One selection of a call that was opened, as it was frozen; with ``kept`` what a scenario came to beside it."""
    listed = frozen(call, view, kept)
    shown = yield from _page(actor, call, views, view, listed, kept.plan if kept else view.plan or Plan())
    if kept is None:
        return shown
    return replace(shown, line_words="" if shown.partial else kept.line_words, list_hash=kept.list_hash)


def _page(
    actor: Actor,
    call: CallView,
    views: Sequence[SelectionView],
    standing: SelectionView | None,
    listed: Asking[tuple[RankedList, Sequence[Any], Mapping[UUID, OfficialScore]]],
    plan: Plan,
    stands_at: str | None = None,
) -> Asking[RankingPage]:
    (found, waiting, scores), left_out = yield from both(listed, _left_out(call.id, standing))
    ids = [row.application_id for row in found.rows] + [row.id for row in (*waiting, *left_out)]
    # What was published elsewhere is public: nobody declares about it.
    published = standing is not None and standing.kind is SelectionKind.PUBLISHED_OUTCOME
    # Nobody declares about an application before it is eligible.
    early = [row.id for row in left_out if row.state == ApplicationState.SUBMITTED.value]
    asked = () if published else [key for key in ids if key not in early]
    about: list[Asking[Any]] = [
        evaluation.shut_to.asking(actor, asked, early), _places(call.id, stands_at),
        _drawing(call, plan, standing), repeated_by([row.id for row in left_out] if standing else []),
    ]  # fmt: skip
    shut, places, drawing, repeated = yield from side_by_side(about)
    # A list as it would be decided now is the same from look to look; a frozen one is read from its record each time.
    if standing is None:
        made = _drawn_up_lately(ByIdentity(found), ByIdentity(scores), *places)
    else:
        made = _drawn_up(found, scores, *places)
    # Whoever declared a conflict is asked nothing more, even when the bar has ended with the publication.
    barred = actor.barred("application") | shut
    undeclared = shut - actor.barred("application") if actor.can(Permission.CONFLICT_DECLARE) else frozenset()
    undeclared -= yield from evaluation.conflicted.asking(actor, undeclared)
    partial = bool(barred & set(ids))
    rows = made.rows
    if partial:
        rows = tuple(_without_rank(row) for row in rows if row.application_id not in barred)
    names = {criterion.key: criterion.name for criterion in call.content.criteria}
    return RankingPage(
        call.id, call.slug, call.title, call.reference, call.content.criteria, call.content.marking,
        call.content.total_threshold_half,
        call.content.marking.weighted,
        _order_words(call.content.tie_order, names),
        rows,
        _waiting_rows(waiting, made.towns, barred, scores),
        found.budget,
        found.used,
        "" if partial or found.unsolved else (standing.line_words if standing else _line_words(ByIdentity(found), len(waiting))),
        standing.list_hash if standing else _hash_of(ByIdentity(found)),
        () if partial else found.undecided_ties,
        standing,
        tuple(view for view in views if view is not standing),
        partial,
        ranking.score_words(call.content.marking.score_max),
        len(undeclared),
        _waiting_rows(left_out, made.towns, barred),
        # What is evaluated again was on the list and did not come after it.
        _left_out_words([row for row in left_out if row.id not in {*barred, *repeated}], standing, call.is_open(clock.now())),
        not left_out,
        standing is None
        and (call.content.scoring.board_shift_half > 0 or any(one.shift_half for one in scores.values()))
        and any(actor.may(one, Scope.of(("call", call.id))) for one in MOVES_SCORES),
        () if partial else why_told(found), plan.rules if standing else call.content.selection,
        # A plan names applications.
        None if partial or published else plan, shut=barred,
        drawing=() if (partial and plan.draw) or published else drawing, undrawn=standing.undrawn if standing else bool(found.draw_words), unsolved=found.unsolved, question_sha256=found.question_sha256,
        repeats=tuple((row.reference, repeated[row.id]) for row in left_out if row.id in repeated and row.id not in barred),
    )  # fmt: skip


def _drawing(call: CallView, plan: Plan, standing: SelectionView | None) -> Asking[tuple[str, ...]]:
    """What of a list is drawn by lot, in sentences: the draw that was made, or what is known of one to come."""
    if plan.draw is not None:
        return plan.draw.told
    if call.content.draw is None:
        return ()
    sha256 = yield from calls.draw_sha256.asking(call.id)
    said = (*call.content.draw.sentences, f"SHA-256 of the seed: {sha256}.")
    if standing is not None and plan.intervals is not None:
        said = (*said, plan.intervals.words)
    return (*said, standing.draw_words) if standing else said


def _left_out(call_id: UUID, standing: SelectionView | None) -> Asking[tuple[Listed, ...]]:
    """What a list decided now would forget, or what came after the list that stands."""
    if standing is None:
        return (yield from forgotten.asking(call_id))
    if standing.kind is not SelectionKind.RANKED or standing.state is SelectionState.RETURNED:
        return ()
    if standing.state is SelectionState.DECIDED:
        return (yield from forgotten.asking(call_id))
    came = (ApplicationState.SUBMITTED, ApplicationState.ELIGIBLE, ApplicationState.UNDER_EVALUATION)
    return (yield from in_state.asking(call_id, *came))


def _left_out_words(rows: Sequence[Listed], standing: SelectionView | None, still_open: bool) -> str:
    if standing is not None and standing.state is SelectionState.CONFIRMED:
        return rules.late_words(standing.number, [row.reference for row in rows])
    return rules.forgotten_words(*without_evaluation(rows), still_open)


def _waiting_rows(
    rows: Sequence[Listed],
    cities: Mapping[UUID, str],
    barred: Collection[UUID],
    scores: Mapping[UUID, OfficialScore] = MappingProxyType({}),
) -> tuple[WaitingRow, ...]:
    return tuple(
        WaitingRow(row.reference, row.title, cities.get(row.id, ""), scores[row.id].missing if row.id in scores else "")
        for row in rows
        if row.id not in barred
    )


def _order_words(order: Sequence[str], names: Mapping[str, str]) -> str:
    if not order:
        return "This call declares no order for ties: tied applications share a rank until the panel decides."
    if TIE_WORDS.keys().isdisjoint(order):
        told = ", then for ".join(names[key] for key in order)
        return f"Ties are decided by the higher score for {told}. What stays equal shares a rank."
    return f"Of tied applications the one with {tie_words(order, names)} comes first. What stays equal shares a rank."


def shown_rows(
    found: RankedList, scores: Mapping[UUID, OfficialScore], cities: Mapping[UUID, str], countries: Mapping[UUID, str]
) -> tuple[RankingRow, ...]:
    """The rows of a list as pages and papers show them."""
    rows, spent = [], ZERO
    picked = rules.is_picked([row.outcome for row in found.rows])
    straddling = sum([row.straddles for row in found.rows])
    for row in found.rows:
        official = scores.get(row.application_id)
        if picked and row.outcome is Outcome.SELECTED:
            spent = spent + row.amount
        rows.append(
            RankingRow(
                row.application_id,
                row.reference,
                row.title,
                cities.get(row.application_id, ""),
                countries.get(row.application_id, ""),
                row.rank,
                row.score,
                row.halves,
                official.evaluator_totals if official else (),
                row.unweighted_half,
                row.requested,
                AmountBasis.REQUESTED,
                spent if picked else row.running_total,
                row.outcome,
                row.straddles,
                row.missing,
                row.tie_sentences,
                row.threshold_words,
                basis=official.basis if official else "",
                shift_words=_moved(row.shift_half, official),
                changed=official.changed if official else 0,
                rule_words=row.rule_words,
                amount=row.amount,
                conditions=row.conditions,
                moved_up=row.moved_up,
                line_said=rules.line_said(row.amount, row.missing, straddling) if row.straddles else "",
            )
        )
    return _with_line(rows)


def _moved(half: int, official: OfficialScore | None) -> str:
    """What the panel moved a score by; with its reason, as long as that is the move that stands."""
    if not half:
        return ""
    if official is not None and official.shift_half == half:
        return official.shift_words
    return f"Moved by the panel by {shift_words(half)}."


def _with_line(rows: Sequence[RankingRow]) -> tuple[RankingRow, ...]:
    """The line lies below the last row before the first one that does not fit."""
    cut = next((number for number, row in enumerate(rows) if row.straddles), None)
    if cut is None:
        ranked = [number for number, row in enumerate(rows) if row.rank is not None]
        cut = ranked[-1] + 1 if ranked else 0
    if not cut:
        return tuple(rows)
    return (*rows[: cut - 1], replace(rows[cut - 1], line_after=True), *rows[cut:])


def _without_rank(row: RankingRow) -> RankingRow:
    return replace(
        row, rank=None, running_total=ZERO, straddles=False, missing=ZERO, tie_sentences=(), line_after=False, rule_words="",
        line_said="",
    )  # fmt: skip


class _DrawnUp(NamedTuple):
    """What pages show of a list, whoever looks: its rows, and the towns of every application."""

    rows: tuple[RankingRow, ...]
    towns: Mapping[UUID, str]


def _drawn_up(
    found: RankedList, scores: Mapping[UUID, OfficialScore], towns: RawAnswer, countries: RawAnswer
) -> _DrawnUp:
    names = evaluation.joined_towns(evaluation.towns_of(towns.rows))
    return _DrawnUp(shown_rows(found, scores, names, dict(countries.rows)), names)


@lru_cache(maxsize=LISTS_KEPT)
def _drawn_up_lately(
    found: ByIdentity[RankedList],
    scores: ByIdentity[Mapping[UUID, OfficialScore]],
    towns: RawAnswer,
    countries: RawAnswer,
) -> _DrawnUp:
    return _drawn_up(found.value, scores.value, towns, countries)


@lru_cache(maxsize=LISTS_KEPT)
def _hash_of(found: ByIdentity[RankedList]) -> str:
    return hash_of(found.value)


# Made once: an alias made anew copies every column of its table.
_OF_CALL = aliased(Application)


@lru_cache(maxsize=LISTS_KEPT)
def _line_words(found: ByIdentity[RankedList], waiting: int) -> str:
    return found.value.line_so_far(waiting)


def _places(call_id: UUID, stands_at: str | None) -> Asking[tuple[RawAnswer, ...]]:
    """The towns of every application of a call, and the country of its lead, unread."""

    def questions() -> list[SelectBase]:
        ids = select(_OF_CALL.id).where(_OF_CALL.call_id == call_id)
        countries = (
            select(Application.id, Organisation.country_code)
            .join(Organisation, Organisation.id == Application.coordinator_id)
            .where(Application.call_id == call_id)
            .order_by(Application.id)
        )
        return [evaluation.town_question(lambda column: column.in_(ids)), countries]

    return (yield from ask_lately(stands_at, ("places", call_id), questions))


def frozen(
    call: CallView, view: SelectionView, kept: Kept | None = None
) -> Asking[tuple[RankedList, Sequence[Any], Mapping[UUID, OfficialScore]]]:
    """A decided list as it was frozen, nothing that waits, and what its scores were made of."""
    items = (
        select(SelectionItem, Application.reference, Application.title)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(SelectionItem.selection_id == view.id)
        .order_by(SelectionItem.position)
    )
    rows = yield from ask(items)
    # What was published elsewhere was never scored here.
    scored = view.kind is SelectionKind.RANKED
    ids = [item.application_id for item in rows]
    asked: list[Asking[Any]] = [
        evaluation.official_scores.asking(call.content, ids), evaluation.totals_at.asking(call.content, ids, view.decided_at),
    ]  # fmt: skip
    standing, then = (yield from side_by_side(asked)) if scored else ({}, {})
    bases = {item.application_id: item.basis for item in rows}
    # Of one that is judged again, what its evaluators had given when the list was decided.
    scores = {
        key: replace(
            one,
            basis=bases[key],
            evaluator_totals=then.get(key, one.evaluator_totals),
            changed=0 if key in then else one.changed,
        )
        for key, one in standing.items()
    }
    running = ZERO
    found = []
    for item in rows:
        if item.rank is not None:
            running = running + item.amount
        found.append(_frozen_row(item, ZERO if item.rank is None else running))
    frozen = RankedList(tuple(found), view.budget, view.used)
    return (_as_kept(frozen, kept) if kept else frozen), (), scores


def _frozen_row(item: Any, running: Money) -> Ranked:
    """One item of a frozen list; ``running`` adds up what was given down to it."""
    halves = rules.halves_kept(item.halves or {})
    return Ranked(
        item.application_id, item.reference, item.title, halves, item.rank, Fraction(item.score or 0), sum(halves.values()),
        item.amount if item.asked is None else item.asked, Outcome(item.outcome), running, item.straddles, item.missing,
        tie_sentences=tuple(item.tie_words.split("\n")) if item.tie_words else (),
        threshold_words=item.threshold_words, shift_half=item.shift_half, rule_words=item.rule_words,
        recommended=None if item.asked is None else item.amount, conditions=item.conditions,
        moved_up=item.outcome == Outcome.RESERVE.value and item.entry_id is not None,
    )  # fmt: skip


def _as_kept(frozen: RankedList, kept: Kept) -> RankedList:
    """The scores of a frozen list, with what a scenario made of them."""
    by_reference = {row.reference: row for row in frozen.rows}
    running, rows = ZERO, []
    for one in kept.rows:
        row = by_reference[one.reference]
        running = running + (ZERO if one.rank is None else one.amount)
        rows.append(
            replace(
                row, rank=one.rank, outcome=one.outcome, straddles=one.straddles, missing=one.missing,
                rule_words=one.rule_words, conditions=one.conditions, moved_up=False,
                recommended=None if one.amount == row.requested else one.amount,
                running_total=ZERO if one.rank is None else running,
            )
        )  # fmt: skip
    return RankedList(tuple(rows), kept.budget, kept.used, relaxed=kept.relaxed)
