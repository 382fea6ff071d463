"""Pages of a meeting of the panel: planned, on its agenda, live as the chair leads it, on the wall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import flash, jsonify, request

from grants.awards import queries, services
from grants.awards.forms import (
    CountForm,
    MeetingForm,
    OrderForm,
    ProposalForm,
    RecommendForm,
    RemarkForm,
    ReorderForm,
    VoteForm,
)
from grants.awards.rules.panel import clock_words, continued, over_words
from grants.awards.rules.panel_pages import MeetingPage
from grants.awards.states import PanelRole, Turn, Vote
from grants.awards.views.frame import P, bp, ways
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.errors import Conflict
from grants.core.permissions import Scope
from grants.identity import queries as identity
from grants.web import paging
from grants.web.forms import STALE, ContestedForm, DeedForm, Form, choices
from grants.web.routing import current_actor, page, requires, see_other

# How often a page in the room asks whether something changed: with what the network takes, it follows within three seconds.
EVERY_MILLISECONDS = 2_000
LEADING = {
    "begin": services.panel.begin,
    "pause": services.panel.pause,
    "resume": services.panel.resume,
    "end": services.panel.end,
}


@bp.get("/panels")
@requires(P.PANEL_READ)
def meetings() -> Any:
    """Every meeting this person may open, or those of the call whose steps led here."""
    actor, of_call = current_actor(), request.args.get("slug", "")
    rows = queries.panel.meetings(actor, paging.asked(), of_call)
    to_plan, more_to_plan = queries.panel.calls_to_plan(actor, of_call)
    return page("awards/meetings.html", rows=rows, to_plan=to_plan, more_to_plan=more_to_plan, of_call=of_call)


@bp.get("/calls/<slug>/panels/new")
@requires(P.PANEL_PLAN)
def plan_meeting(slug: str) -> Any:
    """The form, empty or with the people of the meeting it goes on from."""
    call, after = calls.call_held(current_actor(), slug, P.PANEL_PLAN), request.args.get("after", "")
    before = queries.panel.meeting_page(current_actor(), after) if after else None
    return page("awards/meeting_new.html", call=call, form=_meeting_form(call, before))


@bp.post("/calls/<slug>/panels/new")
@requires(P.PANEL_PLAN)
def add_meeting(slug: str) -> Any:
    call = calls.call_held(current_actor(), slug, P.PANEL_PLAN)
    form = _meeting_form(call)
    if form.validate_on_submit():
        with form.refusals():
            made = services.panel.plan(current_actor(), call.id, form.to_input(call.zone))
            flash("The meeting is planned, with every application under evaluation on its agenda.")
            return see_other(".meeting", slug=made)
    return page("awards/meeting_new.html", call=call, form=form), 422


def _meeting_form(call: CallView, before: MeetingPage | None = None) -> MeetingForm:
    scope = Scope.of(("call", call.id))
    return MeetingForm.among(
        identity.users_with(P.PANEL_ATTEND, scope), identity.users_with(P.PANEL_TAKE_MINUTES, scope),
        data=_going_on(before) if before is not None and before.head.call_id == call.id else None,
    )  # fmt: skip


def _going_on(before: MeetingPage) -> dict[str, Any]:
    """What a meeting that goes on from another begins with; its day and time are its own."""
    by_role = {role: [str(each.user_id) for each in before.people if each.role is role] for role in PanelRole}
    alone = {
        role.value: next(iter(by_role[role]), "") for role in (PanelRole.CHAIR, PanelRole.DEPUTY, PanelRole.MINUTES)
    }
    return {
        **alone, "members": by_role[PanelRole.MEMBER], "title": continued(before.head.title),
        "quorum": before.head.quorum, "minutes_an_item": before.head.minutes_an_item,
    }  # fmt: skip


@bp.get("/panels/<slug>")
@requires(P.PANEL_READ)
def meeting(slug: str) -> Any:
    return _agenda(queries.panel.meeting_page(current_actor(), slug), None)


@bp.post("/panels/<slug>/agenda")
@requires(P.PANEL_PLAN)
def order_agenda(slug: str) -> Any:
    form, meeting_id = OrderForm(), queries.panel.meeting_id_of(current_actor(), slug)
    if form.validate_on_submit():
        with form.attempt():
            services.panel.order(current_actor(), meeting_id, form.named(), form.version_shown())
            flash("The agenda is in the order you wrote.")
            return see_other(".meeting", slug=slug)
    shown = queries.panel.meeting_page(current_actor(), slug)
    if form.clashed:
        form.comes_again(shown.head.version)
    return _agenda(shown, form), 409 if form.clashed else 422


def _agenda(shown: MeetingPage, sent: OrderForm | None) -> str:
    lines = "\n".join(row.reference for row in shown.rows)
    form = sent or OrderForm(formdata=None, data={"references": lines, "version": str(shown.head.version)})
    plans = current_actor().may(P.PANEL_PLAN, Scope.of(("call", shown.head.call_id)))
    return page(
        "awards/meeting.html", shown=shown, form=form, plans=plans, clock_words=clock_words, **ways(shown.head.call_id)
    )


# --- live -----------------------------------------------------------------------------------------------------------


@bp.get("/panels/<slug>/live")
@requires(P.PANEL_READ)
def live(slug: str) -> Any:
    return _live(slug)


@bp.get("/panels/<slug>/live/pulse")
@requires(P.PANEL_READ)
def pulse(slug: str) -> Any:
    """Whether what a page in the room shows has changed: nothing else is in the answer."""
    found = queries.panel.pulse(current_actor(), slug)
    answer = jsonify(beat=found.beat)
    answer.set_etag(found.beat)
    return answer.make_conditional(request)


@bp.get("/panels/<slug>/projector")
@requires(P.PANEL_READ)
def projector(slug: str) -> Any:
    """The item for everybody in the room: no name of a person, no vote by name."""
    actor = current_actor()
    return page(
        "awards/projector.html", shown=queries.panel.meeting_page(actor, slug), every=EVERY_MILLISECONDS,
        clock_words=clock_words, over_words=over_words,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Forms:
    """The forms of the live page; the one that was sent stands in its place with what was typed."""

    lead: ContestedForm
    here: DeedForm
    proposal: ProposalForm
    vote: VoteForm
    reorder: ReorderForm
    recommend: RecommendForm
    remark: RemarkForm
    count: CountForm


def _live(slug: str, sent: Form | None = None) -> Any:
    actor = current_actor()
    shown = queries.panel.meeting_page(actor, slug)
    clashed = isinstance(sent, ContestedForm) and sent.clashed
    if sent is not None and isinstance(sent, ContestedForm) and clashed:
        sent.try_again(shown.head.version)
        sent.problems.append(STALE)
    answer = page(
        "awards/live.html", shown=shown, forms=_forms(shown, sent), form=sent or DeedForm(formdata=None),
        every=EVERY_MILLISECONDS, stood_at=clock.now(), clock_words=clock_words, over_words=over_words,
    )  # fmt: skip
    return (answer, 409 if clashed else 422) if sent is not None else answer


def _forms(shown: MeetingPage, sent: Form | None) -> _Forms:
    version = str(shown.head.version)
    put = shown.current.told.open_proposal if shown.current else None
    stood = shown.current.told.recommended if shown.current else ""
    about = {"about": shown.current.reference} if shown.current else {}
    reorder = sent if isinstance(sent, ReorderForm) else ReorderForm(formdata=None, data={"version": version})
    reorder.other.choices = _others(shown)
    return _Forms(
        ContestedForm(formdata=None, data={"version": version}),
        DeedForm(formdata=None),
        sent if isinstance(sent, ProposalForm) else ProposalForm(formdata=None, data={"version": version}),
        sent if isinstance(sent, VoteForm) else VoteForm(formdata=None, data={"number": str(put.number) if put else "", **about}),
        reorder,
        sent
        if isinstance(sent, RecommendForm)
        else RecommendForm(formdata=None, data={"version": version, "text": stood}),
        sent if isinstance(sent, RemarkForm) else RemarkForm(formdata=None),
        CountForm(formdata=None, data=about),
    )  # fmt: skip


def _others(shown: MeetingPage) -> list[Any]:
    tied = shown.current.tied if shown.current else ()
    rows = [(row.reference, f"{row.reference} {row.title}") for row in shown.rows if row.reference in tied]
    return choices([("", "Choose"), *rows])


def _deed(slug: str, form: Form, deed: Callable[[Any], object]) -> Any:
    """One deed on the live page: done, or the page again with what was typed and why it was not done."""
    meeting_id = queries.panel.meeting_id_of(current_actor(), slug)
    if form.validate_on_submit():
        with form.attempt() if isinstance(form, ContestedForm) else form.refusals():
            try:
                deed(meeting_id)
            except Conflict as error:
                if isinstance(form, ContestedForm):
                    raise
                form.problems.append(str(error))
                return _live(slug, form)
            return see_other(".live", slug=slug)
    return _live(slug, form)


@bp.post("/panels/<slug>/live/<any(begin,pause,resume,end):deed>")
@requires(P.PANEL_LEAD)
def lead(slug: str, deed: str) -> Any:
    form = ContestedForm()
    return _deed(slug, form, lambda key: LEADING[deed](current_actor(), key, form.version_shown()))


@bp.post("/panels/<slug>/live/stand-in")
@requires(P.PANEL_LEAD)
def stand_in(slug: str) -> Any:
    """The deputy leads because the chair was cut off."""
    form = ContestedForm()
    return _deed(slug, form, lambda key: services.stand_in(current_actor(), key, form.version_shown()))


@bp.post("/panels/<slug>/live/<any(next,back):way>")
@requires(P.PANEL_LEAD)
def turn(slug: str, way: str) -> Any:
    form = ContestedForm()
    return _deed(
        slug, form, lambda key: _say_left(services.panel.turn(current_actor(), key, Turn(way), form.version_shown()))
    )


def _say_left(vote: str) -> None:
    """Leaving an item is allowed while its vote is open, and never silent."""
    if vote:
        flash(f"{vote} Open that item again to go on with the vote.", "warning")


@bp.post("/panels/<slug>/live/open/<ref>")
@requires(P.PANEL_LEAD)
def open_item(slug: str, ref: str) -> Any:
    form = ContestedForm()
    return _deed(
        slug, form, lambda key: _say_left(services.panel.open_item(current_actor(), key, ref, form.version_shown()))
    )


@bp.post("/panels/<slug>/live/<any(arrive,leave):deed>")
@requires(P.PANEL_ATTEND, P.PANEL_TAKE_MINUTES)
def be_there(slug: str, deed: str) -> Any:
    votes = current_actor().can(P.PANEL_ATTEND)
    come = services.panel.arrive if votes else services.panel.come_to_write
    go = services.panel.leave if votes else services.panel.stop_writing
    return _deed(slug, DeedForm(), lambda key: (come if deed == "arrive" else go)(current_actor(), key))


@bp.post("/panels/<slug>/live/propose")
@requires(P.PANEL_LEAD)
def propose(slug: str) -> Any:
    form = ProposalForm()
    return _deed(
        slug, form, lambda key: services.panel.propose(current_actor(), key, form.proposal.data or "", form.version_shown())
    )  # fmt: skip


@bp.post("/panels/<slug>/live/vote")
@requires(P.PANEL_ATTEND)
def vote(slug: str) -> Any:
    form = VoteForm()
    return _deed(
        slug, form,
        lambda key: services.panel.vote(
            current_actor(), key, form.proposal_number(), Vote(form.vote.data), form.shown_with()
        ),
    )  # fmt: skip


@bp.post("/panels/<slug>/live/count/<int(max=2147483647):number>")
@requires(P.PANEL_LEAD)
def count(slug: str, number: int) -> Any:
    form = CountForm()
    return _deed(slug, form, lambda key: services.panel.count(current_actor(), key, number, form.shown_with()))


@bp.post("/panels/<slug>/live/reorder")
@requires(P.PANEL_LEAD)
def reorder(slug: str) -> Any:
    form = ReorderForm()
    form.other.choices = _others(queries.panel.meeting_page(current_actor(), slug))
    return _deed(
        slug, form,
        lambda key: services.panel.reorder(
            current_actor(), key, form.other.data or "", form.reason.data or "", form.version_shown()
        ),
    )  # fmt: skip


@bp.post("/panels/<slug>/live/recommend")
@requires(P.PANEL_LEAD)
def recommend(slug: str) -> Any:
    form = RecommendForm()
    return _deed(
        slug, form,
        lambda key: services.panel.recommend(
            current_actor(), key, form.text.data or "", form.reason.data or "", form.version_shown()
        ),
    )  # fmt: skip


@bp.post("/panels/<slug>/live/remark/<ref>")
@requires(P.PANEL_TAKE_MINUTES)
def remark(slug: str, ref: str) -> Any:
    form = RemarkForm()
    return _deed(
        slug, form, lambda key: services.minutes.remark(current_actor(), key, ref, form.remark.data or "")
    )  # fmt: skip
