"""What the filters of the ledger name, found by what people call it: a parent grant, a call, a partner, a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.applications.models import Application
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import folded
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation
from grants.ledger.queries import EntryFilter
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest, Recovery
from grants.payments.rules import LedgerAsk
from grants.programmes.models import FundSource
from grants.reporting.models import PeriodicReport

# Partners that one word may name together.
PARTNERS_MAX = 50

# What is said of a name that nothing has, with the way out.
NOT_THERE = {
    "fund": "There is no parent grant “{}” here. Write its number or acronym, for example 101036519.",
    "call": "There is no call “{}” here. Write its reference, for example PCP-2022-C-0001.",
    "grant": "There is no grant “{}” here. Write its reference, for example PCP-2022-G-0001.",
    "partner": "No partner is called “{}”. Write a part of the organisation's name, for example Northbridge.",
    "document": "No document is called “{}”. Write the reference of a request, an order, a payment file, a report, "
    "a recovery, a grant or an application.",
}


@reader
def filter_of(actor: Actor, asked: LedgerAsk) -> Asking[tuple[EntryFilter, dict[str, str]]]:
    """The filter that a person's words mean, and a sentence for each word that names nothing. One statement, or two with
    words to search for."""
    names: dict[str, tuple[str, Callable[[Actor, str], Select[Any]]]] = {
        "fund": (asked.fund, _funds),
        "call": (asked.call, _calls),
        "grant": (asked.grant_reference, _grants),
        "partner": (asked.partner, _partners),
        "document": (asked.document, _documents),
    }
    typed = {name: words for name, (words, _) in names.items() if words}
    rows = yield from side_by_side(ask(names[name][1](actor, words)) for name, words in typed.items())
    found = {name: tuple(row.id for row in each) for name, each in zip(typed, rows, strict=True)}
    unknown = {name: NOT_THERE[name].format(typed[name]) for name, ids in found.items() if not ids}
    by_name = agreements.found_by_name(actor, asked.text) if fold(asked.text) else ()

    def one(name: str) -> UUID | None:
        return next(iter(found.get(name, ())), None)

    narrowed = EntryFilter(
        account=asked.account,
        events=asked.events,
        fund_source_id=one("fund"),
        call_id=one("call"),
        grant_id=one("grant"),
        organisation_ids=found.get("partner", ()),
        category=asked.category or None,
        period=asked.period or None,
        document_id=one("document"),
        effective_from=asked.from_on,
        effective_before=clock.add_days(asked.to_on, 1) if asked.to_on else None,
        recorded_before=asked.known,
        text=asked.text,
        text_grant_ids=by_name,
    )
    return narrowed, unknown


def _funds(actor: Actor, words: str) -> Select[Any]:
    named = or_(FundSource.number == words, func.lower(FundSource.acronym) == words.lower())
    return select(FundSource.id).where(named).order_by(FundSource.number).limit(1)


def _calls(actor: Actor, words: str) -> Select[Any]:
    named = or_(Call.reference == words.upper(), Call.slug == words.lower())
    return select(Call.id).where(named, _call_in_reach(actor)).limit(1)


def _call_in_reach(actor: Actor) -> ColumnElement[bool]:
    """Calls whose ledger the person reads as a whole or in a part; a grant's reader may know its call."""
    free = Call.id.not_in(actor.barred("call"))
    if actor.everywhere(Permission.LEDGER_READ):
        return free
    calls, grants = (actor.places(Permission.LEDGER_READ, kind) for kind in ("call", "grant"))
    of_grants = select(Grant.call_id).where(Grant.id.in_(grants))
    return free & or_(Call.id.in_(calls), Call.id.in_(of_grants))


def _grants(actor: Actor, words: str) -> Select[Any]:
    return select(Grant.id).where(Grant.reference == words.upper(), agreements.visible(actor)).limit(1)


def _partners(actor: Actor, words: str) -> Select[Any]:
    plain = fold(words)
    named = or_(
        folded(Organisation.name).contains(plain, autoescape=True),
        folded(Organisation.local_name).contains(plain, autoescape=True),
    )
    wanted = (named, Organisation.draft_only.is_(False))
    return select(Organisation.id).where(*wanted).order_by(Organisation.name, Organisation.id).limit(PARTNERS_MAX)


def _documents(actor: Actor, words: str) -> Select[Any]:
    """By reference, as far as the person reads the grant or the application it is of."""
    reference = words.upper()
    grants = select(Grant.id).where(agreements.visible(actor))
    of_grant = (PeriodicReport, PaymentRequest, PaymentOrder, Recovery)
    barred = Application.id.not_in(actor.barred("application"))
    batches = select(PaymentOrder.batch_id).where(PaymentOrder.grant_id.in_(grants))
    parts: list[Select[Any]] = [
        select(Grant.id).where(Grant.reference == reference, agreements.visible(actor)),
        *(select(each.id).where(each.reference == reference, each.grant_id.in_(grants)) for each in of_grant),
        select(PaymentBatch.id).where(PaymentBatch.reference == reference, PaymentBatch.id.in_(batches)),
        select(Application.id).where(Application.reference == reference, barred),
        select(Call.id).where(Call.reference == reference, _call_in_reach(actor)),
    ]
    return select(union_all(*parts).subquery().c.id).limit(1)
