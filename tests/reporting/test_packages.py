"""Lump sums and receipts: what a package is worth, what may be declared and judged of it, and the way through the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.budgets import services as budget_writes
from grants.budgets.rules import BudgetContent, BudgetRules, Category, Cell, Package, Purpose
from grants.calls.states import FundingForm, NoProfit
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, euros, total
from grants.dossiers import services as dossiers
from grants.dossiers.rules import Answer
from grants.payments import queries as payments
from grants.payments import services as paying
from grants.payments.rules import DecisionInput
from grants.reporting import queries, services
from grants.reporting.models import PeriodicReport, ReportVersion
from grants.reporting.models.packages import PackageClaim
from grants.reporting.queries.packages import packages_in
from grants.reporting.rules import TECHNICAL_PART, Decision, ReportView
from grants.reporting.rules.packages import (
    Claim,
    LumpPackage,
    PackageView,
    Verdict,
    cells_of,
    check_verdicts,
    claim_problems,
    judged_of,
    lump_rules,
    packages_of,
)
from grants.reporting.states import ReportState
from tests import actors
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.html import check_page
from tests.payments.conftest import grant, in_force_world
from tests.payments.world import World, report
from tests.shut import shuts

__all__ = ["grant", "in_force_world"]

A, B = UUID(int=1), UUID(int=2)
RULES = BudgetRules((Category("S", "Staff"),), flat_rate=Fraction(1, 4), by_work_package=True)
PACKAGES = (Package("WP1", "Homes"), Package("WP2", "Streets"))


def budget(*amounts: tuple[UUID, str, int]) -> BudgetContent:
    cells = tuple(Cell(who, "S", Money(cents), package) for who, package, cents in amounts)
    return BudgetContent(RULES, (A, B), cells, packages=PACKAGES)


def test_a_package_is_worth_the_part_of_each_maximum_that_its_costs_are() -> None:
    found = packages_of(budget((A, "WP1", 300), (A, "WP2", 100), (B, "WP2", 50)), {A: Money(401), B: Money(60)})

    assert [each.amounts for each in found] == [{A: Money(301), B: Money(0)}, {A: Money(100), B: Money(60)}]


amounts = st.lists(
    st.tuples(st.sampled_from([A, B]), st.sampled_from(["WP1", "WP2", ""]), st.integers(0, 10**9)), max_size=8
)


@settings(max_examples=100, deadline=None)
@given(amounts, st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 100))
def test_all_packages_together_are_the_maximum_of_each_partner(
    given_amounts: list[tuple[UUID, str, int]], of_a: int, of_b: int, percent: int
) -> None:
    once = {(who, package): cents for who, package, cents in given_amounts}
    content = budget(*((who, package, cents) for (who, package), cents in once.items()))
    found = packages_of(content, {A: Money(of_a), B: Money(of_b)})

    for who, maximum in ((A, Money(of_a)), (B, Money(of_b))):
        assert total(each.amounts[who] for each in found) == maximum
    for each in found:
        assert all(part <= each.amounts[who] for who, part in each.share(percent).items())


def view(before: int = 0, percent: int = 0) -> PackageView:
    return PackageView(LumpPackage("WP1", "Homes", {A: Money(1001), B: Money(500)}), before, percent=percent)


@pytest.mark.parametrize(
    ("before", "percent", "words", "final", "file", "wrong"),
    [
        (0, 100, "Done", False, True, set()),
        (0, 0, "", False, False, set()),
        (0, 60, "Some", False, True, {"percent"}),
        (0, 60, "Some", True, True, set()),
        (0, 101, "Done", True, True, {"percent"}),
        (0, -1, "", True, False, {"percent"}),
        (100, 100, "Done", False, True, {"percent"}),
        (100, 0, "", True, False, set()),
        (0, 100, " ", False, False, {"words", "file"}),
    ],
)
def test_a_package_is_done_or_not_before_the_end_and_never_twice(
    before: int, percent: int, words: str, final: bool, file: bool, wrong: set[str]
) -> None:
    assert set(claim_problems(view(before), Claim(percent, words), final=final, has_file=file)) == wrong


@pytest.mark.parametrize(
    ("declared", "accepted", "reason", "final", "wrong"),
    [
        (100, 100, "", False, None),
        (100, 0, "Not shown", False, None),
        (100, 0, "", False, "reason-WP1"),
        (100, 50, "Half", False, "accepted-WP1"),
        (100, 50, "Half", True, None),
        (60, 61, "", True, "accepted-WP1"),
        (60, -1, "Less", True, "accepted-WP1"),
    ],
)
def test_a_part_of_a_package_is_accepted_only_at_the_end_and_never_more_than_declared(
    declared: int, accepted: int, reason: str, final: bool, wrong: str | None
) -> None:
    verdicts = [Verdict("WP1", accepted, reason)]
    if wrong is None:
        given_verdicts = check_verdicts([view(percent=declared)], verdicts, final=final)
        cells = cells_of(view().package, declared)
        judged = judged_of([view(percent=declared)], given_verdicts, cells)
        assert total(each.accepted for each in judged) == total(view().package.share(accepted).values())
        return
    with pytest.raises(Invalid) as refused:
        check_verdicts([view(percent=declared)], verdicts, final=final)
    assert set(refused.value.problems) == {wrong}


def test_what_is_declared_and_not_judged_is_refused() -> None:
    with pytest.raises(Invalid, match="cannot be judged"):
        check_verdicts([view(percent=100)], [], final=False)


# --- the way through the pages


GRANTED = BudgetRules((Category("S", "Staff"),), by_work_package=True)
NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)


def lump_sums(found: World, *, final: bool = False) -> ReportView:
    """The grant's agreement pays lump sums for two packages of its budget; a report of it is with the city."""
    amounts = ((found.city_id, "WP1", 300_000), (found.city_id, "WP2", 100_000), (found.agency_id, "WP2", 200_000))
    cells = tuple(Cell(who, "S", euros(amount), package) for who, package, amount in amounts)
    content = BudgetContent(GRANTED, (found.city_id, found.agency_id), cells, packages=PACKAGES)
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.funding_form = FundingForm.LUMP_SUM.value
        row.budget_id = budget_writes.copy("grant", row.id, Purpose.GRANTED, content)
    report_id = report(found, 1, ZERO, final=final, state=ReportState.DRAFT)
    with arranging():
        made = db.session.get_one(PeriodicReport, report_id)
        made.budget_id = budget_writes.create(
            "report", uuid4(), Purpose.ACTUAL, lump_rules(PACKAGES), (found.city_id, found.agency_id)
        )
        made.submitted_at = made.submitted_by = made.decided_at = made.decided_by = None
        made.dossier_id = dossiers.create("report", uuid4(), TECHNICAL_PART)
    return shown(found)


