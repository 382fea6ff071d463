"""Pages of the city register for staff."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request

from grants.cities import queries, services
from grants.cities.forms import CityForm, LoadForm
from grants.cities.queries import Search
from grants.cities.rules import COUNTRIES
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
            f"{done.added} cities added, {done.changed} changed, {done.participations_added} participations added.",
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
            return see_other("cities.show", slug=services.add_city(current_actor(), form.to_input()).slug)
    return page("cities/new.html", form=form), 422


@bp.get("/<slug>")
@requires(Permission.CITY_READ)
def show(slug: str) -> Any:
    return page("cities/city.html", city=queries.city(current_actor(), slug))
