"""Pages of a dry run: a manager tries a call as an applicant, and nothing of it reaches anybody."""

from __future__ import annotations

from typing import Any

from flask import flash, request, url_for

from grants.applications import queries, rules, services
from grants.applications.forms import DeedForm, TrialFileForm, TrialForm
from grants.applications.queries import TrialView
from grants.applications.rules import Issue, SectionInput
from grants.applications.views.frame import bp
from grants.budgets.forms import BudgetForm
from grants.calls import queries as calls
from grants.calls.rules import LANGUAGES, CallView
from grants.core import files
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Permission
from grants.dossiers.forms import SectionForm, section_form
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/calls/<slug>/trial")
@requires(Permission.CALL_MANAGE)
def trial(slug: str) -> Any:
    """How far the dry run is and what the rules say about it; or who shall apply, where there is none."""
    call = calls.call(current_actor(), slug)
    return _trial_page(call)


def _trial_page(call: CallView, form: DeedForm | None = None) -> Any:
    view = queries.trial(current_actor(), call)
    if view is None:
        beginning = TrialForm(formdata=None, title=f"Dry run of {call.title}", lead_name="Testham", lead_country="BE")
        return page("applications/trial_begin.html", call=call, form=beginning)
    return page(
        "applications/trial.html",
        call=call,
        trial=view,
        form=form or DeedForm(formdata=None),
        rules=rules,
        issue_href=lambda issue: _href(call.slug, issue),
    )


def _href(slug: str, issue: Issue) -> str:
    """Where an issue is mended in a dry run."""
    if issue.page is rules.Page.SECTION:
        return url_for(".trial_section", slug=slug, key=issue.section, _anchor=issue.anchor or None)
    if issue.page is rules.Page.BUDGET:
        return url_for(".trial_budget", slug=slug, _anchor=issue.anchor or None)
    return url_for(".trial_files", slug=slug, _anchor=issue.anchor or None)


@bp.post("/calls/<slug>/trial")
@requires(Permission.CALL_MANAGE)
def begin_trial(slug: str) -> Any:
    call, form = calls.call(current_actor(), slug), TrialForm()
    if form.validate_on_submit():
        with form.refusals():
            services.begin_trial(current_actor(), call.id, form.to_input())
            flash("The dry run has begun. Nothing of it reaches anybody.", "success")
            return see_other(".trial", slug=slug)
    return page("applications/trial_begin.html", call=call, form=form), 422


@bp.route("/calls/<slug>/trial/sections/<key>", methods=["GET", "POST"])
@requires(Permission.CALL_MANAGE)
def trial_section(slug: str, key: str) -> Any:
    """The questions of one section, as an applicant meets them."""
    view = _view(slug)
    found = view.dossier.section(key)
    form: SectionForm = section_form(found)
    if request.method == "POST" and form.validate():
        given = SectionInput(form.answers(), form.mark(), form.shown())
        with form.refusals():
            services.try_section(current_actor(), view.call.id, key, given)
            following = view.dossier.after(key)
            flash("Saved in the dry run.", "success")
            if request.form.get("go") == "next" and following is not None:
                return see_other(".trial_section", slug=slug, key=following.key)
            return see_other(".trial", slug=slug)
    status = 422 if request.method == "POST" else 200
    return page(
        "applications/trial_section.html",
        call=view.call,
        trial=view,
        section=found,
        form=form,
        following=view.dossier.after(key),
        languages=LANGUAGES,
    ), status


@bp.route("/calls/<slug>/trial/budget", methods=["GET", "POST"])
@requires(Permission.CALL_MANAGE)
def trial_budget(slug: str) -> Any:
    """The table of the budget, with every rule of the call looked at."""
    view, form = _view(slug), BudgetForm()
    if not view.call.content.pays:
        raise NotFound
    if form.validate_on_submit():
        reading = form.read(view.budget.rules, view.budget.organisations, view.budget.packages)
        with form.refusals():
            services.try_budget(current_actor(), view.call.id, reading.cells)
            if not reading.errors:
                flash("Saved in the dry run.", "success")
                return see_other(".trial_budget", slug=slug)
        view = _view(slug)
    status = 422 if request.method == "POST" else 200
    return page("applications/trial_budget.html", call=view.call, trial=view, form=form), status


@bp.get("/calls/<slug>/trial/files")
@requires(Permission.CALL_MANAGE)
def trial_files(slug: str) -> Any:
    return _files_page(slug, TrialFileForm())


def _files_page(slug: str, form: TrialFileForm) -> Any:
    view = _view(slug)
    places = services.places_of(view.call)
    return page("applications/trial_files.html", call=view.call, trial=view, form=form, places=places.values())


@bp.post("/calls/<slug>/trial/files")
@requires(Permission.CALL_MANAGE)
def try_file(slug: str) -> Any:
    """Look into one file as an applicant's would be, and note that it was good."""
    view, form = _view(slug), TrialFileForm()
    place = services.places_of(view.call).get(str(form.role.data))
    if place is None:
        raise NotFound
    if form.validate_on_submit():
        try:
            limits = place.limits
            if form.file.data is None or not getattr(form.file.data, "filename", ""):
                raise Invalid("Choose a file.")
            incoming = files.receive(
                form.file.data, allowed=limits.types, bytes_max=limits.bytes_max, pages_max=limits.pages_max
            )
            services.try_file(current_actor(), view.call.id, place.role, incoming)
        except (Invalid, Refused) as error:
            form.problems.append(f"{place.label}: {error}")
        else:
            flash(f"“{incoming.name}” would be taken. It was looked into and not kept.", "success")
            return see_other(".trial_files", slug=slug)
    return _files_page(slug, form), 422


@bp.post("/calls/<slug>/trial/files/remove")
@requires(Permission.CALL_MANAGE)
def drop_file(slug: str) -> Any:
    view, form = _view(slug), TrialFileForm()
    if form.validate_on_submit():
        with form.refusals():
            services.try_without(current_actor(), view.call.id, str(form.role.data), str(form.name.data))
            return see_other(".trial_files", slug=slug)
    return _files_page(slug, form), 422


@bp.post("/calls/<slug>/trial/send")
@requires(Permission.CALL_MANAGE)
def send_trial(slug: str) -> Any:
    call, form = calls.call(current_actor(), slug), DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.send_trial(current_actor(), call.id)
            flash("This is where an applicant would have sent it. Nobody received anything.", "success")
            return see_other(".trial", slug=slug)
    return _trial_page(call, form), 422


@bp.post("/calls/<slug>/trial/away")
@requires(Permission.CALL_MANAGE)
def throw_trial_away(slug: str) -> Any:
    call, form = calls.call(current_actor(), slug), DeedForm()
    if form.validate_on_submit():
        with form.refusals():
            services.throw_away(current_actor(), call.id)
            flash("The dry run is thrown away.", "success")
            return see_other(".trial", slug=slug)
    return _trial_page(call, form), 422


def _view(slug: str) -> TrialView:
    """This person's dry run of a call; :class:`NotFound` where there is none."""
    found = queries.trial(current_actor(), calls.call(current_actor(), slug))
    if found is None:
        raise NotFound
    return found
