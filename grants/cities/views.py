"""Pages of the city register for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request

from grants.cities import queries, services
from grants.cities.forms import CityForm, LinkForm, LoadForm, UnlinkForm
from grants.cities.queries import Search
from grants.cities.rules import COUNTRIES, CityView
from grants.core.permissions import Permission
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("cities", __name__, url_prefix="/cities")

NAVIGATION = (NavItem("Cities", "cities.index", (Permission.CITY_READ,), order=60),)


@bp.get("")
@requires(Permission.CITY_READ)
def index() -> Any:
    wanted = Search(**{name: request.args.get(name, "")[:80] for name in ("words", "country", "label", "kind")})
    return page(
        "cities/index.html",
        cities=queries.register(current_actor(), wanted),
        search=wanted,
        counts=queries.counts(),
        countries=[(code, COUNTRIES.get(code, code)) for code in queries.countries()],
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


def _city(city: CityView, form: UnlinkForm | None = None) -> str:
    return page(
        "cities/city.html", city=city, acts_for_it=queries.organisation_name(city),
        form=form or UnlinkForm(version=str(city.version)),
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
