"""Reads of the register of organisations: its list, facts with their history, entries that look alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select
from sqlalchemy.orm import aliased

from grants.core import clock
from grants.core.db import db, folded
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.text import fold
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import rules
from grants.identity.models import Organisation, OrganisationDouble, OrganisationFact, User
from grants.identity.queries.organisations import organisation, organisation_view, organisations, slugs
from grants.identity.rules import Entry, Fact, FactLine, OrganisationRow, OrganisationView
from grants.identity.states import DoubleVerdict, FactKind

# An entry is compared with so many others of its country; more has no register of cities and their partners.
COMPARED_MAX = 5_000
PAIRS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Alike:
    """Another entry that may be the same organisation, why, and what a person decided about the two, if anybody did."""

    view: OrganisationView
    slug: str
    why: str
    verdict: DoubleVerdict | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PairAlike:
    """Two entries that share a PIC, a VAT number or the telling words of a name, and are not decided about."""

    first: Entry
    first_slug: str
    second: Entry
    second_slug: str
    why: str


def register_entry(actor: Actor, slug: str) -> OrganisationView:
    """One organisation by the address of its page, for readers of the register and its own people; else NotFound."""
    found = next((each for each, its in slugs({slug[:2].upper()}).items() if its == slug), None)
    if found is None or not (reads_register(actor) or is_of_it(actor, found)):
        raise NotFound
    return organisation(found)


def reads_register(actor: Actor) -> bool:
    """Whether the whole register is this person's to read."""
    return actor.everywhere(Permission.ORGANISATION_READ)


def is_of_it(actor: Actor, organisation_id: UUID) -> bool:
    """Whether the person may say what the register holds of this organisation, as one of its own people."""
    return actor.may(Permission.ORGANISATION_EDIT, Scope.of(("organisation", organisation_id)))


def organisation_rows(actor: Actor, asked: Page, *, search: str = "") -> Rows[OrganisationRow]:
    """Organisations by country and name with their addresses of pages, for readers of the register.

    Found by any spelling of a name, by PIC and by VAT number.
    """
    if not reads_register(actor):
        raise NotFound
    key = Organisation.country_code + " " + Organisation.name + " " + cast(Organisation.id, Text)
    statement = select(Organisation, _validated_kinds().label("validated"))
    if words := fold(search):
        plain = "".join(search.upper().split())
        of_vat = select(OrganisationFact.organisation_id).where(
            OrganisationFact.kind == FactKind.VAT.value, OrganisationFact.value == plain
        )
        statement = statement.where(
            or_(
                folded(Organisation.name).contains(words, autoescape=True),
                folded(Organisation.local_name).contains(words, autoescape=True),
                Organisation.pic == plain,
                Organisation.id.in_(of_vat),
            )
        )
    if asked.after:
        statement = statement.where(key > asked.after)
    found = db.session.execute(statement.order_by(key).limit(asked.limit)).all()
    addresses = slugs({row.Organisation.country_code for row in found})
    return cut(
        tuple(
            OrganisationRow(organisation_view(row.Organisation), addresses[row.Organisation.id], row.validated)
            for row in found
        ),
        asked,
        key=lambda row: f"{row.view.country_code} {row.view.name} {row.view.id}",
    )


# Another line of the same table. Made once: an alias made anew copies every column of its table.
_OTHER = aliased(OrganisationFact)


def _newest(fact: type[OrganisationFact], *, before: datetime | None = None) -> Any:
    """The number of the newest line of the same organisation and kind, up to a moment where one is given."""
    found = select(func.max(_OTHER.number)).where(
        _OTHER.organisation_id == fact.organisation_id, _OTHER.kind == fact.kind
    )
    if before is not None:
        found = found.where(_OTHER.created_at <= before)
    return found.correlate(fact).scalar_subquery()


def _validated_kinds() -> Any:
    """How many kinds of fact of an organisation have a validated line as their newest that has not run out."""
    newest = _newest(OrganisationFact)
    today = clock.today()
    return (
        select(func.count())
        .where(
            OrganisationFact.organisation_id == Organisation.id,
            OrganisationFact.number == newest,
            OrganisationFact.validated_on.is_not(None),
            or_(OrganisationFact.valid_until.is_(None), OrganisationFact.valid_until > today),
        )
        .correlate(Organisation)
        .scalar_subquery()
    )


_LINE = (
    OrganisationFact.organisation_id, OrganisationFact.number, OrganisationFact.kind, OrganisationFact.value,
    OrganisationFact.source, OrganisationFact.person_id, OrganisationFact.created_at, OrganisationFact.validated_on,
    OrganisationFact.valid_until,
)  # fmt: skip


