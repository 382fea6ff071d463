"""Pages of complaints for the programme: it checks, names, and a committee of two decide; the list of a call, also as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Response, flash, request

from grants.awards import queries, services
from grants.awards.forms.complaints import (
    CheckForm,
    CommitteeForm,
    MoreTimeForm,
    ProposeForm,
    ReturnDecisionForm,
)
from grants.awards.queries.complaints import CasePage
from grants.awards.rules import points
from grants.awards.rules.complaints import REMEDY_WORDS, ComplaintView
from grants.awards.states import ComplaintState
from grants.awards.views.frame import P, bp, letter_of
from grants.calls.rules import GROUND_WORDS
from grants.core import clock
from grants.core.paging import ROWS_ON_A_PAGE_MAX, Page
from grants.core.text import CSV_MARK, csv_lines
from grants.web.forms import ContestedForm
from grants.web.routing import current_actor, page, requires, see_other

reads = queries.complaints
reviewing, settling = services.reviewing, services.settling
F = TypeVar("F", bound=ContestedForm)
LIST_HEAD = ("Application", "Title", "Number", "About", "State", "Received", "Decide by", "Overdue", "Decided")


@bp.get("/calls/<slug>/complaints")
@requires(P.COMPLAINT_READ)
def complaints(slug: str) -> Any:
    """Every complaint about a call that was sent, with counts by state and what is overdue."""
    now = clock.now()
    shown = reads.list_page(current_actor(), slug, Page(after=request.args.get("after")), now)
    return page("awards/complaints.html", shown=shown, call=shown.call, at=now)


@bp.get("/calls/<slug>/complaints.csv")
@requires(P.COMPLAINT_READ)
def complaints_csv(slug: str) -> Any:
    """The whole list as a file, without what was written; that it was taken is kept."""
    now, key, lines = clock.now(), None, list[tuple[object, ...]]()
    while True:
        shown = reads.list_page(current_actor(), slug, Page(ROWS_ON_A_PAGE_MAX, key), now)
        lines += [_line(each, shown.call.zone, now) for each in shown.rows.items]
        key = shown.rows.next_key
        if key is None:
            break
    services.export_complaints(current_actor(), shown.call.id, len(lines))
    answer = Response(CSV_MARK + csv_lines([LIST_HEAD, *lines]), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=complaints-{slug}.csv"
    return answer


def _line(each: ComplaintView, zone: str, now: datetime) -> tuple[object, ...]:
    sent, due, decided = (_local(moment, zone) for moment in (each.sent_at, each.decide_at, each.decided_at))
    late = "yes" if each.is_late(now) else "no"
    return each.reference, each.title, each.number, each.about_words, each.state.words, sent, due, late, decided


def _local(moment: datetime | None, zone: str) -> str:
    return f"{clock.in_zone(moment, zone):%Y-%m-%d %H:%M}" if moment else ""


@dataclass(frozen=True, slots=True)
class _Forms:
    """The forms of one case, each fresh but the one that was sent."""

    check: CheckForm
    committee: CommitteeForm
    more: MoreTimeForm
    propose: ProposeForm
    giving_back: ReturnDecisionForm
    deed: ContestedForm
    again: ContestedForm


@bp.get("/applications/<ref>/complaints/<int(max=2147483647):number>")
@requires(P.COMPLAINT_READ)
def complaint(ref: str, number: int) -> Any:
    """One complaint, what its committee may read of the first decision, and the next step."""
    return _case(reads.case_page(current_actor(), ref, number))


def _case(shown: CasePage, sent: ContestedForm | None = None) -> str:
    view, actor = shown.complaint, current_actor()
    steps = _steps(shown)
    stands = sent is None or type(sent) in steps
    if sent is not None and sent.clashed:
        sent.comes_again(view.version, stands=stands)
    return page(
        "awards/complaint.html", shown=shown, view=view, call=shown.application.call, forms=_forms(shown, sent),
        steps={kind.__name__ for kind in steps}, left=None if stands else sent,
        why_not=shown.why_not(actor.user_id), settles=shown.settles(actor.user_id), confirms=shown.confirms(actor.user_id),
        ground_words=GROUND_WORDS, remedy_words=REMEDY_WORDS, letter=letter_of(view), half_words=points,
        at=clock.now(),
    )  # fmt: skip


def _steps(shown: CasePage) -> set[type[ContestedForm]]:
    """The forms with words of their own that stand on the page, for this person and where the complaint is now."""
    view, actor = shown.complaint, current_actor()
    mine = actor.user_id in {key for key, _ in view.committee}
    reviewed, proposed = view.state is ComplaintState.UNDER_REVIEW, view.proposed_by is not None
    own = view.proposed_by == actor.user_id
    if shown.why_not(actor.user_id) or not actor.can(P.COMPLAINT_DECIDE):
        return set()
    stand: dict[type[ContestedForm], bool] = {
        CheckForm: view.state is ComplaintState.RECEIVED,
        CommitteeForm: view.state is ComplaintState.ADMISSIBLE or (reviewed and (not proposed or bool(shown.unfit))),
        ReturnDecisionForm: reviewed and proposed and mine and not own,
        ProposeForm: reviewed and mine and (own or not proposed) and not shown.unfit,
        MoreTimeForm: view.is_open,
    }
    return {kind for kind, is_there in stand.items() if is_there}


def _forms(shown: CasePage, sent: ContestedForm | None) -> _Forms:
    view = shown.complaint

    def fresh(kind: type[F], **stored: Any) -> F:
        if type(sent) is kind:
            return sent
        return kind(formdata=None, data={"version": str(view.version), **stored})

    named = [str(key) for key, _ in view.committee] or ["", ""]
    upholds = {True: "yes", False: "no", None: None}[view.upholds]
    remedy = view.remedy.value if view.remedy else None
    forms = _Forms(
        fresh(CheckForm), fresh(CommitteeForm, member_one=named[0], member_two=named[-1]), fresh(MoreTimeForm),
        fresh(ProposeForm, upholds=upholds, remedy=remedy, text=view.decision, despite=view.despite), fresh(ReturnDecisionForm),
        fresh(ContestedForm), ContestedForm(formdata=None, data={"version": str(view.version)}),
    )  # fmt: skip
    for form in (forms.committee, forms.more, forms.propose):
        _offer(form, shown)
    forms.more.reason.id, forms.giving_back.reason.id = "more-reason", "return-reason"
    return forms


def _offer(form: ContestedForm, shown: CasePage) -> None:
    """What the case gives a form to choose from, or to measure by."""
    match form:
        case CommitteeForm():
            form.offer(shown.people)
        case MoreTimeForm():
            form.offer(shown.complaint, shown.application.call.zone)
        case ProposeForm():
            form.offer(shown.complaint)


def _step(ref: str, number: int, form: ContestedForm, deed: Callable[[CasePage], str]) -> Any:
    """One step of a case: refused, the page comes back with what was typed."""
    shown = reads.case_page(current_actor(), ref, number)
    _offer(form, shown)
    if form.validate_on_submit():
        with form.attempt():
            flash(deed(shown), "success")
            return see_other(".complaint", ref=ref, number=number)
    return _case(reads.case_page(current_actor(), ref, number), form), 409 if form.clashed else 422


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/check")
@requires(P.COMPLAINT_DECIDE)
def check_complaint(ref: str, number: int) -> Any:
    """Admissible, or not with a reason."""
    form = CheckForm()
    if request.form.get("go") != "turn_away":
        # Only what is not admissible has a reason: what stands in the field is not looked at.
        form.reason.validators = ()

    def deed(shown: CasePage) -> str:
        if request.form.get("go") == "turn_away":
            reviewing.turn_away(current_actor(), shown.complaint.id, form.reason.data or "", form.version_shown())
            return "The complaint is not admissible; the applicant is told why."
        reviewing.admit(current_actor(), shown.complaint.id, form.version_shown())
        return "The complaint is admissible. Name a committee of two."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/committee")
@requires(P.COMPLAINT_DECIDE)
def name_committee(ref: str, number: int) -> Any:
    """Name the two who decide."""
    form = CommitteeForm()

    def deed(shown: CasePage) -> str:
        reviewing.name_committee(current_actor(), shown.complaint.id, form.to_input(), form.version_shown())
        return "The committee is named and told."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/time")
@requires(P.COMPLAINT_DECIDE)
def extend_complaint(ref: str, number: int) -> Any:
    """Take more time, with a reason."""
    form = MoreTimeForm()

    def deed(shown: CasePage) -> str:
        typed = (form.day.data, form.reason.data or "")
        reviewing.extend(current_actor(), shown.complaint.id, *typed, form.version_shown())
        return "There is more time; the applicant is told why."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/proposal")
@requires(P.COMPLAINT_DECIDE)
def propose_decision(ref: str, number: int) -> Any:
    """One of the committee proposes."""
    form = ProposeForm()

    def deed(shown: CasePage) -> str:
        reviewing.propose(current_actor(), shown.complaint.id, form.to_input(), form.version_shown())
        return "Your proposal stands. The other of the committee confirms or returns it."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/return")
@requires(P.COMPLAINT_DECIDE)
def return_proposal(ref: str, number: int) -> Any:
    """The other of the committee gives it back."""
    form = ReturnDecisionForm()

    def deed(shown: CasePage) -> str:
        words = form.reason.data or ""
        reviewing.return_decision(current_actor(), shown.complaint.id, words, form.version_shown())
        return "The proposal is returned."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/decision")
@requires(P.COMPLAINT_DECIDE)
def decide_complaint(ref: str, number: int) -> Any:
    """The other of the committee confirms: the second decision stands and is sent."""
    form = ContestedForm()

    def deed(shown: CasePage) -> str:
        state = reviewing.decide(current_actor(), shown.complaint.id, form.version_shown())
        return f"The complaint is {state.value}. The applicant is told, and what follows is done."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/outcome")
@requires(P.COMPLAINT_DECIDE)
def propose_outcome(ref: str, number: int) -> Any:
    """One of the committee proposes the outcome of the repeated evaluation."""
    form = ContestedForm()

    def deed(shown: CasePage) -> str:
        found = settling.propose_outcome(current_actor(), shown.complaint.id, form.version_shown())
        return f"You propose: {found.outcome.words}. The other of the committee confirms it."

    return _step(ref, number, form, deed)


@bp.post("/applications/<ref>/complaints/<int(max=2147483647):number>/settlement")
@requires(P.COMPLAINT_DECIDE)
def settle_complaint(ref: str, number: int) -> Any:
    """The other of the committee confirms it."""
    form = ContestedForm()

    def deed(shown: CasePage) -> str:
        outcome = settling.settle(current_actor(), shown.complaint.id, form.version_shown())
        return f"The outcome after the repeated evaluation is: {outcome.words}. The applicant is told."

    return _step(ref, number, form, deed)
