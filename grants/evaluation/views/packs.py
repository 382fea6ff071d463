"""Applications to read as files, all packed or one alone: asked for, watched while they are made, taken."""

from __future__ import annotations

from typing import Any

from grants.evaluation import queries, services
from grants.evaluation.views.frame import P, bp
from grants.web.downloads import send
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/assessments/pack")
@requires(P.ASSESSMENT_SCORE)
def reading_pack() -> Any:
    """The file this person asked for, or the button that asks for it."""
    return _pack(DeedForm(formdata=None))


@bp.post("/assessments/pack")
@requires(P.ASSESSMENT_SCORE)
def ask_reading_pack() -> Any:
    """Ask for the file, or for a new one."""
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.ask_pack(current_actor())
            return see_other(".reading_pack")
    return _pack(form), 422


@bp.get("/assessments/pack/download")
@requires(P.ASSESSMENT_SCORE)
def take_reading_pack() -> Any:
    return send(services.download_pack(current_actor()))


@bp.get("/assessments/<ref>/pdf")
@requires(P.ASSESSMENT_SCORE)
def reading_copy(ref: str) -> Any:
    """One application as a PDF: the file, how far it is, or the button that asks for it."""
    return _copy(ref, DeedForm(formdata=None))


@bp.post("/assessments/<ref>/pdf")
@requires(P.ASSESSMENT_SCORE)
def ask_reading_copy(ref: str) -> Any:
    form = DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.ask_one(current_actor(), ref)
            return see_other(".reading_copy", ref=ref)
    return _copy(ref, form), 422


@bp.get("/assessments/<ref>/application.pdf")
@requires(P.ASSESSMENT_SCORE)
def take_packed_pdf(ref: str) -> Any:
    return send(services.download_one(current_actor(), ref))


def _copy(ref: str, form: DeedForm) -> str:
    return page("evaluation/reading_copy.html", shown=queries.copy(current_actor(), ref), form=form)


def _pack(form: DeedForm) -> str:
    actor = current_actor()
    return page("evaluation/reading_pack.html", pack=queries.pack(actor), open_now=queries.to_read(actor), form=form)