@reader
def fact_lines(organisation_ids: Iterable[UUID], at: datetime | None = None) -> Asking[tuple[FactLine, ...]]:
    """The newest line of each kind and its newest validated one, of several organisations, as of a moment."""
    wanted = set(organisation_ids)
    if not wanted:
        return ()
    validated = select(func.max(_OTHER.number)).where(
        _OTHER.organisation_id == OrganisationFact.organisation_id,
        _OTHER.kind == OrganisationFact.kind,
        _OTHER.validated_on.is_not(None),
    )
    if at is not None:
        validated = validated.where(_OTHER.created_at <= at)
    statement = (
        select(*_LINE, User.name)
        .outerjoin(User, User.id == OrganisationFact.person_id)
        .where(
            OrganisationFact.organisation_id.in_(wanted),
            or_(
                OrganisationFact.number == _newest(OrganisationFact, before=at),
                OrganisationFact.number == validated.correlate(OrganisationFact).scalar_subquery(),
            ),
        )
        .order_by(OrganisationFact.organisation_id, OrganisationFact.number)
    )
    found = yield from ask(statement)
    return tuple(_line(row) for row in found)


def _line(row: Any) -> FactLine:
    return FactLine(
        organisation_id=row.organisation_id,
        number=row.number,
        kind=FactKind(row.kind),
        value=row.value,
        source=row.source or "",
        person_id=row.person_id,
        person=row.name or "",
        at=row.created_at,
        validated_on=row.validated_on,
        valid_until=row.valid_until,
    )


@reader
def with_facts(
    organisation_ids: Iterable[UUID], at: datetime | None = None
) -> Asking[dict[UUID, tuple[OrganisationView, tuple[Fact, ...]]]]:
    """Organisations by id with everything the register holds of them, in one statement."""
    wanted = set(organisation_ids)
    views, lines = yield from both(organisations.asking(wanted), fact_lines.asking(wanted, at))
    return {each: (view, rules.facts_of(view, lines)) for each, view in views.items()}


@reader
def facts(organisation_id: UUID) -> Asking[tuple[Fact, ...]]:
    """Every fact of one organisation; raises :class:`NotFound`."""
    found = yield from with_facts.asking([organisation_id])
    if organisation_id not in found:
        raise NotFound
    return found[organisation_id][1]


def stated_by(organisation_id: UUID, kind: FactKind) -> UUID | None:
    """Who stated the value that stands of one kind: the first line that has it since there was another; whoever
    validated it later, or took that back, did not. None where the register does not know.
    """
    of_kind = [OrganisationFact.organisation_id == organisation_id, OrganisationFact.kind == kind.value]
    newest = select(OrganisationFact.value).where(*of_kind).order_by(OrganisationFact.number.desc()).limit(1)
    other = select(func.coalesce(func.max(OrganisationFact.number), 0)).where(
        *of_kind, OrganisationFact.value != newest.scalar_subquery()
    )
    return db.session.scalar(
        select(OrganisationFact.person_id)
        .where(*of_kind, OrganisationFact.number > other.scalar_subquery())
        .order_by(OrganisationFact.number)
        .limit(1)
    )


@reader
def statements_of(organisation_id: UUID) -> Asking[dict[FactKind, UUID | None]]:
    """Who stated the value that stands, of every kind with a line: what :func:`stated_by` says of one; one statement."""
    before = func.lag(OrganisationFact.value).over(partition_by=OrganisationFact.kind, order_by=OrganisationFact.number)
    lines = (
        select(
            OrganisationFact.kind,
            OrganisationFact.number,
            OrganisationFact.person_id,
            OrganisationFact.value.is_distinct_from(before).label("is_another"),
        )
        .where(OrganisationFact.organisation_id == organisation_id)
        .subquery()
    )
    latest = func.row_number().over(partition_by=lines.c.kind, order_by=lines.c.number.desc()).label("latest")
    ranked = select(lines.c.kind, lines.c.person_id, latest).where(lines.c.is_another).subquery()
    stated = select(ranked.c.kind, ranked.c.person_id).where(ranked.c.latest == 1).order_by(ranked.c.kind)
    return {FactKind(row.kind): row.person_id for row in (yield from ask(stated))}