def shown(found: World) -> ReportView:
    db.session.rollback()
    return queries.of_grant(actors.pia(), found.grant_id)[0]


@shuts("reporting.packages", "reporting.package", "reporting.package_file", "reporting.judge_packages")
def test_packages_are_declared_with_evidence_judged_and_paid_for(app: Flask, client: FlaskClient, grant: World) -> None:
    with clock.at(NOW):
        report_id, address = lump_sums(grant).id, f"/reports/{shown(grant).reference}"
        ana, pia = actors.client_of(app, actors.ana()), actors.client_of(app, actors.pia())

        def declare(code: str, **fields: Any) -> int:
            version = {each.package.code: each.version for each in packages_in(report_id)}[code]
            answer = ana.post(f"{address}/packages/{code}", data={"version": version, **fields})
            assert answer.status_code != 400, answer.text
            return answer.status_code

        assert [each.package.amount for each in packages_in(report_id)] == [euros(300_000), euros(300_000)]
        assert ana.get(f"{address}/costs").headers["Location"].endswith("/packages")
        with pytest.raises(Refused, match="declare its work packages"):
            services.enter_costs(actors.ana(), report_id, ())
        for part in ("/packages", "/packages/WP1", ""):
            check_page(ana.get(f"{address}{part}"))
        assert ana.get(f"{address}/packages/WP9").status_code == 404
        assert declare("WP1", percent="50", words="Half", file=(BytesIO(PDF), "e.pdf")) == 422
        assert declare("WP1", percent="100", words="All of it") == 422
        for code in ("WP1", "WP2"):
            assert declare(code, percent="100", words="All of it", file=(BytesIO(PDF), "e.pdf")) == 303
        late = {"version": "0", "percent": "0", "words": ""}
        assert ana.post(f"{address}/packages/WP1", data=late).status_code == 409
        evidence = f"{address}/packages/WP1/files/{sha256(PDF).hexdigest()}"
        with ana.get(evidence) as taken:
            assert taken.data == PDF
        for section, keys in (("work", ("progress", "deviations")), ("learning", ("lessons",))):
            answers = tuple(Answer(key, "We did it.") for key in keys)
            services.write_section(actors.ana(), report_id, section, answers)
        services.submit(actors.ana(), report_id)
        frozen = db.session.scalars(select(ReportVersion.content)).one()
        assert [(each["code"], each["percent"]) for each in frozen["packages"]] == [("WP1", 100), ("WP2", 100)]
        assert declare("WP1", percent="0", words="") == 422
        check_page(ana.get(f"{address}/packages/WP1"))
        with pytest.raises(Refused, match="judge its work packages"):
            services.accept(actors.pia(), report_id, Decision(()))
        assert pia.get(f"{address}/accept").headers["Location"].endswith("/judge-packages")
        check_page(pia.get(f"{address}/judge-packages"))
        verdicts = {"accepted-WP1": "100", "accepted-WP2": "0", "version": shown(grant).version}
        assert pia.post(f"{address}/judge-packages", data=verdicts).status_code == 422
        verdicts["reason-WP2"] = "The street is not open."
        assert pia.post(f"{address}/judge-packages", data=verdicts).status_code == 303

        accepted = shown(grant)
        assert (accepted.state, accepted.accepted_total) == (ReportState.ACCEPTED, euros(300_000))
        kept = db.session.scalars(select(PackageClaim).order_by(PackageClaim.code)).all()
        assert [(row.code, row.accepted, row.reason) for row in kept] == [
            ("WP1", 100, None),
            ("WP2", 0, "The street is not open."),
        ]
        limits = payments.final_limits(grant.grant_id)
        assert (limits.contribution, limits.eligible) == (euros(300_000), euros(300_000))
        assert "Lump sums of completed work packages" in [each.words for each in limits.limits]
        check_page(ana.get(f"{address}/packages"))
        # What was accepted is not declared again, the rest is, in part at the end.
        later = report(grant, 2, ZERO, final=True, state=ReportState.DRAFT)
        assert [each.left for each in packages_in(later)] == [0, 100]
        request = paying.open_for_report(actors.program(), report_id)
        assert request is not None
        paying.decide(actors.otto(), request.id, DecisionInput(euros(300_000)))
        lines, _ = payments.parts_decided(payments.request(actors.otto(), request.reference))
        assert [(line.category, line.part.payable) for line in lines] == [("Homes", euros(300_000))]
        assert payments.verify() == ()
        # A conflict declared shuts all of it.
        barred = actors.pia().user_id
        assert barred is not None
        with pia.get(evidence) as taken:
            assert taken.status_code == 200
        with arranging():
            people.bar(barred, "application", grant.application_id)
        for part in ("packages", "judge-packages", evidence.removeprefix(f"{address}/")):
            with actors.client_of(app, actors.pia()).get(f"{address}/{part}") as refused:
                assert refused.status_code == 404
        mine = actors.ana().user_id
        assert mine is not None
        with arranging():
            people.bar(mine, "application", grant.application_id)
        assert actors.client_of(app, actors.ana()).get(f"{address}/packages/WP1").status_code == 404


