"""Pages of complaints for the applicant: what one may complain about, the draft, what became of what was sent, and its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, request

from grants.awards import queries, services
from grants.awards.forms.complaints import ComplaintForm, FileOutForm, WithdrawForm
from grants.awards.queries.own_complaints import OwnPage
from grants.awards.rules.complaints import ComplaintView
from grants.awards.views.frame import P, bp, letter_of
from grants.calls.rules import GROUND_WORDS, LANGUAGES, NO_MERITS, ComplaintRules
from grants.core import clock, files
from grants.core.errors import Invalid, NotFound, Refused
from grants.web.downloads import send
from grants.web.routing import current_actor, page, requires, see_other

acts, reads = services.complaints, queries.complaints


@bp.get("/applications/<ref>/complaint")
@requires(P.APPLICATION_READ)
def own_complaint(ref: str) -> Any:
    """What one may complain about and until when, the draft, and what became of what was sent."""
    return _own(ref)


@bp.post("/applications/<ref>/complaint")
@requires(P.APPLICATION_EDIT)
def write_complaint(ref: str) -> Any:
    """Keep the draft with its files, or send it for good."""
    form = _offered(ComplaintForm(), _found(ref))
    if form.validate_on_submit():
        with form.attempt():
            done = _kept(ref, form)
            if not form.what_is_wrong():
                flash(done, "success")
                return see_other(".own_complaint", ref=ref)
    return _own(ref, form), 409 if form.clashed else 422


def _kept(ref: str, form: ComplaintForm) -> str:
    """Save what was typed and the files; send it where that is asked and nothing is wrong. Returns what was done, in words."""
    actor, application = current_actor(), _found(ref).application
    version = acts.save(actor, application.id, form.to_input(), form.version_shown())
    # Whatever is refused now, what was typed is kept: the page that comes back goes on from that.
    form.try_again(version)
    draft = _found(ref).draft
    assert draft is not None, "what was saved is there"
    _attach(form, draft.id)
    if request.form.get("go") != "send":
        return "The draft is saved. Nobody outside your team sees it."
    _look_whole(form, application.call.content.complaints)
    if form.what_is_wrong():
        return ""
    sha256 = acts.send(actor, draft.id, _version_of(draft.id, ref))
    return f"Your complaint is received. Its SHA-256 begins with {sha256[:16]}."


def _look_whole(form: ComplaintForm, rules: ComplaintRules | None) -> None:
    """What is missing before it can be sent is told beside what is wrong with its files."""
    with form.refusals():
        if rules is not None:
            form.to_input().refuse_incomplete(rules)


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
            raise Refused("The complaint was sent; it stands as it is. Until it is decided you can withdraw it.")
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
    return queries.own_complaints.own_page(current_actor(), ref, clock.now())


def _offered(form: ComplaintForm, shown: OwnPage) -> ComplaintForm:
    """The form with the grounds the call allows; :class:`NotFound` where it takes no complaints."""
    rules = shown.application.call.content.complaints
    if rules is None:
        raise NotFound
    form.offer(rules)
    return form


def _own(
    ref: str,
    form: ComplaintForm | None = None,
    withdraw: WithdrawForm | None = None,
    deed: FileOutForm | None = None,
) -> str:
    shown, actor = _found(ref), current_actor()
    rules, key = shown.application.call.content.complaints, shown.application.id
    sends = key in actor.places(P.APPLICATION_SUBMIT, "application")
    writes = key in actor.places(P.APPLICATION_EDIT, "application")
    gives_up = sends and next((each.is_open for each in shown.sent), False)
    return page(
        "awards/own_complaint.html", shown=shown, application=shown.application, call=shown.application.call,
        form=_writing(shown, form), withdraw=_withdrawing(shown, withdraw, stands=gives_up), gives_up=gives_up,
        left=_left_over(form, writes and shown.is_written, withdraw, gives_up), deed=deed or FileOutForm(formdata=None),
        ground_words=GROUND_WORDS, no_merits=NO_MERITS, letter_of=letter_of, sends=sends, writes=writes,
        languages=" or ".join(LANGUAGES[each] for each in rules.languages) if rules else "",
    )  # fmt: skip


def _writing(shown: OwnPage, sent: ComplaintForm | None) -> ComplaintForm:
    """The form of the draft: as it was sent, else with what is stored."""
    draft = shown.draft
    version = draft.version if draft else 0
    if sent is None:
        stored = {"text": draft.text, "grounds": [each.value for each in draft.grounds]} if draft else {}
        sent = ComplaintForm(formdata=None, data={"version": str(version), **stored})
    elif sent.clashed:
        sent.comes_again(version, stands=shown.is_written)
    return sent if shown.application.call.content.complaints is None else _offered(sent, shown)


def _left_over(
    form: ComplaintForm | None, writes: bool, withdraw: WithdrawForm | None, gives_up: bool
) -> ComplaintForm | WithdrawForm | None:
    """The form that was sent, where it stands on the page no more."""
    return (None if writes else form) or (None if gives_up else withdraw)


def _withdrawing(shown: OwnPage, sent: WithdrawForm | None, stands: bool) -> WithdrawForm:
    newest: ComplaintView | None = next(iter(shown.sent), None)
    version = newest.version if newest else 0
    if sent is None:
        return WithdrawForm(formdata=None, data={"version": str(version)})
    if sent.clashed:
        sent.comes_again(version, stands=stands)
    return sent


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
