"""The recipients of a year as they are published (F18): who, for what, how much, where; some without their name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, extract, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Beneficiary, Grant
from grants.awards.models import AwardWithheld
from grants.awards.states import WithheldGround
from grants.calls.models import Call
from grants.core import clock
from grants.core.money import ZERO, Money
from grants.core.paging import Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, reader
from grants.identity.models import Organisation, OrganisationFact
from grants.identity.states import FactKind
from grants.ledger.queries import cents_of
from grants.payments.queries.forecasts import Choice
from grants.payments.rules.recipients import Recipient, RecipientFacts, published


@dataclass(frozen=True, slots=True)
class RecipientsPage:
    """Recipients of a year by grant, with what the list can be narrowed to and what it comes to in all."""

    year: int
    call: str
    rows: Rows[Recipient]
    total: Money
    withheld: Tally
    years: tuple[int, ...]
    calls: tuple[Choice, ...]


@reader
def recipients(actor: Actor, page: Page, *, year: int | None, call: str = "") -> Asking[RecipientsPage]:
    """The recipients of grants that entered into force in a year, the last one where none is asked for. Three statements.

    An award that is withheld from publication stands without name, purpose and place, with the ground, from the moment
    one person withholds it; whoever may not read a grant does not see its line.
    """
    seen = agreements.visible(actor, Permission.LEDGER_READ) & Grant.in_force_at.is_not(None)
    each_year = select(_year().label("year")).where(seen).distinct().subquery()
    years, calls = yield [
        select(each_year.c.year).order_by(each_year.c.year.desc()),
        select(Call.reference, Call.title)
        .where(Call.id.in_(select(Grant.call_id).where(seen)))
        .order_by(Call.reference),
    ]
    of_year = tuple(int(row.year) for row in years)
    asked = year if year is not None else next(iter(of_year), clock.in_zone(clock.now()).year)
    # Who takes part without money of the grant, or left it with nothing, receives nothing.
    wanted = seen & (_year() == asked) & (Beneficiary.maximum > ZERO)
    if call:
        wanted = wanted & (Call.reference == call)
    rows, (sums,) = yield [_rows(wanted, page), _sums(wanted)]
    made = [_recipient(row) for row in rows]
    return RecipientsPage(
        asked,
        call,
        cut(made, page, key=lambda each: each.key, total=Tally.of(int(sums.number))),
        Money(int(sums.cents)),
        Tally.of(int(sums.withheld)),
        tuple(sorted({*of_year, asked}, reverse=True)),
        tuple(Choice(row.reference, f"{row.reference} {row.title}") for row in calls),
    )


def _year() -> ColumnElement[Any]:
    """The year in which both sides had signed, in the zone of the programme."""
    return extract("year", func.timezone(clock.BRUSSELS, Grant.in_force_at))


def _withheld() -> ColumnElement[bool]:
    return exists().where(AwardWithheld.application_id == Grant.application_id, AwardWithheld.ended_at.is_(None))


def _rows(wanted: ColumnElement[bool], page: Page) -> Any:
    ground = (
        select(AwardWithheld.ground)
        .where(AwardWithheld.application_id == Grant.application_id, AwardWithheld.ended_at.is_(None))
        .correlate(Grant)
        .limit(1)
        .scalar_subquery()
    )
    region = (
        select(OrganisationFact.value)
        .where(OrganisationFact.organisation_id == Organisation.id, OrganisationFact.kind == FactKind.NUTS2.value)
        .correlate(Organisation)
        .order_by(OrganisationFact.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            *(
                Grant.reference,
                Grant.title,
                Grant.in_force_at,
                Call.reference.label("call"),
                Call.title.label("call_title"),
            ),
            *(Beneficiary.position, Beneficiary.is_coordinator, Beneficiary.maximum),
            *(Organisation.name, Organisation.town, Organisation.country_code),
            *(ground.label("ground"), region.label("region")),
        )
        .join(Call, Call.id == Grant.call_id)
        .join(Beneficiary, Beneficiary.grant_id == Grant.id)
        .join(Organisation, Organisation.id == Beneficiary.organisation_id)
        .where(wanted)
    )
    reference, _, position = (page.after or "").rpartition(".")
    if reference and position.isdecimal() and len(position) < 6:
        beyond = and_(Grant.reference == reference, Beneficiary.position > int(position))
        statement = statement.where((Grant.reference > reference) | beyond)
    return statement.order_by(Grant.reference, Beneficiary.position).limit(page.limit)


def _sums(wanted: ColumnElement[bool]) -> Any:
    cents = func.coalesce(func.sum(cents_of(Beneficiary.maximum)), 0)
    return (
        select(
            func.count().label("number"),
            cents.label("cents"),
            func.count().filter(_withheld()).label("withheld"),
        )
        .select_from(Grant)
        .join(Call, Call.id == Grant.call_id)
        .join(Beneficiary, Beneficiary.grant_id == Grant.id)
        .where(wanted)
    )


def _recipient(row: Any) -> Recipient:
    return published(
        RecipientFacts(
            grant=row.reference,
            position=row.position,
            call=row.call,
            call_title=row.call_title,
            name=row.name,
            purpose=row.title,
            amount=row.maximum,
            coordinates=row.is_coordinator,
            town=row.town or "",
            country=row.country_code,
            region=row.region or "",
            signed_on=clock.in_zone(row.in_force_at).date(),
        ),
        WithheldGround(row.ground) if row.ground else None,
    )
