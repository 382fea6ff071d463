"""Writing on a sheet: each score and text saved by itself, where one stopped, and every earlier version."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, jsonify, request

from grants.core import clock
from grants.core.errors import Invalid
from grants.dossiers import merging
from grants.dossiers import rules as dossiers
from grants.dossiers.forms import read_number
from grants.dossiers.merging import AnswerChanged, Clash
from grants.evaluation import queries, services
from grants.evaluation.rules import AssessmentPage, Place
from grants.evaluation.views.contested import contested_json, stand_again
from grants.evaluation.views.frame import P, bp
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, said_in_json, see_other


@bp.post("/assessments/<ref>/fields/<name>")
@requires(P.ASSESSMENT_SCORE)
def save_field(ref: str, name: str) -> Any:
    """Save one score or text and say in JSON how it stands; contested, both texts and a draft of both come back."""
    application_id = queries.seat_application(current_actor(), ref)
    values, number = tuple(request.form.getlist("value")), read_number(request.form.get("number"))
    try:
        saved = services.save_field(current_actor(), application_id, name, values, number)
    except AnswerChanged as error:
        return _contested(merging.clash_of(error.question, error.contested))
    except Invalid as error:
        return said_in_json(422, " ".join(error.problems.values()) or str(error))
    return jsonify(
        number=saved.number,
        saved_at=f"{clock.in_zone(saved.saved_at):%H:%M}",
        problem=None,
        lacking=dict(saved.missing),
        other=saved.other,
    )


def _contested(clash: Clash) -> Response:
    """Only the own hand writes on a sheet: it was another window."""
    at = f"{clock.in_zone(clash.contested.saved_at):%H:%M}"
    return contested_json(clash, f"You saved something else at {at} in another window of yours.")


@bp.post("/assessments/<ref>/place")
@requires(P.ASSESSMENT_SCORE)
def keep_place(ref: str) -> Any:
    """Keep where one reads and writes now, to go on there in any browser."""
    sent = request.form
    services.keep_place(
        queries.own_seat_id(current_actor(), ref),
        Place(sent.get("answer", ""), _whole("answer_offset"), sent.get("field", ""), _whole("field_offset")),
    )
    return jsonify(kept=True)


def _whole(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10 else 0


# --- every earlier version --------------------------------------------------------------------------------------


@bp.get("/assessments/<ref>/history/<name>")
@requires(P.ASSESSMENT_SCORE)
def sheet_history(ref: str, name: str) -> Any:
    """Every version of one score or text of the own sheet: when, and what changed."""
    return _history_page(queries.assessment_page(current_actor(), ref), name, DeedForm())


@bp.post("/assessments/<ref>/history/<name>")
@requires(P.ASSESSMENT_SCORE)
def restore_field(ref: str, name: str) -> Any:
    """Save an earlier version again as the newest one, while the sheet is a draft."""
    shown, form = queries.assessment_page(current_actor(), ref), DeedForm()
    question = queries.field_of(shown, name)
    version = queries.field_version(shown, name, read_number(request.form.get("version")))
    save = partial(services.save_field, current_actor(), shown.head.id, name)
    status = stand_again(form, question, version, save, by="You saved this in another window")
    if status == 303:
        return see_other(".sheet_history", ref=ref, name=name)
    return _history_page(queries.assessment_page(current_actor(), ref), name, form), status


def _history_page(shown: AssessmentPage, name: str, form: DeedForm) -> str:
    question, before = queries.field_of(shown, name), read_number(request.args.get("before"))
    return page(
        "evaluation/sheet_history.html",
        shown=shown,
        question=question,
        history=queries.field_history(shown, name, before if before > 0 else None),
        paragraphs=dossiers.paragraphs,
        form=form,
    )
