"""Reads of awards: the ranked list as it would be decided now, or as it was frozen; what agreements start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from sqlalchemy import func, select

from grants.applications.models import Application
from grants.applications.states import ApplicationState, Origin
from grants.awards import ranking, rules
from grants.awards.models import Selection, SelectionItem
from grants.awards.ranking import Bar, Ranked, RankedList, RankingRules, Scored
from grants.awards.rules import PublishedPilot, RankingPage, RankingRow, SelectedItem, SelectionView, WaitingRow
from grants.awards.states import AmountBasis, LineRule, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallContent, CallView
from grants.core import encoding
from grants.core.db import db, locked
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.money import ZERO
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Consensus
from grants.evaluation.rules import AgreedScores
from grants.evaluation.states import ConsensusState
from grants.identity import queries as identity
from grants.identity.models import Organisation

ROWS_MAX = 2_000


def selection_scope(selection_id: UUID) -> Scope:
    """A selection lies in its call. The call is locked first: its money becomes scarcer."""
    call_id = db.session.scalar(select(Selection.call_id).where(Selection.id == selection_id))
    if call_id is None:
        raise NotFound
    scope = evaluation.call_scope(call_id)
    locked(Selection, selection_id)
    return scope


def ranking_rules(content: CallContent, line: LineRule, reserve_max: int | None) -> RankingRules:
    """How this call ranks: its criteria, thresholds and order for ties, with the chosen rule at the line."""
    bars = tuple(Bar(one.key, one.name, one.weight, one.threshold_half) for one in content.criteria)
    return RankingRules(bars, content.total_threshold_half, content.tie_order, line, reserve_max)


def live_list(
    call: CallView, line: LineRule, reserve_max: int | None, panel_order: Sequence[str] = ()
) -> tuple[RankedList, tuple[Application, ...], Mapping[UUID, AgreedScores]]:
    """The list as it would be decided now, with the applications that still wait for a consensus. For acts and pages."""
    applications = db.session.scalars(
        select(Application)
        .where(
            Application.call_id == call.id,
            Application.state == ApplicationState.UNDER_EVALUATION.value,
            Application.origin == Origin.SUBMITTED_HERE.value,
        )
        .order_by(Application.reference)
        .limit(ROWS_MAX)
    ).all()
    scores = evaluation.agreed_scores([row.id for row in applications])
    keys = {criterion.key for criterion in call.content.criteria}
    ready = [row for row in applications if set(scores[row.id].halves or ()) >= keys]
    scored = [_scored(row, scores[row.id]) for row in ready]
    by_reference = {row.reference: row.id for row in ready}
    order = [by_reference[reference] for reference in panel_order if reference in by_reference]
    found = ranking.rank(scored, ranking_rules(call.content, line, reserve_max), calls.free(call.id), order)
    return found, tuple(row for row in applications if row not in ready), scores


def _scored(row: Application, agreed: AgreedScores) -> Scored:
    return Scored(row.id, row.reference, row.title, dict(agreed.halves or {}), row.requested or ZERO)


def hash_of(found: RankedList) -> str:
    """The hash of a list: what the person saw must be what is decided, and what is confirmed."""
    rows = [
        {
            "reference": row.reference, "rank": row.rank, "score": str(row.score), "halves": dict(sorted(row.halves.items())),
            "amount": row.requested.cents, "outcome": row.outcome.value,
        }
        for row in found.rows
    ]  # fmt: skip
    return rules.list_hash([{"budget": found.budget.cents}, *rows])


# --- pages ------------------------------------------------------------------------------------------------------


def ranking_page(
    actor: Actor, slug: str, *, line: LineRule = LineRule.STOP, reserve_max: int | None = None,
    panel_order: Sequence[str] = (),
) -> RankingPage:  # fmt: skip
    """The ranked list with its line: frozen once decided, else as it would be now. A constant number of statements.

    Somebody with a conflict, or who must declare and did not, sees neither the application nor ranks and totals it
    could be inferred from.
    """
    call = _call(actor, slug)
    views = selections(call.id)
    standing = next(
        (v for v in views if v.kind is SelectionKind.RANKED and v.state is not SelectionState.RETURNED), None
    )
    if standing is not None:
        return _page(actor, call, views, standing)
    return _page(actor, call, views, None, live_list(call, line, reserve_max, panel_order), line, reserve_max)


def selection_page(actor: Actor, slug: str, view: SelectionView) -> RankingPage:
    """One selection as it was frozen, whatever became of it."""
    call = _call(actor, slug)
    return _page(actor, call, selections(call.id), view)


def _page(
    actor: Actor,
    call: CallView,
    views: Sequence[SelectionView],
    standing: SelectionView | None,
    live: tuple[RankedList, Sequence[Application], Mapping[UUID, AgreedScores]] | None = None,
    line: LineRule = LineRule.STOP,
    reserve_max: int | None = None,
) -> RankingPage:
    if live is not None:
        found, waiting, scores = live
    else:
        assert standing is not None, "a page shows a live list or a frozen one"
        found, waiting = _frozen(standing), ()
        scores = evaluation.agreed_scores([row.application_id for row in found.rows])
        line, reserve_max = standing.line or line, standing.reserve_max
    ids = [row.application_id for row in found.rows] + [row.id for row in waiting]
    # What was published elsewhere is public: nobody declares about it.
    published = standing is not None and standing.kind is SelectionKind.PUBLISHED_OUTCOME
    undeclared = frozenset() if published else evaluation.undeclared(actor, ids) - actor.barred("application")
    barred = actor.barred("application") | undeclared
    partial = bool(barred & set(ids))
    cities, countries = evaluation.cities_of(ids), _countries(ids)
    rows = _rows(found, scores, cities, countries)
    if partial:
        rows = tuple(_without_rank(row) for row in rows if row.application_id not in barred)
    names = {criterion.key: criterion.name for criterion in call.content.criteria}
    return RankingPage(
        call.id,
        call.slug,
        call.title,
        call.reference,
        call.content.criteria,
        call.content.max_half,
        call.content.total_threshold_half,
        any(criterion.weight != 1 for criterion in call.content.criteria),
        _order_words([names[key] for key in call.content.tie_order]),
        line,
        reserve_max,
        rows,
        tuple(WaitingRow(row.reference, row.title, cities.get(row.id, "")) for row in waiting if row.id not in barred),
        found.budget,
        found.used,
        "" if partial else (standing.line_words if standing else found.line_words),
        standing.list_hash if standing else hash_of(found),
        () if partial else found.undecided_ties,
        standing,
        tuple(view for view in views if view is not standing),
        partial,
        len(undeclared),
    )


def _call(actor: Actor, slug: str) -> CallView:
    call = calls.call(actor, slug)
    scope = Scope.of(("call", call.id))
    opens = (Permission.ASSESSMENT_READ_ALL, Permission.SELECTION_DECIDE, Permission.SELECTION_CONFIRM)
    if not any(actor.may(permission, scope) for permission in opens):
        raise NotFound
    return call


def _order_words(names: Sequence[str]) -> str:
    if not names:
        return "This call declares no order for ties: tied applications share a rank until the panel decides."
    return f"Ties are decided by the higher score for {', then for '.join(names)}. What stays equal shares a rank."


def _rows(
    found: RankedList, scores: Mapping[UUID, AgreedScores], cities: Mapping[UUID, str], countries: Mapping[UUID, str]
) -> tuple[RankingRow, ...]:
    rows = []
    for row in found.rows:
        agreed = scores.get(row.application_id)
        rows.append(
            RankingRow(
                row.application_id,
                row.reference,
                row.title,
                cities.get(row.application_id, ""),
                countries.get(row.application_id, ""),
                row.rank,
                row.score,
                ranking.score_words(row.score),
                row.halves,
                agreed.evaluator_totals if agreed else (),
                row.unweighted_half,
                row.requested,
                AmountBasis.REQUESTED,
                row.running_total,
                row.outcome,
                row.straddles,
                row.missing,
                row.tie_words,
                row.threshold_words,
            )
        )
    return _with_line(rows)


def _with_line(rows: Sequence[RankingRow]) -> tuple[RankingRow, ...]:
    """The line lies below the last row before the first one that does not fit."""
    cut = next((number for number, row in enumerate(rows) if row.straddles), None)
    if cut is None:
        ranked = [number for number, row in enumerate(rows) if row.rank is not None]
        cut = ranked[-1] + 1 if ranked else 0
    return tuple(replace(row, line_after=number == cut - 1) for number, row in enumerate(rows))


def _without_rank(row: RankingRow) -> RankingRow:
    return replace(row, rank=None, running_total=ZERO, straddles=False, missing=ZERO, tie_words="", line_after=False)


def _countries(application_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = db.session.execute(
        select(Application.id, Organisation.country_code)
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .where(Application.id.in_(application_ids))
    )
    return {application_id: code for application_id, code in rows}


def _frozen(view: SelectionView) -> RankedList:
    """A decided list as it was frozen."""
    rows = db.session.execute(
        select(SelectionItem, Application.reference, Application.title)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(SelectionItem.selection_id == view.id)
        .order_by(SelectionItem.position)
    ).all()
    running = ZERO
    found = []
    for item, reference, title in rows:
        if item.rank is not None:
            running = running + item.amount
        halves = dict(item.halves or {})
        found.append(
            Ranked(
                item.application_id,
                reference,
                title,
                halves,
                item.rank,
                Fraction(item.score or 0),
                sum(halves.values()),
                item.amount,
                Outcome(item.outcome),
                running if item.rank is not None else ZERO,
                item.straddles,
                item.missing,
                (),
                item.tie_words,
                item.threshold_words,
            )
        )
    return RankedList(tuple(found), view.budget, view.used)


def selections(call_id: UUID) -> tuple[SelectionView, ...]:
    """The selections of a call, latest first."""
    rows = db.session.scalars(
        select(Selection).where(Selection.call_id == call_id).order_by(Selection.number.desc()).limit(100)
    ).all()
    people = identity.people(
        person for row in rows for person in (row.decided_by, row.confirmed_by, row.returned_by) if person
    )
    return tuple(_view(row, {key: person.name for key, person in people.items()}) for row in rows)


def _view(row: Selection, names: Mapping[UUID, str]) -> SelectionView:
    return SelectionView(
        row.id,
        row.number,
        SelectionKind(row.kind),
        SelectionState(row.state),
        row.version,
        row.budget,
        row.used,
        LineRule(row.rules["line"]) if "line" in row.rules else None,
        row.rules.get("reserve_max"),
        row.line_words,
        row.list_sha256.hex(),
        row.reason,
        row.source_url or "",
        row.source_title or "",
        names.get(row.decided_by, ""),
        row.decided_by,
        row.decided_at,
        names.get(row.confirmed_by, "") if row.confirmed_by else "",
        row.confirmed_at,
        names.get(row.returned_by, "") if row.returned_by else "",
        row.return_reason or "",
    )


def selection_of(actor: Actor, slug: str, number: int) -> SelectionView:
    """One selection of a call by its number."""
    call = _call(actor, slug)
    found = next((view for view in selections(call.id) if view.number == number), None)
    if found is None:
        raise NotFound
    return found


def published_pilots(view: SelectionView) -> tuple[tuple[PublishedPilot, str], ...]:
    """The pilots of a published outcome as they were recorded, each with its lead organisation: no rank, no score."""
    row = db.session.scalars(select(Selection).where(Selection.id == view.id)).one()
    pilots = pilots_of(row)
    names = identity.organisations(pilot.organisations[0] for pilot in pilots)
    return tuple((pilot, names[pilot.organisations[0]].name) for pilot in pilots)


def pilots_of(row: Selection) -> tuple[PublishedPilot, ...]:
    """The recorded pilots of a selection row."""
    found: tuple[PublishedPilot, ...] = encoding.decode(
        {"value": row.rules.get("pilots", [])}, tuple[PublishedPilot, ...]
    )
    return found


# --- for later stages -------------------------------------------------------------------------------------------


def selected_items(call_id: UUID) -> tuple[SelectedItem, ...]:
    """Everything selected in confirmed selections of a call, by position: what agreements are prepared from."""
    rows = db.session.execute(
        select(SelectionItem, Selection)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            Selection.call_id == call_id,
            Selection.state == SelectionState.CONFIRMED.value,
            SelectionItem.outcome == Outcome.SELECTED.value,
        )
        .order_by(Selection.number, SelectionItem.position)
        .limit(ROWS_MAX)
    )
    return tuple(_item(item, selection) for item, selection in rows)


def item_of(application_id: UUID) -> SelectedItem:
    """How one application stands in the latest confirmed selection; :class:`NotFound` when it is in none."""
    row = db.session.execute(
        select(SelectionItem, Selection)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(SelectionItem.application_id == application_id, Selection.state == SelectionState.CONFIRMED.value)
        .order_by(Selection.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _item(row[0], row[1])


def _item(item: SelectionItem, selection: Selection) -> SelectedItem:
    assert selection.confirmed_at is not None, "a confirmed selection has its moment"
    return SelectedItem(
        item.application_id,
        selection.id,
        selection.call_id,
        SelectionKind(selection.kind),
        Outcome(item.outcome),
        item.amount,
        AmountBasis(item.amount_basis),
        item.entry_id,
        selection.confirmed_at,
    )


# --- what people must do next -----------------------------------------------------------------------------------


def duties(actor: Actor, at: datetime) -> tuple[Duty, ...]:
    """Lists to decide, and lists another person decided to confirm. Two statements."""
    del at
    found: list[Duty] = []
    if actor.can(Permission.SELECTION_CONFIRM):
        found += _to_confirm(actor)
    if actor.can(Permission.SELECTION_DECIDE):
        found += _to_decide(actor)
    return tuple(found)


def _to_confirm(actor: Actor) -> list[Duty]:
    rows = db.session.execute(
        select(Call.id, Call.slug, Call.title, Selection.number)
        .join(Selection, Selection.call_id == Call.id)
        .where(Selection.state == SelectionState.DECIDED.value, Selection.decided_by != actor.user_id)
        .order_by(Selection.decided_at)
        .limit(50)
    )
    return [
        Duty(
            f"Confirm or return the selection of {title}",
            "The money is reserved and the applicants are told only then.",
            "Open the decision",
            "awards.selection",
            {"slug": slug, "number": number},
        )
        for call_id, slug, title, number in rows
        if actor.may(Permission.SELECTION_CONFIRM, Scope.of(("call", call_id)))
    ]


def _to_decide(actor: Actor) -> list[Duty]:
    """Calls in which every application under evaluation has an agreed consensus and no list is open."""
    agreed = func.count(Consensus.id).filter(Consensus.state == ConsensusState.AGREED.value)
    open_list = (
        select(Selection.id)
        .where(Selection.call_id == Call.id, Selection.state == SelectionState.DECIDED.value)
        .exists()
    )
    rows = db.session.execute(
        select(Call.id, Call.slug, Call.title)
        .join(Application, Application.call_id == Call.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(
            Application.state == ApplicationState.UNDER_EVALUATION.value,
            Application.origin == Origin.SUBMITTED_HERE.value,
            ~open_list,
        )
        .group_by(Call.id)
        .having(agreed == func.count(Application.id))
        .order_by(Call.reference)
        .limit(50)
    )
    return [
        Duty(
            f"Decide the ranked list of {title}",
            "Every application has an agreed consensus.",
            "Open the ranking",
            "awards.ranking_",
            {"slug": slug},
        )
        for call_id, slug, title in rows
        if actor.may(Permission.SELECTION_DECIDE, Scope.of(("call", call_id)))
    ]
