"""The sheets the advice is worked out from, and its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, select

from grants.applications.models import Application
from grants.applications.states import Origin
from grants.awards.models import SelectionSolve
from grants.awards.queries.lists import ranking_page
from grants.awards.queries.sheets import SheetsRead, of_newest_run, sheets_read
from grants.awards.ranking.reliability import why_not
from grants.awards.ranking.variance import SCALE
from grants.awards.rules import AdvicePage, AdviceRow, RankingPage, SeverityRow
from grants.awards.rules.robustness import RobustnessView
from grants.awards.states import AdviceKind, Outcome, SolveKind
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.core.errors import NotAllowed
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader
from grants.evaluation import queries as evaluation
from grants.evaluation.models import Assignment, Evaluator
from grants.evaluation.states import SeatState
from grants.identity.models import User

# A list may come back to what it was: so many of the newest answers on robustness are looked through.
ROBUSTNESS_LOOKED_THROUGH = 10


@reader
def advice_page(actor: Actor, slug: str) -> Asking[AdvicePage]:
    """The newest run beside the official rank, for chairs alone, read beside the ranking.

    With a conflict, or not declared, one sees no row of that application, and no figure it could be inferred from: then no
    run is shown, since each says by being there, or by saying less, what came in; but the means of what is open, as of now.
    """
    call_id = select(Call.id).where(Call.slug == slug).scalar_subquery()
    shown, ((runs, names, titles, answers), seated) = yield from both(
        ranking_page.asking(actor, slug), both(_latest(call_id), assesses(actor, call_id))
    )
    if not actor.may(Permission.CONSENSUS_WRITE, Scope.of(("call", shown.call_id))):
        raise NotAllowed(
            "The advice is read by the chairs of this call alone; it changes nothing of the official list."
        )
    if seated:
        raise NotAllowed("You assess applications of this call; the advice is read by those who do not.")
    if shown.partial or not all(_open_to(actor, shown, each) for each in titles.values()):
        call = yield from calls.call.asking(actor, slug)
        read = yield from sheets_read.asking(call)
        each = call.content.evaluators_per_application
        return _part_page(actor, shown, titles, read, each)
    return _page(actor, shown, runs, names, titles, answers)


def assesses(actor: Actor, call_id: ScalarSelect[UUID] | UUID) -> Asking[bool]:
    """Whether a person assesses applications of a call now."""
    found = yield from ask(
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Evaluator.call_id == call_id,
            Evaluator.user_id == actor.user_id,
            Assignment.state == SeatState.ACTIVE.value,
        )
        .limit(1)
    )
    return bool(found)


def _latest(call_id: ScalarSelect[UUID]) -> Asking[tuple[Sequence[Any], dict[str, str], dict[str, Any], Sequence[Any]]]:
    """The newest run, the people of the pool by their id there, the applications of the call, and its newest answers on robustness."""
    runs, people, applications, answers = yield [
        of_newest_run(call_id),
        select(Evaluator.id, User.name).join(User, User.id == Evaluator.user_id).where(Evaluator.call_id == call_id),
        select(Application.id, Application.reference, Application.title).where(
            Application.call_id == call_id,
            Application.origin == Origin.SUBMITTED_HERE.value,
            Application.state.in_((*evaluation.IN_EVALUATION, *evaluation.EVALUATED)),
        ),
        select(SelectionSolve.answer)
        .where(
            SelectionSolve.call_id == call_id,
            SelectionSolve.kind == SolveKind.ROBUST.value,
            SelectionSolve.refusal == "",
        )
        .order_by(SelectionSolve.number.desc())
        .limit(ROBUSTNESS_LOOKED_THROUGH),
    ]
    return runs, {str(key): name for key, name in people}, {str(row.id): row for row in applications}, answers


def _page(
    actor: Actor, shown: RankingPage, runs: Sequence[Any], names: Mapping[str, str], titles: Mapping[str, Any],
    answers: Sequence[Any],
) -> AdvicePage:  # fmt: skip
    run = next(iter(runs), None)
    selected = len(shown.selected) if shown.tells_outcomes else 0
    places = selected or _half(shown)
    head = (shown.call_id, shown.call_slug, shown.call_title)
    if run is None:
        return AdvicePage(*head, False, "", places)
    told = [held for held in run.result.get("rows", ()) if held["id"] in titles]
    points = _most(shown) / SCALE
    official = {str(row.application_id): row.rank for row in shown.rows}
    robustness = RobustnessView.among([each.answer for each in answers], run.number, shown.list_hash)
    taken = {str(row.application_id) for row in shown.rows if row.outcome is Outcome.SELECTED}
    rows = [_row(held, titles[held["id"]], official.get(held["id"]), points) for held in told]
    if robustness is not None:
        rows = [
            replace(row, stays=robustness.share(UUID(held["id"])), taken=held["id"] in taken)
            for row, held in zip(rows, told, strict=True)
        ]
    rows.sort(key=lambda one: (one.rank or 0.0, -(one.mean if one.effect is None else one.effect), one.reference))
    people = [_person(held, names, points) for held in run.result.get("people", ())]
    return AdvicePage(
        *head, False, "", places, run.number, run.created_at, AdviceKind(run.kind), run.reason,
        run.places, run.applications, run.evaluators, run.sheets, tuple(rows), tuple(people),
        run.result.get("reliability", {}), _most(shown), run.settings.get("each", 1), run.milliseconds, run.input_sha256.hex(),
        robustness,
        run.kind == AdviceKind.FULL.value and shown.selection is None,
    )  # fmt: skip


def _part_page(actor: Actor, shown: RankingPage, titles: Mapping[str, Any], read: SheetsRead, each: int) -> AdvicePage:
    """What somebody reads who sees a part: the means of the sheets of that part, of no run and without any other figure.

    Nothing where the method would say nothing of that part, with its reason.
    """
    seen = {key: one for key, one in titles.items() if _open_to(actor, shown, one)}
    known = {one.reference for one in seen.values()}
    sheets = [sheet for sheet in read.sheets if sheet.application in seen]
    incomplete = [key for key in read.incomplete if key in known]
    # Means are no order: they are told of however few applications.
    nothing = why_not(sheets, incomplete, each, applications_min=1) if sheets else ""
    scores: dict[str, list[float]] = defaultdict(list)
    for sheet in () if nothing else sheets:
        scores[sheet.application].append(sheet.score)
    points = _most(shown) / SCALE
    rows = [
        AdviceRow(
            seen[key].reference, seen[key].title, None, len(found), sum(found) / len(found) * points,
            *(None, None, None, None, None, None),
        )
        for key, found in scores.items()
    ]  # fmt: skip
    # By what is shown, so that the order tells nothing that the page withholds.
    rows.sort(key=lambda one: (-one.mean, one.reference))
    return AdvicePage(
        shown.call_id, shown.call_slug, shown.call_title, True, shown.why_partial,
        # How many the list selects is no proposal to whoever is not told what it selects.
        _half(shown), reason=nothing, rows=tuple(rows), most=_most(shown),
    )  # fmt: skip


def _half(shown: RankingPage) -> int:
    """How many places are proposed where no list says it: half of what is seen."""
    return max(1, (len(shown.rows) + len(shown.waiting)) // 2)


def _open_to(actor: Actor, shown: RankingPage, application: Any) -> bool:
    """Whether this person sees one application: it stands on their ranking, or nothing has ever to be declared by them."""
    if application.id in shown.shut or application.id in actor.barred("application"):
        return False
    listed = {row.reference for row in shown.rows} | {row.reference for row in (*shown.waiting, *shown.forgotten)}
    return application.reference in listed or not actor.can(Permission.CONFLICT_DECLARE)


def _row(held: Mapping[str, Any], application: Any, official: int | None, points: float) -> AdviceRow:
    rank = held.get("rank")
    return AdviceRow(
        application.reference,
        application.title,
        official,
        held["sheets"],
        held["mean"] * points,
        held["effect"] * points,
        rank,
        None if rank is None else (*held["half"], *held["wide"]),
        held.get("fundable"),
        held.get("sucra"),
        held.get("percentile"),
    )


def _person(held: Mapping[str, Any], names: Mapping[str, str], points: float) -> SeverityRow:
    name = names.get(held["id"], "no longer in the pool")
    if held["effect"] is None:
        return SeverityRow(name, held["sheets"], None, None, None)
    return SeverityRow(name, held["sheets"], held["effect"] * points, held["low"] * points, held["high"] * points)


def _most(shown: RankingPage) -> float:
    """The most points a weighted sheet can have."""
    return float(shown.marking.score_max)
