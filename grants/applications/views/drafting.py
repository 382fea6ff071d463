"""One application: its task list, details, sections and history."""

from __future__ import annotations

from typing import Any

from flask import flash, request

from grants.applications import queries, rules, services
from grants.applications.forms import DetailsForm
from grants.applications.queries import Workplace
from grants.applications.rules import SectionInput
from grants.applications.states import ApplicationState
from grants.applications.views.frame import bp, submitted_context, team_context
from grants.core import clock
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Permission
from grants.dossiers import queries as dossier_queries
from grants.dossiers import rules as dossier_rules
from grants.dossiers.forms import SectionForm, section_form
from grants.dossiers.queries import SectionView
from grants.dossiers.rules import Clash
from grants.identity import queries as identity
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>")
@requires(Permission.APPLICATION_READ)
def show(ref: str) -> Any:
    """The task list for the team; for staff what was submitted."""
    actor = current_actor()
    application = queries.view(actor, ref)
    ended = queries.reason_of_end(actor, application)
    team = queries.is_team(actor, application.id)
    shown = {
        "ended": ended,
        "ineligible": queries.desk(actor, application) if application.state is ApplicationState.INELIGIBLE else None,
        # A later stage shows it, to the team alone.
        "has_result": team and application.state in rules.WITH_RESULT,
    }
    if team and application.dossier_id is not None:
        return page("applications/task_list.html", **shown, **team_context(queries.workplace_of(application)))
    return page("applications/submitted.html", **shown, **submitted_context(application))


@bp.get("/applications/<ref>/details")
@requires(Permission.APPLICATION_EDIT)
def details(ref: str) -> Any:
    """Title, short name and summary."""
    place = queries.workplace(current_actor(), ref)
    view = place.application
    form = DetailsForm(
        data={
            "title": view.title,
            "acronym": view.acronym or "",
            "about": view.summary or "",
            "version": str(view.version),
        }
    )
    return page("applications/details.html", form=form, stored=None, **team_context(place))


@bp.post("/applications/<ref>/details")
@requires(Permission.APPLICATION_EDIT)
def edit_details(ref: str) -> Any:
    """Save them."""
    form, place = DetailsForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.attempt():
            services.edit_details(current_actor(), place.application.id, form.to_input(), form.version_shown())
            flash("The details are saved.", "success")
            return see_other(".show", ref=ref)
    if form.clashed:
        place = queries.workplace(current_actor(), ref)
        form.comes_again(place.application.version)
    stored = place.application if form.clashed else None
    return page("applications/details.html", form=form, stored=stored, **team_context(place)), 409 if stored else 422


@bp.get("/applications/<ref>/sections/<key>")
@requires(Permission.APPLICATION_READ)
def section(ref: str, key: str) -> Any:
    """The questions of one section."""
    place = queries.workplace(current_actor(), ref)
    return _section_page(place, place.dossier.section(key), _section_form(place.dossier.section(key)))


@bp.post("/applications/<ref>/sections/<key>")
@requires(Permission.APPLICATION_EDIT)
def save_section(ref: str, key: str) -> Any:
    """Save whatever was typed; a clash comes back with both texts."""
    place = queries.workplace(current_actor(), ref)
    form = _section_form(place.dossier.section(key))
    given = SectionInput(form.answers(), form.mark(), form.version_shown())
    try:
        services.save_section(current_actor(), place.application.id, key, given)
    except Conflict as error:
        return _clash_page(ref, key, form, error), 409
    except Invalid as error:
        form.place_problems(error)
    except Refused as error:
        form.add_problem(error)
    else:
        return _after_saving(place, key)
    return _section_page(place, place.dossier.section(key), form), 422


def _section_form(found: SectionView) -> SectionForm:
    return section_form(found.section, dict(found.answers), found.version, found.mark)


def _after_saving(place: Workplace, key: str) -> Any:
    ref, following = place.application.reference, place.dossier.after(key)
    flash(f"Saved {clock.in_zone(clock.now(), place.application.call.zone):%H:%M}.", "success")
    match request.form.get("go"):
        case "stay":
            return see_other(".section", ref=ref, key=key)
        case "next" if following is not None:
            return see_other(".section", ref=ref, key=following.key)
    return see_other(".show", ref=ref)


def _clash_page(ref: str, key: str, form: SectionForm, error: Conflict) -> str:
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    typed = {answer.question: answer for answer in form.answers()}
    form.problems.append(str(error))
    form.try_again(found.version)
    return _section_page(place, found, form, dossier_rules.clashes(found.section, found.answers, typed))


def _section_page(place: Workplace, found: SectionView, form: SectionForm, clashes: tuple[Clash, ...] = ()) -> str:
    criteria = {criterion.key: criterion.name for criterion in place.application.call.content.criteria}
    return page(
        "applications/section.html",
        form=form,
        section=found,
        clashes=clashes,
        criteria=criteria,
        following=place.dossier.after(found.key),
        **team_context(place),
    )


@bp.get("/applications/<ref>/sections/<key>/history/<question>")
@requires(Permission.APPLICATION_READ)
def history(ref: str, key: str, question: str) -> Any:
    """Every earlier answer to one question."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    item = next((each for each in found.questions if each.question.key == question), None)
    if item is None:
        raise NotFound
    versions = dossier_queries.history(place.dossier.id, question)
    people = identity.people(version.saved_by for version in versions if version.saved_by)
    return page(
        "applications/history.html",
        section=found,
        item=item,
        versions=versions,
        people=people,
        paragraphs=dossier_rules.paragraphs,
        **team_context(place),
    )
