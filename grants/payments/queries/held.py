"""What coordinators hold for their partners in all grants, and the duties about it; of one grant reads ``distribution``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import GrantState
from grants.applications.models import ApplicationPartner
from grants.calls.states import PassedOnBy
from grants.core import clock
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.queries.sums import leg_net
from grants.payments.models import Distribution
from grants.payments.queries.distribution import Found, brought_in, passed_on, reported_as_passed
from grants.payments.rules.distribution import (
    PartnerBalance,
)
from grants.payments.states import DistributionState

LISTED_MAX = 200
DUTIES_MAX = 20


@dataclass(frozen=True, slots=True)
class HeldRow:
    """What the coordinator of one grant holds for one partner."""

    reference: str
    acronym: str
    coordinator: str
    balance: PartnerBalance


def _places(condition: ColumnElement[bool]) -> Any:
    """Where coordinators hold something, that whose first payment is oldest first."""
    net = func.sum(case((LedgerLeg.account == Account.CONSUMED.value, leg_net), else_=-leg_net))
    return (
        select(Grant.id, LedgerLeg.organisation_id)
        .join(LedgerLeg, LedgerLeg.grant_id == Grant.id)
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            condition,
            LedgerLeg.account.in_([Account.CONSUMED.value, Account.DISTRIBUTED.value]),
            LedgerLeg.organisation_id.is_not(None),
            LedgerLeg.organisation_id != Grant.coordinator_id,
            Grant.state != GrantState.CLOSED.value,
        )
        .group_by(Grant.id, LedgerLeg.organisation_id)
        .having(net > 0)
        .order_by(func.min(LedgerEntry.effective_on), Grant.reference, LedgerLeg.organisation_id)
    )


def _rows(condition: ColumnElement[bool], limit: int) -> Asking[list[HeldRow]]:
    places = yield from ask(_places(condition).limit(limit))
    if not places:
        return []
    ids = sorted({grant_id for grant_id, _ in places})
    organisations = sorted({partner for _, partner in places})
    leads = select(Grant.coordinator_id).where(Grant.id.in_(ids))
    brought, passed, reported, grants, names = yield [
        brought_in().where(Grant.id.in_(ids)),
        passed_on().where(LedgerLeg.grant_id.in_(ids)),
        reported_as_passed().where(Distribution.grant_id.in_(ids)),
        select(Grant).where(Grant.id.in_(ids)),
        select(Organisation.id, Organisation.name).where(
            Organisation.id.in_(organisations) | Organisation.id.in_(leads)
        ),
    ]
    found, known = Found(brought, passed, reported), dict(tuple(each) for each in names)
    by_id = {grant.id: grant for grant in grants}
    rows = []
    for grant_id, partner in places:
        grant = by_id[grant_id]
        balance = found.balance(grant_id, partner, known[partner], agreements.passing_on_of(grant))
        rows.append(HeldRow(grant.reference, grant.acronym or grant.title, known[grant.coordinator_id], balance))
    return rows


@reader
def held_for_partners(actor: Actor, *, overdue: bool, today: date) -> Asking[tuple[HeldRow, ...]]:
    """What coordinators hold for partners, what is overdue first, then by the day since which; the first two hundred."""
    rows = yield from _rows(agreements.visible(actor, Permission.PAYMENT_ORDER_READ), LISTED_MAX)
    shown = [row for row in rows if row.balance.is_overdue(today) or not overdue]
    return tuple(sorted(shown, key=lambda row: (row.balance.due_on or date.max, row.balance.since or date.max)))


@reader
def distribution_duties(actor: Actor, today: date) -> Asking[list[Duty]]:
    """For the coordinator what it holds, for a partner or an officer what to confirm, for an officer what is overdue."""
    kinds: list[Asking[list[Duty]]] = []
    if actor.can(Permission.DISTRIBUTION_REPORT):
        kinds.append(_to_pass_on(actor))
    if actor.can(Permission.DISTRIBUTION_CONFIRM):
        kinds.append(_to_confirm(actor))
        if actor.can(Permission.PAYMENT_ORDER_READ):
            kinds.append(_overdue(actor, today))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


def _to_pass_on(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _rows(agreements.visible(actor, Permission.DISTRIBUTION_REPORT), DUTIES_MAX)
    return [
        Duty(
            f"Pass on to {row.balance.name} what you received for it",
            f"{row.acronym}: {row.balance.to_report} is not reported as passed on.",
            "Report the transfer",
            "payments.distribution",
            {"ref": row.reference},
            due_at=clock.end_of_day(row.balance.due_on) if row.balance.due_on else None,
        )
        for row in rows
        if row.balance.to_report
    ]


def _overdue(actor: Actor, today: date) -> Asking[list[Duty]]:
    rows = yield from _rows(agreements.visible(actor, Permission.DISTRIBUTION_CONFIRM), LISTED_MAX)
    late = [row for row in rows if row.balance.is_overdue(today)]
    return [
        Duty(
            f"Ask {row.coordinator} what became of the money for {row.balance.name}",
            f"{row.acronym}: {row.balance.held} is held, {row.balance.late_words(today)}.",
            "Look at the distribution",
            "payments.distribution",
            {"ref": row.reference},
        )
        for row in late[:DUTIES_MAX]
    ]


def _to_confirm(actor: Actor) -> Asking[list[Duty]]:
    spoken_for = select(ApplicationPartner.organisation_id).where(
        ApplicationPartner.application_id == Grant.application_id,
        ApplicationPartner.contact_user_id == actor.user_id,
    )
    own = Distribution.organisation_id.in_(actor.organisation_ids) | Distribution.organisation_id.in_(
        spoken_for.correlate(Grant).scalar_subquery()
    )
    about = (Distribution.reference, Distribution.number, Distribution.amount, Distribution.paid_on)
    in_office = [Grant.passed_on_by == PassedOnBy.OFFICER.value] if actor.can(Permission.PAYMENT_ORDER_READ) else []
    statement = (
        select(*about, Grant.reference.label("grant"), Organisation.name)
        .join(Grant, Grant.id == Distribution.grant_id)
        .join(Organisation, Organisation.id == Distribution.organisation_id)
        .where(
            agreements.visible(actor, Permission.DISTRIBUTION_CONFIRM),
            Distribution.state == DistributionState.REPORTED.value,
            Distribution.reported_by != actor.user_id,
            Grant.coordinator_id.not_in(actor.organisation_ids),
            or_(own, *in_office),
        )
        .order_by(Distribution.reported_at, Distribution.reference)
        .limit(DUTIES_MAX)
    )
    found = yield from ask(statement)
    return [
        Duty(
            f"Say whether {name} received {amount}",
            f"{reference}: the coordinator reports it as passed on, on {clock.long_date(paid_on)}.",
            "Look at the transfer",
            "payments.passed_on",
            {"ref": grant, "number": number},
        )
        for reference, number, amount, paid_on, grant, name in found
    ]