@reader
def fact_history(organisation_id: UUID, asked: Page) -> Asking[Rows[FactLine]]:
    """Every line of one organisation, newest first; the caller has checked who reads."""
    statement = (
        select(*_LINE, User.name)
        .outerjoin(User, User.id == OrganisationFact.person_id)
        .where(OrganisationFact.organisation_id == organisation_id)
        .order_by(OrganisationFact.number.desc())
        .limit(asked.limit)
    )
    if (last := asked.number) is not None:
        statement = statement.where(OrganisationFact.number < last)
    found = yield from ask(statement)
    return cut(tuple(_line(row) for row in found), asked, key=lambda line: str(line.number))


# Entries that look alike


@reader
def _entries(*conditions: ColumnElement[bool]) -> Asking[tuple[Entry, ...]]:
    vat = aliased(OrganisationFact)
    found = yield from ask(
        select(
            Organisation.id,
            Organisation.name,
            Organisation.country_code,
            Organisation.local_name,
            Organisation.pic,
            vat.value,
        )
        .outerjoin(
            vat,
            and_(
                vat.organisation_id == Organisation.id,
                vat.kind == FactKind.VAT.value,
                vat.number == _newest(vat),
            ),
        )
        .where(*conditions)
        .order_by(Organisation.country_code, Organisation.name, Organisation.id)
        .limit(COMPARED_MAX)
    )
    return tuple(Entry(row.id, row.name, row.country_code, row.local_name, row.pic, row.value or "") for row in found)


@reader
def looking_alike(actor: Actor, view: OrganisationView) -> Asking[tuple[Alike, ...]]:
    """Other entries that may be the same organisation, those decided about included; for who decides about them.

    Three statements.
    """
    if not actor.everywhere(Permission.ORGANISATION_VALIDATE):
        return ()
    about: list[Asking[Any]] = [
        _entries.asking(Organisation.country_code == view.country_code),
        _entries.asking(Organisation.id == view.id),
        _decisions.asking({view.id}),
    ]
    of_country, (own,), decided = yield from side_by_side(about)
    shared = yield from _entries.asking(Organisation.country_code != view.country_code, _shares(own))
    why = {
        entry.id: said for entry in (*of_country, *shared) if entry.id != view.id and (said := rules.alike(own, entry))
    }
    why |= {other: "A person said so" for pair in decided for other in pair if other != view.id and other not in why}
    if not why:
        return ()
    lying_in = select(Organisation.country_code).where(Organisation.id.in_(why))
    views, addresses = yield from both(organisations.asking(why), slugs.asking(lying_in))
    return tuple(
        Alike(views[each], addresses[each], said, *decided.get(rules.in_order(view.id, each), (None, "")))
        for each, said in why.items()
        if each in views
    )


def _shares(own: Entry) -> Any:
    """Elsewhere only a number makes two entries alike."""
    of_vat = select(OrganisationFact.organisation_id).where(
        OrganisationFact.kind == FactKind.VAT.value, OrganisationFact.value == own.vat, OrganisationFact.value != ""
    )
    return or_(and_(Organisation.pic.is_not(None), Organisation.pic == own.pic), Organisation.id.in_(of_vat))


@reader
def _decisions(
    organisation_ids: Collection[UUID] | None,
) -> Asking[dict[tuple[UUID, UUID], tuple[DoubleVerdict, str]]]:
    """The newest decision of each pair, of some organisations or of all."""
    statement = select(
        OrganisationDouble.organisation_id,
        OrganisationDouble.other_id,
        OrganisationDouble.verdict,
        OrganisationDouble.reason,
    ).order_by(OrganisationDouble.number, OrganisationDouble.id)
    if organisation_ids is not None:
        statement = statement.where(
            or_(
                OrganisationDouble.organisation_id.in_(organisation_ids),
                OrganisationDouble.other_id.in_(organisation_ids),
            )
        )
    return {
        (row.organisation_id, row.other_id): (DoubleVerdict(row.verdict), row.reason)
        for row in (yield from ask(statement))
    }


def pairs_to_decide(actor: Actor) -> tuple[PairAlike, ...]:
    """Pairs of entries nobody decided about, by country and name, at most 100; for who decides about them."""
    if not actor.everywhere(Permission.ORGANISATION_VALIDATE):
        raise NotFound
    found: Sequence[tuple[Entry, Entry, str]] = rules.pairs_alike(_entries(Organisation.same_as_id.is_(None)))
    decided = _decisions(None) if found else {}
    open_pairs = [pair for pair in found if rules.in_order(pair[0].id, pair[1].id) not in decided][:PAIRS_SHOWN_MAX]
    addresses = slugs({entry.country_code for pair in open_pairs for entry in pair[:2]}) if open_pairs else {}
    return tuple(
        PairAlike(first, addresses[first.id], second, addresses[second.id], why) for first, second, why in open_pairs
    )
