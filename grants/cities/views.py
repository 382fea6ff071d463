"""Pages of the city register for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, request

from grants.cities import queries, rules, services
from grants.cities.forms import (
    ActionForm,
    ActionsFileForm,
    ActionsTakenForm,
    AdvisorForm,
    CityForm,
    EndAdviceForm,
    LinkForm,
    LoadForm,
    UnlinkForm,
    WithdrawActionForm,
)
from grants.cities.queries import Search
from grants.cities.rules import COUNTRIES, ActionView, CityView
from grants.cities.states import LabelStatus
from grants.core.errors import Invalid, NotFound
from grants.core.permissions import Permission
from grants.core.text import CSV_MARK, csv_lines, decoded
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.paging import Page
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("cities", __name__, url_prefix="/cities")

NAVIGATION = (NavItem("Cities", "cities.index", (Permission.CITY_READ,), order=60),)


# What the filters of the register offer.
LABEL_WORDS = {
    LabelStatus.LABELLED.value: "Labelled",
    LabelStatus.NOT_FOUND.value: "No label found",
    LabelStatus.NOT_APPLICABLE.value: "Not a Mission City",
}
KIND_WORDS = {"mission": "Mission entries", "pilot": "Pilots before", "new": "No earlier pilot found"}


@bp.get("")
@requires(Permission.CITY_READ)
def index() -> Any:
    counts, countries = queries.around()
    problems: list[str] = []
    wanted = Search(
        request.args.get("words", "")[:80],
        chosen("country", "country", {code: code for code in countries}, problems, words=COUNTRIES) or "",
        chosen("label", "label", {each: each for each in LABEL_WORDS}, problems, words=LABEL_WORDS) or "",
        chosen("kind", "part", {kind: kind for kind in queries.KINDS}, problems, words=KIND_WORDS) or "",
    )
    return page(
        "cities/index.html",
        rows=paging.Rows(()) if problems else queries.register(wanted, paging.asked()),
        problems=problems,
        search=wanted,
        counts=counts,
        countries=[(code, COUNTRIES.get(code, code)) for code in countries],
        labels=LABEL_WORDS,
        kinds=KIND_WORDS,
        form=LoadForm(),
    )


@bp.post("/load")
@requires(Permission.CITY_MANAGE)
def load() -> Any:
    if LoadForm().validate_on_submit():
        done = services.load_register(current_actor())
        flash(
            f"{done.added} cities added, {done.changed} changed, {done.participations_added} participations added, "
            f"{done.linked} linked with their municipality.",
            "success",
        )
    return see_other("cities.index")


@bp.get("/new")
@requires(Permission.CITY_MANAGE)
def new() -> Any:
    return page("cities/new.html", form=CityForm())


@bp.post("/new")
@requires(Permission.CITY_MANAGE)
def add() -> Any:
    form = CityForm()
    if form.validate_on_submit():
        with form.refusals():
            added = services.add_city(current_actor(), form.to_input())
            flash(f"{added.name} is in the register.", "success")
            return see_other("cities.show", slug=added.slug)
    return page("cities/new.html", form=form), 422


@bp.get("/<slug>")
@requires(Permission.CITY_READ)
def show(slug: str) -> Any:
    return _city(queries.city(current_actor(), slug))


def _city(city: CityView, form: UnlinkForm | None = None, naming: AdvisorForm | None = None) -> str:
    return page(
        "cities/city.html", city=city, acts_for_it=queries.organisation_name(city), advisors=queries.advisors(city.id),
        naming=naming or AdvisorForm(formdata=None), ending=EndAdviceForm(formdata=None),
        form=form or UnlinkForm(formdata=None, version=str(city.version)), actions=queries.actions_page(city.id, Page()),
        kinds=rules.KIND_WORDS, domains=rules.DOMAIN_WORDS,
    )  # fmt: skip


@bp.route("/<slug>/organisation", methods=["GET", "POST"])
@requires(Permission.CITY_MANAGE)
def link(slug: str) -> Any:
    city = queries.city(current_actor(), slug)
    words, country = (request.args.get(name, "")[:80] for name in ("words", "country"))
    found = queries.organisations_for(current_actor(), city, words, country)
    form = LinkForm(version=str(city.version)).with_organisations(found)
    if form.validate_on_submit():
        with form.refusals():
            services.link_organisation(current_actor(), city.id, UUID(form.organisation.data), form.version_shown())
            flash(f"The organisation of {city.name} is stored.", "success")
            return see_other("cities.show", slug=slug)
    return page(
        "cities/link.html", city=city, found=found, form=form, words=words, country=country or city.country_code,
        countries=sorted(COUNTRIES.items(), key=lambda item: item[1]),
    ), 422 if form.is_submitted() else 200  # fmt: skip


@bp.post("/<slug>/organisation/undo")
@requires(Permission.CITY_MANAGE)
def unlink(slug: str) -> Any:
    city, form = queries.city(current_actor(), slug), UnlinkForm()
    if form.validate_on_submit():
        with form.refusals():
            services.unlink_organisation(current_actor(), city.id, form.version_shown())
            flash(f"No organisation acts for {city.name} any more. The program does not link it by itself.", "success")
            return see_other("cities.show", slug=slug)
    return _city(city, form), 422


@bp.post("/<slug>/advisors")
@requires(Permission.CITY_MANAGE)
def name_advisor(slug: str) -> Any:
    city, form = queries.city(current_actor(), slug), AdvisorForm()
    if form.validate_on_submit():
        with form.refusals():
            services.name_advisor(current_actor(), city.id, str(form.email.data))
            flash(f"The advisor of {city.name} is named. Applications of {city.name} are shut to them.", "success")
            return see_other("cities.show", slug=slug)
    return _city(city, naming=form), 422


@bp.post("/<slug>/advisors/<handle>/end")
@requires(Permission.CITY_MANAGE)
def end_advice(slug: str, handle: str) -> Any:
    city = queries.city(current_actor(), slug)
    if EndAdviceForm().validate_on_submit():
        services.end_advice(current_actor(), city.id, handle)
        flash(f"The part of this advisor of {city.name} is ended. What was found by it stands.", "success")
    return see_other("cities.show", slug=slug)


# The list of what a city does and what stands in its way

ACTIONS_BYTES_MAX = 200_000
_OF_LISTS = (Permission.CITY_READ, Permission.CITY_EDIT_ACTIONS)


@bp.get("/<slug>/actions")
@requires(*_OF_LISTS)
def actions(slug: str) -> Any:
    """The whole list, and for who may write it the ways to change it."""
    return _actions(slug, form=ActionForm(formdata=None))


def _actions(slug: str, **shown: Any) -> str:
    actor = current_actor()
    city = queries.city_with_actions(actor, slug)
    parts = {"form": ActionForm(formdata=None), "difference": None, "problems": (), "text": "", **shown}
    return page(
        "cities/actions.html", city=city, actions=queries.actions_page(city.id, paging.asked()), edits=queries.edits_actions(actor, city),
        uploading=parts.pop("uploading", None) or ActionsFileForm(formdata=None), taking=ActionsTakenForm(formdata=None),
        kinds=rules.KIND_WORDS, domains=rules.DOMAIN_WORDS, **parts,
    )  # fmt: skip


@bp.post("/<slug>/actions")
@requires(Permission.CITY_EDIT_ACTIONS)
def add_action(slug: str) -> Any:
    """Add one line."""
    city, form = queries.city_with_actions(current_actor(), slug), ActionForm()
    if form.validate_on_submit():
        with form.refusals():
            services.add_action(current_actor(), city.id, form.to_input())
            flash(f"{form.number.data} is in the list.", "success")
            return see_other("cities.actions", slug=slug)
    return _actions(slug, form=form), 422


@bp.get("/<slug>/actions.csv")
@requires(*_OF_LISTS)
def actions_csv(slug: str) -> Any:
    """The list as CSV, which reads back as the same; empty where there is none."""
    city = queries.city_with_actions(current_actor(), slug)
    lines = [
        (each.number, each.title, each.kind.value, each.domain.value if each.domain else "", each.source, each.year)
        for each in queries.actions(city.id)
        if each.withdrawn_on is None
    ]
    answer = Response(CSV_MARK + csv_lines([rules.ACTION_COLUMNS, *lines]), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename={slug}-actions.csv"
    return answer


@bp.post("/<slug>/actions/look")
@requires(Permission.CITY_EDIT_ACTIONS)
def look_at_actions(slug: str) -> Any:
    """What a file would change; nothing is changed yet."""
    city, form = queries.city_with_actions(current_actor(), slug), ActionsFileForm()
    if form.validate_on_submit():
        with form.refusals():
            text = _read_upload(form)
            found = rules.read_actions(text, synthetic=city.synthetic)
            difference = rules.actions_differ(queries.actions(city.id), found.lines)
            status = 422 if found.problems else 200
            return _actions(slug, difference=difference, problems=found.problems, text=text), status
    return _actions(slug, uploading=form), 422


def _read_upload(form: ActionsFileForm) -> str:
    data = form.file.data.stream.read(ACTIONS_BYTES_MAX + 1) if form.file.data else b""
    try:
        if not data:
            raise Invalid("Choose a CSV file with the list.")
        if len(data) > ACTIONS_BYTES_MAX:
            raise Invalid(f"The file is larger than {ACTIONS_BYTES_MAX // 1000} kB. Leave out what is done.")
        return decoded(data)
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error


@bp.post("/<slug>/actions/take")
@requires(Permission.CITY_EDIT_ACTIONS)
def take_actions(slug: str) -> Any:
    """Take over what was seen."""
    city, form = queries.city_with_actions(current_actor(), slug), ActionsTakenForm()
    if form.validate_on_submit():
        with form.refusals():
            done = services.import_actions(current_actor(), city.id, form.text.data or "")
            flash(f"{len(done.new)} lines are new, {len(done.changed)} changed, {done.same} stay.", "success")
            return see_other("cities.actions", slug=slug)
    return _actions(slug, problems=tuple(sentence for sentence, _ in form.what_is_wrong())), 422


@bp.route("/<slug>/actions/<number>", methods=["GET", "POST"])
@requires(Permission.CITY_EDIT_ACTIONS)
def change_action(slug: str, number: str) -> Any:
    """Change one line."""
    actor = current_actor()
    city, action = _action(slug, number)
    form = ActionForm(data={name: _plain(getattr(action, name)) for name in ("version", *rules.ACTION_COLUMNS)})
    if form.validate_on_submit():
        with form.refusals():
            services.change_action(actor, action.id, form.to_input(), form.version_shown())
            flash(f"{form.number.data} is changed.", "success")
            return see_other("cities.actions", slug=slug)
    return _one_action(city, action, form=form), 422 if form.is_submitted() else 200


def _plain(value: Any) -> Any:
    return "" if value is None else getattr(value, "value", value)


def _action(slug: str, number: str) -> tuple[CityView, ActionView]:
    city = queries.city_with_actions(current_actor(), slug)
    found = next((each for each in queries.actions(city.id) if each.number == number), None)
    if found is None or not queries.edits_actions(current_actor(), city):
        raise NotFound
    return city, found


def _one_action(city: CityView, action: ActionView, **forms: Any) -> str:
    withdrawing = forms.pop("withdrawing", None) or WithdrawActionForm(formdata=None)
    values = {name: _plain(getattr(action, name)) for name in ("version", *rules.ACTION_COLUMNS)}
    form = forms.pop("form", None) or ActionForm(formdata=None, data=values)
    return page("cities/action.html", city=city, action=action, form=form, withdrawing=withdrawing)


@bp.post("/<slug>/actions/<number>/withdraw")
@requires(Permission.CITY_EDIT_ACTIONS)
def withdraw_action(slug: str, number: str) -> Any:
    """Take one line out of the list from today on."""
    (city, action), form = _action(slug, number), WithdrawActionForm()
    if form.validate_on_submit():
        with form.refusals():
            services.withdraw_action(current_actor(), action.id, str(form.reason.data))
            flash(f"{action.number} is not in the list any more.", "success")
            return see_other("cities.actions", slug=slug)
    return _one_action(city, action, withdrawing=form), 422
