"""A report whose call asks for its costs line by line, of the grant that tests of payments start from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from grants.budgets import services as budgets
from grants.budgets.rules import BudgetRules, Category, Cell, Purpose
from grants.calls.states import EvidenceLevel
from grants.core.acts import act, arranging
from grants.core.db import db, get
from grants.core.files import StoredFile
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission
from grants.dossiers import services as dossiers
from grants.dossiers.rules import Answer
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.rates.models import RateSeries, RateTable
from grants.rates.states import RateKind, TableState
from grants.reporting import rules, services
from grants.reporting.models import PeriodicReport
from grants.reporting.rules import Decision, Judged
from grants.reporting.rules.lines import HEAD
from grants.reporting.services import lines
from grants.reporting.states import ReportKind, ReportState
from tests import actors
from tests.payments.world import World

BUDGET = BudgetRules((Category("A", "Personnel"), Category("B", "Subcontracting")))
STARTS, ENDS_BEFORE = date(2023, 6, 1), date(2024, 6, 1)
SENT = datetime(2024, 7, 1, 9, tzinfo=UTC)


@act("test_lines.make", needs=Permission.REPORT_OPEN, says="did a thing of the tests")
def _make(actor: Actor, found: World, number: int, evidence: EvidenceLevel) -> UUID:
    row = PeriodicReport(
        grant_id=found.grant_id, number=number, reference=f"PCP-2022-R-{number:04d}", kind=ReportKind.INTERIM.value,
        starts_on=STARTS, ends_before=ENDS_BEFORE, due_on=date(2024, 7, 31), state=ReportState.DRAFT.value,
        evidence=evidence.value,
    )  # fmt: skip
    row.dossier_id = dossiers.create("report", row.id, rules.TECHNICAL_PART)
    row.budget_id = budgets.create("report", row.id, Purpose.ACTUAL, BUDGET, [found.city_id, found.agency_id])
    db.session.add(row)
    return row.id


def report(found: World, number: int, evidence: EvidenceLevel = EvidenceLevel.LINES) -> UUID:
    """A draft; its number is unique among the grants of a test."""
    return _make(actors.actor(actors.person("Sig Signatory", Role.PROGRAMME_SIGNATORY)), found, number, evidence)


def lead(found: World) -> Actor:
    """Who writes and sends the reports of a grant."""
    return actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", found.application_id)


def name_of(organisation_id: UUID) -> str:
    return get(Organisation, organisation_id).name


def row(found: World, amount: str = "1000.00", **more: str) -> tuple[str, ...]:
    """A row as it is typed: a cost of the city in the period, but for what is said otherwise."""
    usual = {"partner": name_of(found.city_id), "category": "A", "day": "2023-07-03", "amount": amount}
    return tuple((usual | more).get(column, "") for column in HEAD)


def keep(found: World, report_id: UUID, *rows: Sequence[str]) -> int:
    return lines.keep_lines(lead(found), report_id, [HEAD, *rows])


def sent(found: World, report_id: UUID, *rows: Sequence[str], declared: Money = euros(1_000)) -> None:
    """Written, with these lines, and sent."""
    who = lead(found)
    for section, keys in (("work", ("progress", "deviations")), ("learning", ("lessons",))):
        services.write_section(who, report_id, section, tuple(Answer(key, "We did it.") for key in keys))
    services.enter_costs(who, report_id, (Cell(found.city_id, "A", declared),))
    if rows:
        keep(found, report_id, *rows)
    services.submit(who, report_id)


def accept(found: World, report_id: UUID, accepted: Money, declared: Money = euros(1_000)) -> None:
    reason = None if accepted == declared else "Not eligible."
    judged = (Judged(found.city_id, "A", declared, accepted, reason),)
    services.accept(actors.pia(), report_id, Decision(judged))


def rates(currency: str, kind: RateKind, **months: str) -> None:
    """A table of rates that stands; days as ``d2023_06_01``."""
    known = {date.fromisoformat(name[1:].replace("_", "-")): Decimal(rate) for name, rate in months.items()}
    who = actors.carl().user_id
    with arranging():
        file = StoredFile(
            kind="rate_table", object_id=who, role="published", name="rates.csv", media_type="text/csv", size_bytes=1,
            sha256="1" * 64, version_no=1, uploaded=True,
        )  # fmt: skip
        db.session.add(file)
        db.session.flush()
        table = RateTable(
            kind=kind.value, number=1, state=TableState.STANDING.value, source="Published", imported_at=SENT,
            imported_by=who, accepted_at=SENT, accepted_by=who, file_id=file.id, first_on=min(known), last_on=max(known),
            added=len(known), changed=0, problems=[], flags=[],
        )  # fmt: skip
        db.session.add(table)
        db.session.flush()
        db.session.add(
            RateSeries(
                table_id=table.id, currency=currency, first_on=min(known), last_on=max(known),
                rates={day.isoformat(): str(rate) for day, rate in known.items()},
            )
        )  # fmt: skip
