"""Pages of complaints: the applicant writes, sends and reads; the programme checks, names, and a committee of two decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, flash, request

from grants.awards import queries, services
from grants.awards.forms.complaints import (
    CheckForm,
    CommitteeForm,
    ComplaintForm,
    FileOutForm,
    MoreTimeForm,
    ProposeForm,
    ReturnDecisionForm,
    WithdrawForm,
)
from grants.awards.queries.complaints import CasePage, OwnPage
from grants.awards.rules import points
from grants.awards.rules.complaints import REMEDY_WORDS, ComplaintLetter, ComplaintView
from grants.awards.views.frame import P, bp
from grants.calls.rules import GROUND_WORDS, LANGUAGES, NO_MERITS
from grants.core import clock, files
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.paging import ROWS_ON_A_PAGE_MAX, Page
from grants.core.text import CSV_MARK, csv_lines
from grants.web.downloads import send
from grants.web.forms import ContestedForm
from grants.web.routing import current_actor, page, requires, see_other

acts, reads = services.complaints, queries.complaints
reviewing, settling = services.reviewing, services.settling
F = TypeVar("F", bound=ContestedForm)
LIST_HEAD = ("Application", "Title", "Number", "About", "State", "Received", "Decide by", "Overdue", "Decided")


# --- the applicant ------------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/complaint")
@requires(P.APPLICATION_READ)
def own_complaint(ref: str) -> Any:
    """What one may complain about and until when, the draft, and what became of what was sent."""
    return _own(ref)


@bp.post("/applications/<ref>/complaint")
@requires(P.APPLICATION_EDIT)
def write_complaint(ref: str) -> Any:
    """Keep the draft with its files, or send it for good."""
    actor, shown, form = current_actor(), _found(ref), ComplaintForm()
    _offer(form, shown)
    if form.validate_on_submit():
        with form.attempt():
            version = acts.save(actor, shown.application.id, form.to_input(), form.version_shown())
            # Whatever is refused now, what was typed is kept: the page that comes back goes on from that.
            form.try_again(version)
            draft = _found(ref).draft
            assert draft is not None, "what was saved is there"
            _attach(form, draft.id)
            if not form.what_is_wrong():
                if request.form.get("go") == "send":
                    sha256 = acts.send(actor, draft.id, _version_of(draft.id, ref))
                    flash(f"Your complaint is received. Its SHA-256 begins with {sha256[:16]}.", "success")
                else:
                    flash("The draft is saved. Nobody outside your team sees it.", "success")
                return see_other(".own_complaint", ref=ref)
    return _own(ref, form), 409 if form.clashed else 422


def _version_of(complaint_id: UUID, ref: str) -> int | None:
    draft = _found(ref).draft
    return draft.version if draft is not None and draft.id == complaint_id else None


def _attach(form: ComplaintForm, complaint_id: UUID) -> None:
    """Each file that is right is kept, each that is not is said beside the field."""
    for upload in request.files.getlist(form.file.name):
        if not upload.filename:
            continue
        try:
            acts.attach(current_actor(), complaint_id, files.receive(upload))
        except (Invalid, Refused) as error:
            form.file.errors = [*form.file.errors, str(error)]


@bp.post("/applications/<ref>/complaint/remove")
@requires(P.APPLICATION_EDIT)
def remove_evidence(ref: str) -> Any:
    """Take a file out of the draft."""
    shown, form = _found(ref), FileOutForm()
    with form.refusals():
        if shown.draft is None:
            raise Refused("The complaint was sent; it stands as it is.")
        acts.detach(current_actor(), shown.draft.id, form.thing_id() or UUID(int=0))
        return see_other(".own_complaint", ref=ref)
    return _own(ref, deed=form), 422


@bp.post("/applications/<ref>/complaint/<int(max=2147483647):number>/withdraw")
@requires(P.APPLICATION_SUBMIT)
def withdraw_complaint(ref: str, number: int) -> Any:
    """Withdraw what was sent and is not decided."""
    shown, form = _found(ref), WithdrawForm()
    view = next((each for each in shown.sent if each.number == number), None)
    if view is None:
        raise NotFound
    if form.validate_on_submit():
        with form.attempt():
            acts.withdraw(current_actor(), view.id, form.reason.data or "", form.version_shown())
            flash("The complaint is withdrawn. The first decision stands.", "success")
            return see_other(".own_complaint", ref=ref)
    return _own(ref, withdraw=form), 409 if form.clashed else 422


def _found(ref: str) -> OwnPage:
    return reads.own_page(current_actor(), ref, clock.now())


def _offer(form: ComplaintForm, shown: OwnPage) -> None:
    rules = shown.application.call.content.complaints
    if rules is None:
        raise NotFound
    form.offer(rules)


def _own(
    ref: str,
    form: ComplaintForm | None = None,
    withdraw: WithdrawForm | None = None,
    deed: FileOutForm | None = None,
) -> str:
    shown, actor = _found(ref), current_actor()
    draft, rules = shown.draft, shown.application.call.content.complaints
    if form is None:
        stored = {"text": draft.text, "grounds": [each.value for each in draft.grounds]} if draft else {}
        form = ComplaintForm(formdata=None, data={"version": str(draft.version if draft else 0), **stored})
    elif form.clashed:
        form.comes_again(draft.version if draft else 0)
    if shown.application.call.content.complaints is not None:
        _offer(form, shown)
    newest = next(iter(shown.sent), None)
    if withdraw is not None and withdraw.clashed and newest is not None:
        withdraw.comes_again(newest.version)
    return page(
        "awards/own_complaint.html", shown=shown, application=shown.application, call=shown.application.call, form=form,
        withdraw=withdraw or WithdrawForm(formdata=None, data={"version": str(newest.version if newest else 0)}),
        deed=deed or FileOutForm(formdata=None), ground_words=GROUND_WORDS, no_merits=NO_MERITS, letter_of=_letter_of,
        languages=" or ".join(LANGUAGES[each] for each in rules.languages) if rules else "",
        sends=shown.application.id in actor.places(P.APPLICATION_SUBMIT, "application"),
        writes=shown.application.id in actor.places(P.APPLICATION_EDIT, "application"),
    )  # fmt: skip


def _letter_of(view: ComplaintView) -> ComplaintLetter | None:
    return ComplaintLetter.from_mapping(view.letter) if view.letter else None


# --- the programme ------------------------------------------------------------------------------------------------


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
    view = shown.complaint
    if sent is not None and sent.clashed:
        sent.comes_again(view.version)

    def fresh(kind: type[F], **stored: Any) -> F:
        if isinstance(sent, kind):
            return sent
        return kind(formdata=None, data={"version": str(view.version), **stored})

    named = [str(key) for key, _ in view.committee] or ["", ""]
    upholds = {True: "yes", False: "no", None: None}[view.upholds]
    remedy = view.remedy.value if view.remedy else None
    forms = _Forms(
        fresh(CheckForm), fresh(CommitteeForm, member_one=named[0], member_two=named[-1]), fresh(MoreTimeForm),
        fresh(ProposeForm, upholds=upholds, remedy=remedy, text=view.decision), fresh(ReturnDecisionForm),
        sent if type(sent) is ContestedForm else ContestedForm(formdata=None, data={"version": str(view.version)}),
        ContestedForm(formdata=None, data={"version": str(view.version)}),
    )  # fmt: skip
    forms.committee.offer(shown.people)
    forms.propose.offer(view)
    forms.more.reason.id, forms.giving_back.reason.id = "more-reason", "return-reason"
    actor = current_actor()
    mine = actor.user_id in {key for key, _ in view.committee}
    return page(
        "awards/complaint.html", shown=shown, view=view, call=shown.application.call,
        forms=forms, why_not=shown.why_not(actor.user_id), mine=mine, proposed_here=view.proposed_by == actor.user_id,
        settles_own=view.settlement_by == actor.user_id,
        ground_words=GROUND_WORDS, remedy_words=REMEDY_WORDS, letter=_letter_of(view), half_words=points,
        at=clock.now(), sent=sent,
    )  # fmt: skip


def _step(ref: str, number: int, form: ContestedForm, deed: Callable[[CasePage], str]) -> Any:
    """One step of a case: refused, the page comes back with what was typed."""
    shown = reads.case_page(current_actor(), ref, number)
    if isinstance(form, CommitteeForm):
        form.offer(shown.people)
    if isinstance(form, ProposeForm):
        form.offer(shown.complaint)
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


# --- files --------------------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/complaints/<int(max=2147483647):number>/files/<sha256>")
@requires(P.FILE_READ)
def complaint_file(ref: str, number: int, sha256: str) -> Any:
    """A piece of evidence, for the team and for who handles it."""
    return send(acts.open_file(current_actor(), reads.id_of(ref, number), sha256))


@bp.get("/applications/<ref>/complaints/<int(max=2147483647):number>.pdf")
@requires(P.FILE_READ)
def complaint_decision(ref: str, number: int) -> Any:
    """The second decision as PDF."""
    found = reads.id_of(ref, number)
    return send(acts.open_file(current_actor(), found, reads.letter_of(found)))
