"""Pages on which the coordinator reads what the programme asks for a payment, and answers with words and a file."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.core import files
from grants.core.errors import NotFound
from grants.payments import queries, rules, services
from grants.payments.forms import AnswerForm
from grants.payments.views.frame import P, bp, overtaker
from grants.web import downloads
from grants.web.forms import renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.route("/grants/<ref>/payments/<asked>/answer", methods=["GET", "POST"])
@requires(P.PAYMENT_REQUEST_SUBMIT)
def answer(ref: str, asked: str) -> Any:
    """What is asked, and the form to answer it: a suspension is answered, a returned request completed."""
    found = _asked(ref, asked)
    form = AnswerForm(data={"version": str(found.version)})
    if form.validate_on_submit():
        with form.attempt():
            flash(_take(found, form), "success")
            return see_other(".grant", ref=ref)
        # What stands now, for whoever was overtaken.
        found = _asked(ref, asked)
    renew(form, found.version)
    shown = page(
        "payments/answer.html",
        ref=ref,
        asked=found,
        history=queries.history([found.id])[found.id],
        form=form,
        last=overtaker(form, "payment_request", found.id, found.reference),
        next=rules.request_next(found),
    )
    return shown, status_of(form)


def _take(found: rules.RequestView, form: AnswerForm) -> str:
    actor, words = current_actor(), form.answer.data or ""
    incoming = files.receive(form.upload) if form.upload else None
    if found.standing.suspended_on is not None:
        services.answer_suspension(actor, found.id, answer=words, incoming=incoming, version=form.version_shown())
        return "Your answer is sent. The clock goes on when the programme has looked at it."
    services.complete(actor, found.id, answer=words, incoming=incoming, version=form.version_shown())
    return f"Request {found.reference} is complete again. The programme looks at it next."


@bp.get("/grants/<ref>/payments/<asked>/files/<sha256>")
@requires(P.FILE_READ)
def answer_file(ref: str, asked: str, sha256: str) -> Any:
    """A file that came with an answer, for the city and for the programme."""
    return downloads.send(services.open_answer_file(current_actor(), _asked(ref, asked).id, sha256))


def _asked(ref: str, asked: str) -> rules.RequestView:
    for each in queries.grant_payments(current_actor(), ref).requests:
        if each.reference == asked:
            return each
    raise NotFound
