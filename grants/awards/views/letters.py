"""Pages of the decision letters: looked at one by one with what stands in the way, prepared, sent by a second person, read by the team."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications.rules import COMPLAIN
from grants.awards import queries, rules, services
from grants.awards.forms.letters import (
    LeaveOutForm,
    LetterDeedForm,
    LetterTextForm,
    PrepareForm,
    PrintAgainForm,
    ReturnLettersForm,
)
from grants.awards.rules.delivery import KEPT_HERE
from grants.awards.rules.letter_lists import Counts, is_missing, page_of
from grants.awards.rules.letter_words import checked_text, places_of, reason_lacking
from grants.awards.rules.letters import LetterRow, LettersPage, TextView
from grants.awards.states import LetterState, Outcome
from grants.awards.views.frame import P, bp
from grants.core import clock
from grants.core.errors import NotFound
from grants.core.permissions import Scope
from grants.dossiers.rules import paragraphs
from grants.web import downloads, mailing, paging
from grants.web.forms import ContestedForm
from grants.web.routing import current_actor, page, requires, see_other

READS = queries.letters.READS_LETTERS
TRIED_MOST = 3


@bp.get("/calls/<slug>/decision/letters")
@requires(*READS)
def letters(slug: str) -> Any:
    """Every letter of a call with what stands in its way, or how its sending went."""
    return _letters(_open(slug))


def _open(slug: str) -> LettersPage:
    shown: LettersPage = queries.letters.letters_page(current_actor(), slug)
    return shown


def _letters(shown: LettersPage, sent: ContestedForm | None = None) -> str:
    actor, place = current_actor(), Scope.of(("call", shown.call_id))
    waiting = shown.open_mailing
    only_missing = request.args.get("missing") == "yes"
    listed = tuple(filter(is_missing, shown.rows)) if only_missing else shown.rows
    version = "" if waiting is None else str(waiting.version)
    if sent is not None and sent.clashed:
        sent.problems.append(sent.clashed)
    return page(
        "awards/letters.html", shown=shown, not_told=rules.NOT_TOLD,
        rows=page_of(listed, paging.asked()), counts=Counts.of(shown.rows), only_missing=only_missing, states=LetterState, form=sent or LetterDeedForm(formdata=None),
        prepare_form=PrepareForm(formdata=None, data={"shown": shown.shown_hash}),
        confirm_form=LetterDeedForm(formdata=None, data={"version": version}),
        return_form=sent if isinstance(sent, ReturnLettersForm) else ReturnLettersForm(formdata=None, data={"version": version}),
        again_form=LetterDeedForm(formdata=None),
        may_prepare=actor.may(P.SELECTION_PUBLISH_RESULTS, place),
        may_confirm=actor.may(P.SELECTION_CONFIRM, place)
        and (waiting is None or waiting.prepared_by_id != actor.user_id),
    )  # fmt: skip


@bp.post("/calls/<slug>/decision/letters")
@requires(P.SELECTION_PUBLISH_RESULTS)
def prepare_letters(slug: str) -> Any:
    """Freeze the letters that wait; a second person sends them."""
    shown, form = _open(slug), PrepareForm()
    if form.validate_on_submit():
        with form.attempt():
            number = services.letters.prepare(current_actor(), shown.call_id, form.shown.data or "")
            flash(f"Mailing {number} is prepared. Another person must have it sent.")
            return see_other(".letters", slug=slug)
    return _letters(_open(slug), form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/decision/letters/confirm")
@requires(P.SELECTION_CONFIRM)
def confirm_letters(slug: str) -> Any:
    """The second person has the prepared letters sent."""
    shown, form = _open(slug), LetterDeedForm()
    if shown.open_mailing is None:
        return _late(shown, form)
    if form.validate_on_submit():
        with form.attempt():
            many = services.letters.confirm_mailing(current_actor(), shown.open_mailing.id, form.version_shown())
            flash(_sent_off(many), "success" if mailing.leaves() else "warning")
            return see_other(".letters", slug=slug)
    return _letters(_open(slug), form), 409 if form.clashed else 422


def _late(shown: LettersPage, form: ContestedForm) -> Any:
    form.problems.append("No letters wait for a second person any more. This page shows what became of them.")
    return _letters(shown, form), 409


@bp.post("/calls/<slug>/decision/letters/return")
@requires(P.SELECTION_CONFIRM)
def return_letters(slug: str) -> Any:
    """The second person gives the prepared letters back."""
    shown, form = _open(slug), ReturnLettersForm()
    if shown.open_mailing is None:
        return _late(shown, form)
    if form.validate_on_submit():
        with form.attempt():
            mailing_id = shown.open_mailing.id
            services.letters.return_mailing(current_actor(), mailing_id, form.reason.data or "", form.version_shown())
            flash("The letters are returned. They can be prepared again.")
            return see_other(".letters", slug=slug)
    return _letters(_open(slug), form), 409 if form.clashed else 422


@bp.get("/calls/<slug>/decision/letters/<ref>")
@requires(*READS)
def letter_preview(slug: str, ref: str) -> Any:
    """One letter with its report, as it would be sent or as it was."""
    return _preview(slug, ref)


@bp.get("/calls/<slug>/decision/letters/<ref>/papers/<sha256>")
@requires(*READS)
def letter_paper(slug: str, ref: str, sha256: str) -> Any:
    """One PDF of a letter that was sent, for the programme."""
    row = queries.letters.row_of(_open(slug), ref)
    if row.letter_id is None:
        raise NotFound
    return downloads.send(services.letters.open_paper(current_actor(), row.letter_id, sha256))


def _preview(slug: str, ref: str, sent: LeaveOutForm | PrintAgainForm | None = None) -> str:
    shown = _open(slug)
    row: LetterRow = queries.letters.row_of(shown, ref)
    actor, place = current_actor(), Scope.of(("call", shown.call_id))
    version = str(row.version)
    if sent is not None and sent.clashed:
        sent.problems.append(sent.clashed)
    return page(
        "awards/letter_preview.html", shown=shown, row=row, text=row.text, states=LetterState,
        paragraphs=paragraphs,
        form=sent if isinstance(sent, LeaveOutForm) else LeaveOutForm(formdata=None),
        print_form=sent if isinstance(sent, PrintAgainForm) else PrintAgainForm(formdata=None),
        papers=queries.letters.papers(row.letter_id) if row.letter_id and row.state is LetterState.SENT else (),
        take_form=LetterDeedForm(formdata=None),
        again_form=LetterDeedForm(formdata=None, data={"version": version}),
        may_prepare=actor.may(P.SELECTION_PUBLISH_RESULTS, place), may_confirm=actor.may(P.SELECTION_CONFIRM, place),
    )  # fmt: skip


def _named(slug: str, ref: str) -> LetterRow:
    """The row of an application, one without an outcome too."""
    found = next((row for row in _open(slug).rows if row.reference == ref), None)
    if found is None:
        raise NotFound
    return found


@bp.post("/calls/<slug>/decision/letters/<ref>/leave-out")
@requires(P.SELECTION_PUBLISH_RESULTS)
def leave_letter_out(slug: str, ref: str) -> Any:
    """Leave one letter out by name."""
    row, form = _named(slug, ref), LeaveOutForm()
    if form.validate_on_submit():
        with form.attempt():
            services.leaving_out.leave_out(current_actor(), row.application_id, form.reason.data or "")
            flash(f"The letter of {ref} is left out.")
            return see_other(".letters", slug=slug)
    return _preview(slug, ref, form) if row.text else _letters(_open(slug), form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/decision/letters/<ref>/told")
@requires(P.SELECTION_PUBLISH_RESULTS)
def told_without_letter(slug: str, ref: str) -> Any:
    """Record that the team of a letter that is left out was told otherwise."""
    row, form = _named(slug, ref), LetterDeedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.leaving_out.told_otherwise(current_actor(), row.application_id)
            flash(f"It is recorded that the team of {ref} was told. Its pages say the outcome now.", "success")
            return see_other(".letters", slug=slug)
    return _letters(_open(slug), form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/decision/letters/<ref>/take-in")
@requires(P.SELECTION_PUBLISH_RESULTS)
def take_letter_in(slug: str, ref: str) -> Any:
    """Take a letter that was left out in again."""
    row, form = _named(slug, ref), LetterDeedForm()
    if form.validate_on_submit():
        with form.attempt():
            services.leaving_out.take_in(current_actor(), row.application_id)
            flash(f"The letter of {ref} is taken in again.")
            return see_other(".letters", slug=slug)
    return _letters(_open(slug), form), 409 if form.clashed else 422


@bp.post("/calls/<slug>/decision/letters/<ref>/send-again")
@requires(P.SELECTION_CONFIRM)
def send_letter_again(slug: str, ref: str) -> Any:
    """Try one that failed once more, or tell its team again."""
    row, form = _named(slug, ref), LetterDeedForm()
    if row.letter_id is None:
        form.problems.append(
            "Its letter is not there to be sent: it was left out or returned. This page shows how it stands."
        )
        return _letters(_open(slug), form), 409
    if form.validate_on_submit():
        with form.attempt():
            services.letters.send_again(current_actor(), row.letter_id, form.version_shown())
            flash(_told_again(ref), "success")
            return see_other(".letters", slug=slug)
    return _letters(_open(slug), form), 409 if form.clashed else 422


def _sent_off(many: int) -> str:
    """What becomes of letters that were confirmed, in the words of the list where no mail leaves."""
    if mailing.leaves():
        return f"{many} {'letter is' if many == 1 else 'letters are'} on the way, one by one."
    one = many == 1
    return (
        f"{many} {'letter is' if one else 'letters are'} written to {'its team' if one else 'their teams'}, who read "
        f"{'it' if one else 'them'} here once they sign in. {KEPT_HERE}, so no mail leaves. An administrator finds the mails on "
        "the mail page; once a mail server is set (SMTP_URL), “Send again” beside each sends it."
    )


def _told_again(ref: str) -> str:
    """What became of a letter that was asked for again, in the words of the list where no mail leaves."""
    if mailing.leaves():
        return f"The letter of {ref} is on its way again."
    return f"The letter of {ref} is written to its team again. {KEPT_HERE}, so no mail left."


@bp.post("/calls/<slug>/decision/letters/<ref>/print-again")
@requires(P.SELECTION_CONFIRM)
def print_letter_again(slug: str, ref: str) -> Any:
    """Have the PDF of a sent letter made anew, from the words that were sent."""
    row, form = queries.letters.row_of(_open(slug), ref), PrintAgainForm()
    if row.letter_id is None:
        raise NotFound
    if form.validate_on_submit():
        with form.attempt():
            services.letters.ask_print(current_actor(), row.letter_id, form.reason.data or "")
            flash("New PDFs of the letter and its report are being made.", "success")
            return see_other(".letter_preview", slug=slug, ref=ref)
    return _preview(slug, ref, form), 409 if form.clashed else 422


@bp.get("/calls/<slug>/decision/texts/<outcome>")
@requires(*READS)
def letter_text(slug: str, outcome: str) -> Any:
    """The words of one outcome’s letter, to be changed."""
    shown, told = _words(slug, outcome)
    return _text(shown, told, LetterTextForm(formdata=None, data={"text": told.text, "version": str(told.number)}))


def _words(slug: str, outcome: str) -> tuple[LettersPage, TextView]:
    shown = _open(slug)
    found = next((each for each in shown.texts if each.outcome.value == outcome), None)
    if found is None:
        raise NotFound
    return shown, found


def _text(shown: LettersPage, told: TextView, form: LetterTextForm, tried: tuple[LetterRow, ...] | None = None) -> str:
    may = current_actor().may(P.SELECTION_PUBLISH_RESULTS, Scope.of(("call", shown.call_id)))
    return page(
        "awards/letter_text.html", shown=shown, told=told, form=form, places=places_of(told.outcome), may=may,
        tried=tried, paragraphs=paragraphs, tried_most=TRIED_MOST, example=shown.example(told.outcome),
        lacking=reason_lacking(told.outcome, told.text if form.text.data is None else form.text.data),
    )  # fmt: skip


def _tried(slug: str, told: TextView, text: str) -> tuple[LetterRow, ...]:
    """The letters with this outcome that still wait, as they would read with other words."""
    words = TextView(told.outcome, checked_text(told.outcome, text))
    found: LettersPage = queries.letters.letters_page(current_actor(), slug, words)
    return tuple(row for row in found.rows if row.waits and row.text is not None and row.outcome is told.outcome)


@bp.post("/calls/<slug>/decision/texts/<outcome>")
@requires(P.SELECTION_PUBLISH_RESULTS)
def write_letter_text(slug: str, outcome: str) -> Any:
    """Keep new words for one outcome’s letter."""
    shown, told = _words(slug, outcome)
    form = LetterTextForm()
    if form.validate_on_submit():
        with form.attempt():
            if request.form.get("go") == "show":
                return _text(shown, told, form, _tried(slug, told, form.text.data or ""))
            number = services.letters.write_text(
                current_actor(), shown.call_id, Outcome(outcome), form.text.data or "", form.version_shown() or 0
            )
            flash(f"Version {number} of the words is kept. Letters not yet prepared use it.")
            if lacking := reason_lacking(told.outcome, form.text.data or ""):
                flash(lacking, "warning")
            return see_other(".letters", slug=slug)
    if form.clashed:
        form.comes_again(told.number)
    return _text(shown, told, form), 409 if form.clashed else 422


@bp.get("/applications/<ref>/decision-letter")
@requires(P.APPLICATION_READ)
def letter(ref: str) -> Any:
    """The letter as its team was sent it."""
    return _letter(ref)


def _letter(ref: str, form: LetterDeedForm | None = None) -> str:
    application, sent = queries.letters.sent_letter(current_actor(), ref, clock.now())
    version = str(sent.version)
    complained, until = queries.own_complaints.own_way(application, clock.now())
    return page(
        "awards/letter.html", application=application, call=application.call, sent=sent, text=sent.text,
        paragraphs=paragraphs, complained=complained, complains_until=until, complain=COMPLAIN,
        form=form or LetterDeedForm(formdata=None, data={"version": version}),
    )  # fmt: skip


@bp.post("/applications/<ref>/decision-letter")
@requires(P.APPLICATION_READ)
def acknowledge_letter(ref: str) -> Any:
    """Somebody of the team says that they have it."""
    _, sent = queries.letters.sent_letter(current_actor(), ref, clock.now())
    form = LetterDeedForm()
    if form.validate_on_submit():
        with form.attempt():
            is_new = services.letters.acknowledge(current_actor(), sent.letter_id, form.version_shown())
            said = "Thank you. The programme sees that you have the letter."
            flash(
                said if is_new else "Your team had acknowledged this letter already. Nothing more is needed.", "success"
            )
            return see_other(".letter", ref=ref)
    if form.clashed:
        form.problems.append(form.clashed)
    return _letter(ref, form), 409 if form.clashed else 422


@bp.get("/applications/<ref>/decision-letter.pdf")
@requires(P.APPLICATION_READ)
def letter_pdf(ref: str) -> Any:
    """The letter as it was sent, as PDF."""
    return _file(ref, queries.letters.LETTER_ROLE)


@bp.get("/applications/<ref>/evaluation-summary-report.pdf")
@requires(P.APPLICATION_READ)
def report_pdf(ref: str) -> Any:
    """The evaluation summary report as PDF, once the results of the call are public."""
    return _file(ref, queries.letters.REPORT_ROLE)


def _file(ref: str, role: str) -> Any:
    actor = current_actor()
    application, _ = queries.letters.sent_letter(actor, ref, clock.now())
    return downloads.send(services.letters.download_letter(actor, application.id, role))
