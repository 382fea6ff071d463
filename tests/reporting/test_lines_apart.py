"""Lines of costs that a moved period leaves behind, that two partners of one report declare, and whose file another replaces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from grants.budgets.rules import Cell
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Problems, Refused
from grants.core.money import ZERO, euros
from grants.core.permissions import Actor
from grants.identity.policy import Role
from grants.ledger.rules.proofs import Checked
from grants.oversight.queries.books import check_ledger
from grants.rates.states import RateKind
from grants.reporting import services
from grants.reporting.models import CostLine, PeriodicReport
from grants.reporting.queries import lines as reads
from grants.reporting.rules import Decision, Judged
from grants.reporting.rules.lines import HEAD, Verdict
from grants.reporting.services import lines as acts_on_lines
from tests import actors
from tests.agreements.accounts import document
from tests.applications.pages import text_of
from tests.factories.applications import PDF
from tests.html import check_page
from tests.payments.conftest import in_force_world
from tests.payments.world import World
from tests.reporting.lines_world import SENT, keep, lead, name_of, rates, report, row, sent
from tests.servers import Cluster
from tests.worlds import World as Made

__all__ = ["in_force_world"]


@pytest.fixture
def grant(app: Flask, in_force_world: Made[World]) -> Iterator[World]:
    found = in_force_world.told()
    with clock.at(SENT):
        yield found


def shortened(report_id: UUID) -> None:
    """As a termination does it: the period ends with September."""
    with arranging():
        db.session.get_one(PeriodicReport, report_id).ends_before = date(2023, 10, 1)


def test_lines_after_a_period_that_was_shortened_are_not_sent(grant: World) -> None:
    made = report(grant, 1)
    rows = (row(grant, "400.00"), row(grant, "600.00", day="2023-10-01"))
    keep(grant, made, *rows)
    shortened(made)

    with pytest.raises(Problems) as refusal:
        sent(grant, made)
    assert [each.message for each in refusal.value.found] == [
        "line 2 lies outside the period of this report, 1 June 2023 to 30 September 2023. "
        "Take them out of the list, lower what is declared by them, and send the report then."
    ]
    sent(grant, made, rows[0], declared=euros(400))


def test_amounts_converted_by_the_rates_of_the_longer_period_are_saved_again_before_they_are_sent(grant: World) -> None:
    made = report(grant, 1)
    months = [date(2023 + (month > 12), (month - 1) % 12 + 1, 1) for month in range(6, 18)]
    rates("PLN", RateKind.INFOREURO, **{f"d{day:%Y_%m_%d}": "4.00" if day.year == 2023 else "5.00" for day in months})
    keep(grant, made, row(grant, "900.00", currency="PLN"))
    shortened(made)

    with pytest.raises(Problems, match="rates of another period") as refusal:
        sent(grant, made, declared=euros(225))
    assert len(refusal.value.found) == 1
    sent(grant, made, row(grant, "900.00", currency="PLN"), declared=euros(225))
    assert db.session.scalars(select(CostLine.euros)).all() == [euros(225)]


def of_agency(found: World) -> Actor:
    return actors.give(
        actors.person("Agnes Agency", organisation_name="Energy Agency of Northbridge"),
        *(Role.APPLICATION_PARTNER, "application", found.application_id),
    )


def i20() -> Checked:
    return next(each for each in check_ledger() if each.code == "I20")


def both(found: World, report_id: UUID, **same: str) -> None:
    """City and agency each declare 500 of what is the same, and the report is sent."""
    services.enter_costs(lead(found), report_id, (Cell(found.agency_id, "A", euros(500)),))
    rows = (row(found, "500.00", **same), row(found, "500.00", partner=name_of(found.agency_id), **same))
    sent(found, report_id, *rows, declared=euros(500))


@pytest.mark.parametrize(
    "same", [{"invoice": "7", "supplier": "Print Ltd"}, {"file": "invoice.pdf"}, {"worker": "Jan"}]
)
def test_what_two_partners_declare_in_one_report_is_decided_on_before_it_is_accepted(
    app: Flask, grant: World, same: dict[str, str]
) -> None:
    made = report(grant, 1)
    if "file" in same:
        acts_on_lines.add_evidence(lead(grant), made, document(PDF, "invoice.pdf"))
    both(grant, made, **same)
    judged = (
        Judged(grant.city_id, "A", euros(500), euros(500)),
        Judged(grant.agency_id, "A", euros(500), ZERO, "Declared by the city."),
    )

    assert [(each.number, each.where) for each in reads.doubles(actors.pia(), made, staff=False)] == [
        (1, "line 2 of this report, of Energy Agency of Northbridge"),
        (2, f"line 1 of this report, of {name_of(grant.city_id)}"),
    ]
    page = actors.client_of(app, actors.pia()).get("/reports/PCP-2022-R-0001/lines")
    check_page(page)
    assert "2 lines stand elsewhere too" in text_of(page)
    with pytest.raises(Problems, match="2 lines are declared elsewhere too"):
        services.accept(actors.pia(), made, Decision(judged))
    acts_on_lines.judge_line(actors.pia(), made, 2, Verdict.CUT, reason="The city paid it.")
    services.accept(actors.pia(), made, Decision(judged))
    assert i20().problems == ()


def test_one_partner_may_declare_parts_of_one_invoice_in_one_report(grant: World) -> None:
    made, same = report(grant, 1), {"invoice": "7", "supplier": "Print Ltd"}
    sent(grant, made, row(grant, "400.00", **same), row(grant, "600.00", what="The rest", **same))
    assert reads.doubles(actors.pia(), made, staff=True) == ()


def test_the_books_name_what_two_partners_of_one_report_had_accepted_twice(
    grant: World, postgres: Cluster, database: str
) -> None:
    made = report(grant, 1)
    both(grant, made, invoice="7", supplier="Print Ltd")
    for number in (1, 2):
        acts_on_lines.judge_line(actors.pia(), made, number, Verdict.OVERRIDE, reason="Half each.")
    half = tuple(Judged(each, "A", euros(500), euros(500)) for each in (grant.city_id, grant.agency_id))
    services.accept(actors.pia(), made, Decision(half))
    assert i20().problems == ()

    with psycopg.connect(postgres.dsn(database), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM cost_verdict")
    assert [each.place for each in i20().problems] == ["PCP-2022-R-0001 line 1, PCP-2022-R-0001 line 2"]


def test_nobody_replaces_the_evidence_of_another_partner_by_a_file_of_its_name(grant: World) -> None:
    made, agnes = report(grant, 1), of_agency(grant)
    first = acts_on_lines.add_evidence(lead(grant), made, document(PDF, "invoice.pdf"))
    with pytest.raises(Refused, match="another person uploaded it"):
        acts_on_lines.add_evidence(agnes, made, document(PDF + b"\n%hers", "invoice.pdf"))
    keep(grant, made, row(grant, file="invoice.pdf"))
    with pytest.raises(Refused, match=f"costs of {name_of(grant.city_id)} rest on it"):
        acts_on_lines.add_evidence(agnes, made, document(PDF + b"\n%hers", "invoice.pdf"))
    assert db.session.scalars(select(CostLine.file_sha256)).one() == first.sha256

    hers = acts_on_lines.add_evidence(agnes, made, document(PDF + b"\n%hers", "agency.pdf"))
    assert acts_on_lines.add_evidence(agnes, made, document(PDF + b"\n%new", "agency.pdf")).replaces_id == hers.id
    rows = [HEAD, row(grant, "50.00", partner=name_of(grant.agency_id), file="agency.pdf")]
    acts_on_lines.keep_lines(agnes, made, rows)
    acts_on_lines.add_evidence(agnes, made, document(PDF + b"\n%newer", "agency.pdf"))
    # Who sends the report declares for everybody, and may replace every file.
    again = acts_on_lines.add_evidence(lead(grant), made, document(PDF + b"\n%all", "agency.pdf"))
    assert again.sha256 in db.session.scalars(select(CostLine.file_sha256)).all()
