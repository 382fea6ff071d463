"""Who was asked to accede and has not: none of its costs is declared or accepted, and no share of it is paid, until it accedes."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Accession
from grants.agreements.rules import Bond
from grants.budgets.rules import BudgetRules, Category, Cell
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.money import euros
from grants.payments import services
from grants.payments.models import PaymentRequest
from grants.payments.rules import ApprovedPart, DecisionInput
from grants.reporting import services as reporting
from grants.reporting.rules.lines import LinesAsked, read_lines
from grants.reporting.services.bound import unbound_words
from grants.reporting.services.reports import submit_problems
from tests import actors
from tests.payments.test_terminated import NOW, owed, report_rows
from tests.payments.world import World

AGENCY = "Energy Agency of Northbridge"


def asked(grant: World) -> None:
    """The agreement has its partners accede, and the agency has not yet."""
    with arranging():
        db.session.add(
            Accession(
                grant_id=grant.grant_id, organisation_id=grant.agency_id, opened_version=1, due_on=date(2023, 6, 1)
            )
        )


def acceded(grant: World) -> None:
    with arranging():
        row = db.session.scalars(select(Accession)).one()
        row.acceded_at, row.acceded_version = NOW, 1


def ended(grant: World) -> None:
    who = actors.pia().user_id
    with arranging():
        row = db.session.scalars(select(Accession)).one()
        row.ended_at, row.ended_by, row.end_reason = NOW, who, "It does not answer."


def costs(grant: World, agency: int) -> tuple[Cell, ...]:
    return Cell(grant.city_id, "A", euros(700)), Cell(grant.agency_id, "A", euros(agency))


def test_costs_are_declared_once_it_has_acceded(grant: World) -> None:
    owed(grant)
    asked(grant)
    report = report_rows(grant)[0]
    with clock.at(NOW):
        with pytest.raises(Invalid, match=f"{AGENCY} has not acceded to the grant agreement"):
            reporting.enter_costs(actors.ana(), report.id, costs(grant, 900))
        # The others declare theirs.
        reporting.enter_costs(actors.ana(), report.id, costs(grant, 0))
    acceded(grant)
    with clock.at(NOW):
        reporting.enter_costs(actors.ana(), report.id, costs(grant, 900))


def test_what_was_entered_before_is_neither_sent_nor_accepted(grant: World) -> None:
    owed(grant)
    report = report_rows(grant)[0]
    with clock.at(NOW):
        reporting.enter_costs(actors.ana(), report.id, costs(grant, 900))
    asked(grant)
    said = [each.message for each in submit_problems(report, date(2024, 6, 1))]
    assert [words for words in said if f"{AGENCY} has not acceded" in words]
    assert unbound_words(report, [grant.city_id]) == []
    ended(grant)
    (words,) = unbound_words(report, [grant.agency_id])
    assert "The accession of Energy Agency of Northbridge was ended" in words


def test_an_agreement_that_asks_nobody_binds_everybody(grant: World) -> None:
    assert {each.is_bound for each in agreements.bonds(grant.grant_id).values()} == {True}


def test_no_share_of_it_is_paid_and_the_others_are(grant: World) -> None:
    asked(grant)
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
        request_id = db.session.scalars(select(PaymentRequest.id)).one()
        with pytest.raises(
            Refused, match=f"{AGENCY} has not acceded to the grant agreement, so no share of it is paid"
        ):
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        parts = (ApprovedPart(grant.city_id, None, euros(160_000)), ApprovedPart(grant.agency_id, None, euros(0)))
        services.decide(actors.otto(), request_id, DecisionInput(euros(160_000), "The agency did not accede.", parts))
    assert get(PaymentRequest, request_id).approved == euros(160_000)


def test_once_it_has_acceded_its_share_is_paid(grant: World) -> None:
    asked(grant)
    acceded(grant)
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
        request_id = db.session.scalars(select(PaymentRequest.id)).one()
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    assert get(PaymentRequest, request_id).approved == euros(240_000)


LEAD, PARTNER = UUID(int=1), UUID(int=2)
STARTS = date(2023, 6, 1)


@pytest.mark.parametrize(
    ("bond", "said"),
    [
        (Bond(PARTNER, "Brem"), ""),
        (Bond(PARTNER, "Brem", asked=True, acceded=True), ""),
        (Bond(PARTNER, "Brem", asked=True), "Brem has not acceded"),
        (Bond(PARTNER, "Brem", asked=True, ended=True), "The accession of Brem was ended"),
        (Bond(PARTNER, "Brem", left_on=date(2023, 6, 2)), ""),
        (Bond(PARTNER, "Brem", left_on=STARTS), "Brem took part until 31 May 2023"),
        (Bond(PARTNER, "Brem", ending_on=STARTS), "Brem took part until 31 May 2023"),
    ],
)
def test_what_counts_of_a_partner_in_a_period(bond: Bond, said: str) -> None:
    words = bond.costs_problem(STARTS)
    assert words.startswith(said) and bool(words) is bool(said)


def test_lines_of_who_is_not_bound_and_of_days_after_its_last_are_refused_by_row() -> None:
    given = LinesAsked(
        {"Arden": LEAD, "Brem": PARTNER},
        BudgetRules((Category("A", "Staff"),), flat_rate=Fraction(0)),
        STARTS,
        date(2024, 6, 1),
        {},
        parts_end_before={PARTNER: date(2023, 10, 1)},
    )
    head = ["Partner", "Category", "Day", "Amount", "Currency", "What"]
    rows = [head, ["Brem", "A", "30 September 2023", "10.00", "EUR", "Work"]]
    found = read_lines(rows, given)
    assert found.mistakes == () and len(found.lines) == 1
    late = read_lines([head, ["Brem", "A", "1 October 2023", "10.00", "EUR", "Work"]], given)
    assert [each.sentence for each in late.mistakes] == [
        "This partner took part until 30 September 2023. A cost of a later day is not eligible: leave the row out."
    ]
