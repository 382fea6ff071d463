"""What each filter of the list asks of an application, as conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, false, func, literal_column, select, type_coerce

from grants.applications.models import Application
from grants.applications.queries.reach import state_since_to, state_to
from grants.applications.rules import ListFilter, searching
from grants.calls.models import Call
from grants.core import clock
from grants.core.permissions import Actor
from grants.identity.models import Organisation
from grants.programmes.models import Programme


def narrowed(actor: Actor, wanted: ListFilter) -> tuple[ColumnElement[bool], ...]:
    """What a filter asks of a row, each part by itself, where rows are walked in an order until a page is full."""
    leads = select(Organisation.id).where(Organisation.country_code == wanted.country_code)
    return _narrowed(actor, wanted, Application.coordinator_id.in_(leads))


def narrowed_first(actor: Actor, wanted: ListFilter) -> tuple[ColumnElement[bool], ...]:
    """The same where what is asked for is found first: counted to a bound, or few.

    The leads of a country go in as one value, so that the database finds their applications by the index: told as a
    table to join, it read every application there is.
    """
    leads = select(Organisation.id).where(Organisation.country_code == wanted.country_code).scalar_subquery()
    return _narrowed(actor, wanted, Application.coordinator_id == any_(type_coerce(func.array(leads), ARRAY(Uuid))))


def _narrowed(actor: Actor, wanted: ListFilter, of_country: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    found = [*of_calls(Application.call_id, wanted)]
    if wanted.states:
        found.append(state_to(actor).in_([state.value for state in wanted.states]))
    if wanted.country_code:
        found.append(of_country)
    if wanted.days:
        found.append(state_since_to(actor) <= clock.now() - timedelta(days=wanted.days))
    if wanted.search:
        found.append(_found_by(wanted.search))
    return tuple(found)


def _found_by(search: str) -> ColumnElement[bool]:
    asked = searching.asked(search)
    if asked is None:
        return false()
    # Named without a bound value, or the planner knows less of what it finds.
    query = func.to_tsquery(literal_column("'simple'::regconfig"), asked)
    return Application.search_vector.bool_op("@@")(query)


def of_calls(call_id: Any, wanted: ListFilter) -> Iterator[ColumnElement[bool]]:
    """Of one call, of the calls of one programme, or of any."""
    if wanted.call_slug:
        yield call_id.in_(select(Call.id).where(Call.slug == wanted.call_slug))
    if wanted.programme:
        calls = select(Call.id).join(Programme, Programme.id == Call.programme_id)
        yield call_id.in_(calls.where(Programme.code == wanted.programme))