@shuts("reporting.receipts")
def test_the_final_report_is_not_sent_before_its_receipts_are_declared(
    app: Flask, client: FlaskClient, grant: World
) -> None:
    with clock.at(NOW):
        report_id = lump_sums(grant, final=True).id
        address = f"/reports/{shown(grant).reference}"
        ana = actors.client_of(app, actors.ana())
        assert ana.get(f"{address}/receipts").status_code == 404
        with arranging():
            db.session.get_one(Grant, grant.grant_id).no_profit = NoProfit.WHOLE.value
        for section, keys in (("work", ("progress", "deviations")), ("learning", ("lessons",))):
            answers = tuple(Answer(key, "We did it.") for key in keys)
            services.write_section(actors.ana(), report_id, section, answers)
        refused = ana.post(f"{address}/submit", data={"version": shown(grant).version})
        assert refused.status_code == 422
        assert f'<a href="{address}/receipts">Receipts of the action</a>: say what the action earned' in refused.text
        check_page(ana.get(f"{address}/receipts"))
        version = shown(grant).version
        for amount, words in (("0", " "), ("-1", "x")):
            data = {"version": version, "amount": amount, "words": words}
            assert ana.post(f"{address}/receipts", data=data).status_code == 422
        given = {"version": version, "amount": "1 200,50", "words": "Fees of visitors"}
        assert ana.post(f"{address}/receipts", data=given).status_code == 303
        assert "Fees of visitors" in ana.get(address).text
        services.submit(actors.ana(), report_id)
        frozen = db.session.scalars(select(ReportVersion.content)).one()
        assert (frozen["receipts"], frozen["receipts_words"]) == (1_200_50, "Fees of visitors")
        again = ana.post(f"{address}/receipts", data={**given, "version": shown(grant).version})
        assert "sent this report on" in again.text
        # A conflict declared shuts it.
        barred = actors.ana().user_id
        assert barred is not None
        with arranging():
            people.bar(barred, "application", grant.application_id)
        assert actors.client_of(app, actors.ana()).get(f"{address}/receipts").status_code == 404
