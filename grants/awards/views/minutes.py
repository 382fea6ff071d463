"""The minutes of a meeting of the panel: as they stand, as they are frozen and signed, on paper."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.awards import queries, services
from grants.awards.forms import RemarkForm
from grants.awards.queries.minutes import MinutesPage
from grants.awards.rules.panel import clock_words
from grants.awards.states import PanelRole
from grants.awards.views.frame import P, bp
from grants.core.errors import Conflict
from grants.web.downloads import send
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/panels/<slug>/minutes")
@requires(P.PANEL_READ)
def minutes(slug: str) -> Any:
    # Of many that were not reached, one has its field open.
    on = (request.args.get("remark", ""), None)
    return _minutes(queries.minutes.minutes_page(current_actor(), slug), DeedForm(), on)


def _minutes(shown: MinutesPage, form: DeedForm, typed: tuple[str, str | None] = ("", None)) -> str:
    """The page; ``typed`` says on which application a remark is written, and what was not kept of it."""
    standing = shown.standing
    return page(
        "awards/minutes.html", shown=shown, form=form, typed=typed, remark=RemarkForm(formdata=None), clock_words=clock_words,
        printed=queries.minutes.printed(standing) if standing else queries.minutes.Printed(),
        writes=shown.role is PanelRole.MINUTES and not (standing and standing.signed),
        newer=standing is None or shown.text != standing.text, may_sign=_may_sign(shown),
    )  # fmt: skip


def _may_sign(shown: MinutesPage) -> bool:
    standing = shown.standing
    # Nobody signs what they cannot read whole.
    if standing is None or shown.role is None or shown.partial:
        return False
    leads = shown.role in (PanelRole.CHAIR, PanelRole.DEPUTY)
    return (standing.chair if leads else standing.second) is None


def _deed(slug: str, deed: Any, told: str) -> Any:
    form, meeting_id = DeedForm(), queries.panel.meeting_id_of(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            try:
                deed(meeting_id)
            except Conflict as error:
                form.problems.append(str(error))
                return _minutes(queries.minutes.minutes_page(current_actor(), slug), form), 409
            flash(told)
            return see_other(".minutes", slug=slug)
    return _minutes(queries.minutes.minutes_page(current_actor(), slug), form), 422


@bp.post("/panels/<slug>/minutes/remark/<ref>")
@requires(P.PANEL_TAKE_MINUTES)
def remark_in_minutes(slug: str, ref: str) -> Any:
    form, meeting_id = RemarkForm(), queries.panel.meeting_id_of(current_actor(), slug)
    if form.validate_on_submit():
        with form.refusals():
            services.minutes.remark(current_actor(), meeting_id, ref, form.remark.data or "")
            flash("The remark is in the minutes.")
            return see_other(".minutes", slug=slug)
    # Each application has a field of its own, so what is wrong is said above them all.
    form.problems += form.remark.errors
    form.remark.errors = []
    return _minutes(queries.minutes.minutes_page(current_actor(), slug), form, (ref, form.remark.data or "")), 422


@bp.post("/panels/<slug>/minutes/freeze")
@requires(P.PANEL_TAKE_MINUTES)
def freeze_minutes(slug: str) -> Any:
    return _deed(
        slug,
        lambda key: services.minutes.freeze(current_actor(), key),
        "The minutes are frozen. The chair and a second person of the meeting sign them.",
    )


@bp.post("/panels/<slug>/minutes/<int(max=2147483647):number>/sign")
@requires(P.PANEL_READ)
def sign_minutes(slug: str, number: int) -> Any:
    return _deed(slug, lambda key: services.minutes.sign(current_actor(), key, number), "You have signed the minutes.")


@bp.post("/panels/<slug>/minutes/<int(max=2147483647):number>/file")
@requires(P.PANEL_READ)
def prepare_minutes(slug: str, number: int) -> Any:
    return _deed(slug, lambda key: services.minutes.prepare(current_actor(), key, number), "The PDF is being made.")


@bp.get("/panels/<slug>/minutes/<int(max=2147483647):number>.pdf")
@requires(P.PANEL_READ)
def minutes_pdf(slug: str, number: int) -> Any:
    actor = current_actor()
    return send(services.minutes.download(actor, queries.panel.meeting_id_of(actor, slug), number))
