"""What grants will still be paid, read for one grant or for all that a condition names, in as many statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant, Milestone, PaymentScheduleLine
from grants.agreements.rules import ScheduleLine
from grants.agreements.states import GrantState, MilestoneState, PaymentKind
from grants.core import clock
from grants.core.db import among, db
from grants.core.errors import Problem
from grants.core.money import Money
from grants.core.together import Asking, ask, reader, side_by_side
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.queries import Standing
from grants.ledger.rules import Balances, natural
from grants.ledger.rules.proofs import Checked
from grants.payments.models import PaymentRequest
from grants.payments.rules import Limits
from grants.payments.rules.expected import (
    GrantMoney,
    MilestoneStands,
    Outlook,
    ReportStands,
    RequestStands,
    StripItem,
    outlook,
    strip,
)
from grants.payments.rules.forecasting import GrantOutlook
from grants.payments.states import RequestState
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportKind, ReportState


@reader
def outlooks(wanted: ColumnElement[bool], today: date, *, limit: int | None = None) -> Asking[tuple[GrantOutlook, ...]]:
    """The outlook of every grant that a condition names, by reference. One statement, however many there are."""
    ids: Select[Any] = select(Grant.id).where(wanted).order_by(Grant.reference).limit(limit)
    about: list[Asking[Any]] = [
        ask(select(Grant).where(Grant.id.in_(ids)).order_by(Grant.reference)),
        ask(books.sums_by_grant(ids)),
        *(ask(each) for each in _parts(ids)),
    ]
    grants, sums, *parts = yield from side_by_side(about)
    balances: dict[UUID, dict[Account, Money]] = {}
    for grant_id, code, debits, credits in sums:
        account = Account(code)
        balances.setdefault(grant_id, {})[account] = natural(account, int(debits), int(credits))
    return tuple(_outlooks(grants, {each: Balances(found) for each, found in balances.items()}, parts, today))


def _parts(ids: Select[Any]) -> list[Any]:
    """Schedule, reports, milestones and requests of these grants, each in its order."""
    line, report, milestone, request = PaymentScheduleLine, PeriodicReport, Milestone, PaymentRequest
    return [
        select(line.grant_id, line.number, line.kind, line.report_number, line.planned, line.due_on)
        .where(line.grant_id.in_(ids))
        .order_by(line.grant_id, line.number),
        select(
            *(report.grant_id, report.number, report.kind, report.state, report.ends_before, report.due_on),
            *(report.submitted_at, report.accepted_total),
        )
        .where(report.grant_id.in_(ids))
        .order_by(report.grant_id, report.number),
        select(milestone.grant_id, milestone.number, milestone.state, milestone.due_on, milestone.expected_on)
        .where(milestone.grant_id.in_(ids))
        .order_by(milestone.grant_id, milestone.number),
        select(
            *(request.grant_id, request.reference, request.kind, request.state, PeriodicReport.number.label("report")),
            *(request.requested, request.due_on, request.suspended_on),
        )
        .outerjoin(PeriodicReport, PeriodicReport.id == request.report_id)
        .where(request.grant_id.in_(ids))
        .order_by(request.grant_id, request.number),
    ]


def _outlooks(
    grants: Sequence[Any], balances: dict[UUID, Balances], parts: Sequence[Sequence[Any]], today: date
) -> Iterator[GrantOutlook]:
    schedule, reports, milestones, requests = (_by_grant(rows) for rows in parts)
    for row in grants:
        money = GrantMoney(
            state=GrantState(row.state),
            limits=Limits(row.maximum, row.interim_ceiling, row.prefinancing, row.retention, row.additional),
            times=agreements.time_limits_of(row),
            starts_on=row.starts_on,
            in_force_on=_day(row.in_force_at),
            final_amount=row.final_amount,
            balances=balances.get(row.id, Balances({})),
            schedule=tuple(
                ScheduleLine(each.number, PaymentKind(each.kind), each.report_number, each.planned, each.due_on)
                for each in schedule.get(row.id, ())
            ),
            reports=tuple(map(_report, reports.get(row.id, ()))),
            milestones=tuple(
                MilestoneStands(each.number, MilestoneState(each.state), each.due_on, each.expected_on)
                for each in milestones.get(row.id, ())
            ),
            requests=tuple(map(_request, requests.get(row.id, ()))),
        )
        name = row.acronym or row.title
        yield GrantOutlook(row.id, row.reference, name, row.call_id, GrantState(row.state), outlook(money, today))


def _by_grant(rows: Sequence[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.grant_id, []).append(row)
    return found


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else clock.in_zone(moment).date()


def _report(row: Any) -> ReportStands:
    return ReportStands(
        row.number,
        row.kind == ReportKind.FINAL.value,
        ReportState(row.state),
        row.ends_before,
        row.due_on,
        _day(row.submitted_at),
        row.accepted_total,
    )


def _request(row: Any) -> RequestStands:
    return RequestStands(
        row.reference,
        PaymentKind(row.kind),
        RequestState(row.state),
        row.report,
        row.requested,
        row.due_on,
        row.suspended_on,
    )


def grant_strip(grant_id: UUID, today: date) -> tuple[Outlook, tuple[StripItem, ...]]:
    """The money of one grant for its page, which says who may see it. One statement."""
    (found,) = outlooks(Grant.id == grant_id, today)
    return found.outlook, strip(found.outlook)


def add_up(today: date, stands: Standing) -> Checked:
    """I19 of every agreement that entered into force, by the balances that were read of all grants.

    What is expected is shared out of what is left, so it adds up unless more is paid and on its way than the maximum: in cents
    for all of them, and what is wrong is said by the rule.
    """
    statement = select(Grant.id, Grant.maximum).where(Grant.in_force_at.is_not(None))
    grants = db.session.execute(statement).all()
    above = [grant.id for grant in grants if stands.grants.cents(grant.id, _TAKEN) > grant.maximum.cents]
    found = outlooks(among(Grant.id, above), today) if above else ()
    words = "What is expected, on its way, paid and given back add up to the maximum."
    problems = tuple(Problem(each.reference, each.outlook.problem) for each in found if each.outlook.problem)
    return Checked("I19", words, len(grants), "grants", problems)


# What of a maximum is paid or on its way, as an outlook reckons it.
_TAKEN = (Account.CONSUMED, Account.PAYABLE, Account.IN_TRANSIT, Account.RETURNED)
