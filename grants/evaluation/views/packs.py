"""All applications to read in one packed file: asked for, watched while it is made, taken."""

from __future__ import annotations

from typing import Any

from grants.core import files
from grants.core.file_types import FileType
from grants.evaluation import queries, rules, services
from grants.evaluation.views.frame import P, bp
from grants.web.downloads import hand_over, send
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


@bp.get("/assessments/<ref>/application.pdf")
@requires(P.ASSESSMENT_SCORE)
def take_packed_pdf(ref: str) -> Any:
    """One application as a PDF, made at once: nobody packs all of them to read one."""
    one = services.take_one(current_actor(), ref)
    return hand_over(
        services.reading_copy(one), FileType.PDF, files.clean_name(rules.packed_name(one.reference, one.title))
    )


def _pack(form: DeedForm) -> str:
    actor = current_actor()
    return page("evaluation/reading_pack.html", pack=queries.pack(actor), open_now=queries.to_read(actor), form=form)
