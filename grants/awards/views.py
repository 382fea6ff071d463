"""Pages of awards: the ranked list with its line, the decision of one person, the confirmation of another."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any, TypeVar

from flask import Blueprint, Response, flash, request

from grants.applications import rules as application_rules
from grants.awards import queries, services
from grants.awards.forms import ConfirmForm, DecisionForm, PublishForm, ReturnForm
from grants.awards.rules import (
    NEXT_WORDS,
    OUTCOME_WORDS,
    WAITING_NAMED_MAX,
    Decided,
    RankingPage,
    SelectionView,
    bar,
    part,
    points,
    refuse_same_person,
    refuse_unpublishable,
    strip,
)
from grants.awards.states import LineRule, SelectionState
from grants.core import clock
from grants.core.errors import Refused
from grants.core.permissions import Permission, Scope
from grants.core.text import inert
from grants.evaluation.rules import anchor_words
from grants.identity import queries as identity
from grants.web.forms import ContestedForm
from grants.web.routing import current_actor, page, requires, see_other

bp = Blueprint("awards", __name__)
P = Permission
F = TypeVar("F", bound=ContestedForm)
READS = (P.ASSESSMENT_READ_ALL, P.SELECTION_DECIDE, P.SELECTION_CONFIRM)


@bp.get("/calls/<slug>/ranking")
@requires(*READS)
def ranking(slug: str) -> Any:
    shown = _ranking(slug)
    return page("awards/ranking.html", shown=shown, **_listed(shown))


def _listed(shown: RankingPage) -> dict[str, Any]:
    """What the table of a ranked list needs: the part that was asked for, and the marks of each of its rows.

    The marks are evaluators' totals with the consensus, and the running total against the budget.
    """
    most = shown.max_half * len(shown.criteria)
    found = part(shown.rows, request.values.get("place", default=1, type=int))
    drawn = {
        row.application_id: (
            strip(row.totals_half, row.consensus_half or 0, most),
            bar(row.running_total, shown.budget),
        )
        for row in found.rows
    }
    return {"part": found, "drawn": drawn, "half_words": points, "waiting_most": WAITING_NAMED_MAX}


@bp.get("/calls/<slug>/ranking.csv")
@requires(*READS)
def ranking_csv(slug: str) -> Any:
    shown = _ranking(slug)
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel", lineterminator="\r\n")
    names = [criterion.name for criterion in shown.criteria]
    writer.writerow(
        ["Rank", "Reference", "Title", "Cities", "Country", *map(inert, names), "Score", "Asked for, EUR", "Running total, EUR", "Outcome", "Why", "Call"]
    )  # fmt: skip
    for row in shown.rows:
        halves = [points(row.halves[c.key]) if row.halves else "" for c in shown.criteria]
        totals = [_euros(row.requested.cents), "" if row.rank is None else _euros(row.running_total.cents)]
        cells = [
            row.rank or "", row.reference, row.title, row.cities, row.country, *halves, row.score_words, *totals,
            row.outcome.words, row.threshold_words or row.tie_words, shown.call_title,
        ]  # fmt: skip
        writer.writerow([inert(str(cell)) for cell in cells])
    # The byte-order mark lets spreadsheets read the letters of every city right.
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=ranking-{shown.call_slug}.csv"
    return answer


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _ranking(slug: str) -> RankingPage:
    line = LineRule.SKIP if request.args.get("line") == LineRule.SKIP.value else LineRule.STOP
    return queries.ranking_page(current_actor(), slug, line=line)


@bp.get("/calls/<slug>/decision")
@requires(*READS)
def decision(slug: str) -> Any:
    shown = queries.ranking_page(current_actor(), slug)
    return _decision(shown, DecisionForm(list_hash=shown.list_hash))


@bp.post("/calls/<slug>/decision")
@requires(P.SELECTION_DECIDE)
def decide(slug: str) -> Any:
    form = DecisionForm()
    shown = _by_rules_of(form, slug)
    if request.form.get("go") != "decide":
        form.now_of(shown.list_hash)
        return _decision(shown, form)
    if form.validate_on_submit():
        with form.attempt():
            number = services.decide(current_actor(), shown.call_id, form.to_input())
            flash("The list is decided. Another person must confirm it before money is reserved.")
            return see_other(".selection", slug=slug, number=number)
        shown = _by_rules_of(form, slug)
    if form.clashed:
        form.now_of(shown.list_hash)
        form.problems.append(f"{form.clashed} What you typed stands below.")
    return _decision(shown, form), 409 if form.clashed else 422


def _by_rules_of(form: DecisionForm, slug: str) -> RankingPage:
    """The list as it stands now, by the rules that were chosen."""
    line = LineRule.SKIP if form.line.data == LineRule.SKIP.value else LineRule.STOP
    return queries.ranking_page(
        current_actor(), slug, line=line, reserve_max=form.reserve_max.data, panel_order=form.order()
    )


def _decision(shown: RankingPage, form: DecisionForm) -> str:
    return page("awards/decision.html", shown=shown, **_listed(shown), form=form, may=_may(shown))


def _may(shown: RankingPage) -> bool:
    actor = current_actor()
    return shown.ready and actor.may(P.SELECTION_DECIDE, Scope.of(("call", shown.call_id)))


@bp.get("/calls/<slug>/selections/<int(max=2147483647):number>")
@requires(*READS)
def selection(slug: str, number: int) -> Any:
    shown, view = queries.selection_page(current_actor(), slug, number)
    return _selection(shown, view, ConfirmForm(version=str(view.version)), ReturnForm(version=str(view.version)))


def _selection(
    shown: RankingPage,
    view: SelectionView,
    confirmation: ConfirmForm,
    return_form: ReturnForm,
    sent: ContestedForm | None = None,
) -> str:
    last = None
    if sent is not None and sent.clashed:
        sent.try_again(view.version)
        last = identity.overtaker(current_actor(), "selection", view.id, f"list {view.number}")
    published = queries.published(view)
    return page(
        "awards/selection.html", shown=shown, **_listed(shown), view=view, form=confirmation, return_form=return_form,
        pilots=published.pilots, others=published.others, why_not=_why_not(shown, view), sent=sent, last=last,
    )  # fmt: skip


def _why_not(shown: RankingPage, view: SelectionView) -> str | None:
    """Why this person cannot confirm, in words; empty when they can, None when it is not theirs to do at all."""
    actor = current_actor()
    if view.state is not SelectionState.DECIDED or not actor.may(
        P.SELECTION_CONFIRM, Scope.of(("call", shown.call_id))
    ):
        return None
    try:
        refuse_same_person(view.decided_by_id, actor.user_id)
    except Refused as error:
        return str(error)
    return shown.why_partial


@bp.post("/calls/<slug>/selections/<int(max=2147483647):number>/confirm")
@requires(P.SELECTION_CONFIRM)
def confirm(slug: str, number: int) -> Any:
    view, form = queries.selection_of(current_actor(), slug, number), ConfirmForm()
    if form.validate_on_submit():
        with form.attempt():
            reserved = services.confirm(current_actor(), view.id, form.version_shown())
            flash(f"The list is confirmed: {reserved} reserved, the applicants are told.")
            return see_other(".selection", slug=slug, number=number)
    shown, view = queries.selection_page(current_actor(), slug, number)
    return _selection(shown, view, form, _fresh(ReturnForm, view), form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/selections/<int(max=2147483647):number>/return")
@requires(P.SELECTION_CONFIRM)
def return_list(slug: str, number: int) -> Any:
    view, form = queries.selection_of(current_actor(), slug, number), ReturnForm()
    if form.validate_on_submit():
        with form.attempt():
            services.return_list(current_actor(), view.id, form.reason.data or "", form.version_shown())
            flash("The list is returned. A new one can be decided.")
            return see_other(".selection", slug=slug, number=number)
    shown, view = queries.selection_page(current_actor(), slug, number)
    confirmation = _fresh(ConfirmForm, view)
    confirmation.problems += [sentence for sentence, _ in form.what_is_wrong()]
    return _selection(shown, view, confirmation, form, form), 409 if form.clashed else 422


def _fresh(kind: type[F], view: SelectionView) -> F:
    """A form beside the one that was sent: it takes nothing of what was typed there."""
    return kind(formdata=None, data={"version": str(view.version)})


@bp.get("/calls/<slug>/results")
@requires(P.SELECTION_PUBLISH_RESULTS)
def publishing(slug: str) -> Any:
    return _publishing(slug)


@bp.post("/calls/<slug>/results")
@requires(P.SELECTION_PUBLISH_RESULTS)
def publish_results(slug: str) -> Any:
    call, _, _ = queries.publishing(current_actor(), slug)
    form = PublishForm()
    if form.validate_on_submit():
        with form.attempt():
            at = services.publish_results(current_actor(), call.id, form.to_input(), form.version_shown())
            flash(_published_words(at))
            return see_other(".publishing", slug=slug)
    return _publishing(slug, form), 409 if form.clashed else 422


def _published_words(at: datetime) -> str:
    return "The results are public." if at <= clock.now() else "The moment is set. Until then nothing is public."


def _publishing(slug: str, form: PublishForm | None = None) -> str:
    call, found, results = queries.publishing(current_actor(), slug)
    if form is not None and form.clashed:
        form.comes_again(call.version)
    return page(
        "awards/publishing.html", call=call, results=results, public=call.results_are_public(clock.now()),
        why_not=_unpublishable(found), form=form or PublishForm.of(call),
    )  # fmt: skip


@bp.get("/applications/<ref>/result")
@requires(P.APPLICATION_READ)
def result(ref: str) -> Any:
    """How an application fared and why, for its team."""
    shown = queries.result(current_actor(), ref, clock.now())
    call = shown.application.call
    return page(
        "awards/result.html", shown=shown, application=shown.application, call=call, half_words=points,
        rules=application_rules, outcome_words=OUTCOME_WORDS, next_words=NEXT_WORDS,
        redress=call.fact("evaluation.redress"), anchors=anchor_words,
    )  # fmt: skip


def _unpublishable(found: Decided) -> str:
    """Why the results cannot be published yet, in words; empty when they can."""
    try:
        refuse_unpublishable(found)
    except Refused as error:
        return str(error)
    return ""
