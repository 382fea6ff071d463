"""Pages of the selection: decided by one person, confirmed or given back by another."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.awards import queries, rules, services
from grants.awards.forms import ConfirmForm, ConfirmListForm, DecisionForm, MoveForm, ReturnForm
from grants.awards.queries.publication import READS_RESULTS
from grants.awards.rules import (
    Override,
    Plan,
    RankingPage,
    SelectionView,
    refuse_same_person,
)
from grants.awards.rules.after import After
from grants.awards.rules.heard import Heard, among, wrong_order
from grants.awards.states import SelectionKind, SelectionState
from grants.awards.views.frame import READS, P, add_problems, bp, decides, fresh_form, may_decide
from grants.awards.views.ranking import listed
from grants.awards.views.solving import Solving, solving_of
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, clock
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Scope
from grants.identity import queries as identity
from grants.web.downloads import send
from grants.web.forms import ContestedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/decision")
@requires(*READS)
def decision(slug: str) -> Any:
    """The list as the panel left it: the order of tied applications is that of its signed minutes, to be changed here."""
    beside = queries.beside_decision(current_actor(), slug)
    shown = queries.ranking_page(current_actor(), slug, panel_order=beside[0].order)
    # Whom the panel named may have left the list since.
    order = among(beside[0].order, {row.reference for row in shown.rows})
    return _decision(shown, DecisionForm(list_hash=shown.list_hash, panel_order="\n".join(order)), beside)


def _after(call: CallView, after: After) -> dict[str, Any]:
    """What comes after a confirmed list: its letters, the publication of the results, complaints."""
    actor, place = current_actor(), Scope.of(("call", call.id))
    return {
        "after": after,
        "call": call,
        "public": call.results_are_public(clock.now()),
        "opens_letters": any(actor.may(one, place) for one in queries.letters.READS_LETTERS),
        "opens_complaints": actor.may(P.COMPLAINT_READ, place),
        "opens_results": any(actor.may(one, place) for one in READS_RESULTS),
        "opens_names": any(actor.may(one, place) for one in queries.public.READS_NAMES),
    }


@bp.post("/calls/<slug>/decision")
@requires(P.SELECTION_DECIDE)
def decide(slug: str) -> Any:
    form = DecisionForm()
    if request.form.get("go") != "decide":
        shown = _by_rules_of(form, slug, form.departing())
        _tell_departures(form, shown)
        _ask_for(form, shown)
        form.now_of(shown.list_hash)
        return _decision(shown, form)
    shown = _by_rules_of(form, slug)
    if form.validate_on_submit():
        with form.attempt():
            number = services.decide(current_actor(), shown.call_id, form.to_input())
            flash("The list is decided. Another person must confirm it before money is reserved.")
            return see_other(".selection", slug=slug, number=number)
    shown = _by_rules_of(form, slug, () if form.overrides.errors else form.departing())
    if form.clashed:
        form.now_of(shown.list_hash)
        form.problems.append(f"{form.clashed} What you typed stands below.")
    else:
        _tell_departures(form, shown)
    return _decision(shown, form), 409 if form.clashed else 422


def _tell_departures(form: DecisionForm, shown: RankingPage) -> None:
    """What only the list knows of the departures is told together with what is wrong by itself."""
    if shown.whole and shown.plan is not None:
        asked = {row.reference: row.requested for row in shown.rows}
        add_problems(
            form,
            rules.wrong_departures(shown.plan, asked, shown.rules, shown.budget, draws=bool(shown.drawing))
            | wrong_order(form.order(), asked),
        )


def _ask_for(form: DecisionForm, shown: RankingPage) -> None:
    """Have what was typed worked out by a job, where nobody has; what was too hard only where it is asked for again."""
    again = request.form.get("go") == "solve"
    if not (shown.question_sha256 and shown.whole and decides(shown)) or (shown.relaxed and not again):
        return
    plan = shown.plan
    # Pressed again it is no second effect: a job that is on its way is found, so the key is left for the decision.
    with form.refusals(), acts.once(None):
        if plan is not None and _is_typed(plan):
            services.request_typed(current_actor(), shown.call_id, plan)
        else:
            services.request_solve(current_actor(), shown.call_id)


def _is_typed(plan: Plan) -> bool:
    """Whether somebody typed an order or recommendations for this one look, which no other page has a name for."""
    return bool(plan.panel_order or plan.overrides)


def _solving(shown: RankingPage) -> Solving | None:
    if not shown.unsolved or shown.partial:
        return None
    question_sha256 = shown.question_sha256 if shown.plan is not None and _is_typed(shown.plan) else b""
    return solving_of(shown.call_id, shown.call_slug, "decision", question_sha256=question_sha256)


def _by_rules_of(form: DecisionForm, slug: str, overrides: tuple[Override, ...] = ()) -> RankingPage:
    """The list as it stands now, by the rules of the call and what was typed beside them."""
    return queries.ranking_page(current_actor(), slug, panel_order=form.order(), overrides=overrides)


def _decision(shown: RankingPage, form: DecisionForm, beside: tuple[Heard, CallView, After] | None = None) -> str:
    heard, call, after = beside or queries.beside_decision(current_actor(), shown.call_slug)
    form.by_rules(call.content)
    # Only of rows this person is shown; who sees a part of the list learns nothing of an order either.
    confirmed = shown.selection is not None and shown.selection.state is SelectionState.CONFIRMED
    solving = _solving(shown)
    # A page that looks again by itself would take away what one types; one that was sent does not look again.
    writes = shown.whole and decides(shown) and (solving is None or not solving.working or form.is_submitted())
    said = {row.application_id: heard.recommended.get(row.application_id, "") for row in shown.rows}
    return page(
        "awards/decision.html", shown=shown, not_told=rules.NOT_TOLD, solving=solving, **listed(shown),
        form=form, writes=writes, may_decide=may_decide(shown), said=said,
        minutes=() if shown.partial else heard.meetings,
        held=rules.complaints_words(after.about_eligibility), **(_after(call, after) if confirmed else {"after": None}),
    )  # fmt: skip


@bp.get("/calls/<slug>/selections/<int(max=2147483647):number>")
@requires(*READS)
def selection(slug: str, number: int) -> Any:
    shown, view = queries.selection_page(current_actor(), slug, number)
    return _selection(shown, view, ConfirmListForm(version=str(view.version)), ReturnForm(version=str(view.version)))


@bp.get("/calls/<slug>/selections/<int(max=2147483647):number>/minute.pdf")
@requires(*READS)
def selection_minute(slug: str, number: int) -> Any:
    """The decision as a minute, for whoever sees the list whole; that it was taken is kept."""
    actor = current_actor()
    return send(services.download_minute(actor, calls.id_of(actor, slug), slug, number))


def _selection(
    shown: RankingPage,
    view: SelectionView,
    confirmation: ConfirmListForm,
    return_form: ReturnForm,
    sent: ContestedForm | None = None,
    move: ContestedForm | None = None,
) -> str:
    last = None
    if sent is not None and sent.clashed:
        sent.try_again(view.version)
        last = identity.overtaker(current_actor(), "selection", view.id, f"list {view.number}")
    published, why_not = queries.published(view), _why_not(shown, view)
    return page(
        "awards/selection.html", shown=shown, not_told=rules.NOT_TOLD, **listed(shown), view=view,
        form=confirmation, return_form=return_form, pilots=published.pilots, others=published.others, why_not=why_not, sent=sent, last=last,
        held=_held(shown, view, why_not), **_reserve(shown, move),
    )  # fmt: skip


def _held(shown: RankingPage, view: SelectionView, why_not: str | None) -> str:
    """The complaints about eligibility that came since the list was decided, in words, for whoever may confirm it."""
    if why_not != "" or view.kind is not SelectionKind.RANKED:
        return ""
    since = view.decided_at if view.despite else None
    return rules.complaints_words(queries.complaints.about_eligibility(shown.call_id, since))


def _reserve(shown: RankingPage, sent: ContestedForm | None) -> dict[str, Any]:
    """What the reserve list of a confirmed list needs."""
    reserve = shown.reserve
    actor, place = current_actor(), Scope.of(("call", shown.call_id))
    move = sent if isinstance(sent, MoveForm) else MoveForm(formdata=None)
    if reserve.next is not None:
        move.reference.data = reserve.next.reference
    waiting = reserve.open_move
    version = str(waiting.version) if waiting else ""
    return {
        "reserve": reserve,
        "move_form": move,
        "may_move": actor.may(P.SELECTION_DECIDE, place),
        "may_confirm_move": waiting is not None
        and waiting.decided_by_id != actor.user_id
        and actor.may(P.SELECTION_CONFIRM, place),
        "move_confirm": ConfirmForm(formdata=None, data={"version": version}),
        "move_return": sent if isinstance(sent, ReturnForm) else ReturnForm(formdata=None, data={"version": version}),
        "move_sent": sent,
    }


@bp.post("/calls/<slug>/selections/<int(max=2147483647):number>/moves")
@requires(P.SELECTION_DECIDE)
def move_up(slug: str, number: int) -> Any:
    view, form = queries.selection_of(current_actor(), slug, number), MoveForm()
    if form.validate_on_submit():
        with form.attempt():
            services.decide_move(current_actor(), view.id, form.reference.data or "", form.reason.data or "")
            flash("The move is decided. Another person must confirm it before money is reserved.")
            return see_other(".selection", slug=slug, number=number)
    return _again(slug, number, form)


@bp.post("/calls/<slug>/selections/<int(max=2147483647):number>/moves/<int(max=2147483647):place>/confirm")
@requires(P.SELECTION_CONFIRM)
def confirm_move(slug: str, number: int, place: int) -> Any:
    form = ConfirmForm()
    move = _move(slug, number, place)
    if form.validate_on_submit():
        with form.attempt():
            reserved = services.confirm_move(current_actor(), move.id, form.version_shown())
            flash(f"{move.reference} is selected: {reserved} reserved. Its team learns it by its letter of decision.")
            return see_other(".selection", slug=slug, number=number)
    return _again(slug, number, form)


@bp.post("/calls/<slug>/selections/<int(max=2147483647):number>/moves/<int(max=2147483647):place>/return")
@requires(P.SELECTION_CONFIRM)
def return_move(slug: str, number: int, place: int) -> Any:
    form = ReturnForm()
    move = _move(slug, number, place)
    if form.validate_on_submit():
        with form.attempt():
            services.return_move(current_actor(), move.id, form.reason.data or "", form.version_shown())
            flash("The move is returned.")
            return see_other(".selection", slug=slug, number=number)
    return _again(slug, number, form)


def _move(slug: str, number: int, place: int) -> rules.MoveView:
    reserve = queries.reserve_page(queries.selection_of(current_actor(), slug, number))
    found = next((move for move in reserve.moves if move.number == place), None)
    if found is None:
        raise NotFound
    return found


def _again(slug: str, number: int, form: ContestedForm) -> Any:
    """The page once more, with what was wrong; a deed on a move lets the form on the list itself alone."""
    shown, view = queries.selection_page(current_actor(), slug, number)
    confirmation = fresh_form(ConfirmListForm, view)
    confirmation.problems += [sentence for sentence, _ in form.what_is_wrong()] or [str(form.clashed or "")]
    if form.clashed:
        waiting = shown.reserve.open_move
        form.try_again(view.version if waiting is None or isinstance(form, MoveForm) else waiting.version)
    return _selection(shown, view, confirmation, fresh_form(ReturnForm, view), None, form), 409 if form.clashed else 422


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
    view, form = queries.selection_of(current_actor(), slug, number), ConfirmListForm()
    if form.validate_on_submit():
        with form.attempt():
            reserved = services.confirm(current_actor(), view.id, form.version_shown(), form.despite.data or "")
            drawn = " Its group at the line is drawn by lot." if view.undrawn else ""
            told = "" if view.kind is SelectionKind.PUBLISHED_OUTCOME else f" {rules.NOT_TOLD}"
            flash(f"The list is confirmed: {reserved} reserved.{drawn}{told}")
            return see_other(".selection", slug=slug, number=number)
    shown, view = queries.selection_page(current_actor(), slug, number)
    return _selection(shown, view, form, fresh_form(ReturnForm, view), form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/selections/<int(max=2147483647):number>/return")
@requires(P.SELECTION_CONFIRM)
def return_list(slug: str, number: int) -> Any:
    view, form = queries.selection_of(current_actor(), slug, number), ReturnForm()
    if form.validate_on_submit():
        with form.attempt():
            services.return_list(current_actor(), view.id, form.reason.data or "", form.version_shown())
            flash("The list is returned. A new one can be decided.")
            return see_other(".selection", slug=slug, number=number)
    elif view.state is not SelectionState.DECIDED or form.version_shown() not in (None, view.version):
        # That somebody was faster is said before what is wrong with the words: they change nothing any more.
        form.clashed = "The list does not wait for a second person any more."
        form.reason.errors = ()
    shown, view = queries.selection_page(current_actor(), slug, number)
    confirmation = fresh_form(ConfirmListForm, view)
    confirmation.problems += [sentence for sentence, _ in form.what_is_wrong()]
    return _selection(shown, view, confirmation, form, form), 409 if form.clashed else 422
