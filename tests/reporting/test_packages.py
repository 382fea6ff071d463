"""Lump sums: what a package is worth, what may be declared and judged of it, and the way through the pages."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Grant
from grants.budgets.rules import BudgetContent, BudgetRules, Category, Cell, Package
from grants.calls.states import FundingForm
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, total
from grants.dossiers.rules import Answer
from grants.payments import queries as payments
from grants.reporting import services
from grants.reporting.models import PeriodicReport
from grants.reporting.models.packages import PackageClaim
from grants.reporting.queries.packages import packages_in
from grants.reporting.rules import Decision
from grants.reporting.rules.packages import (
    Claim,
    LumpPackage,
    PackageView,
    Verdict,
    cells_of,
    check_verdicts,
    claim_problems,
    judged_of,
    packages_of,
)
from grants.reporting.states import ReportState
from tests import actors
from tests.agreements.conftest import IN_FORCE, Find, actor, grant
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.html import check_page
from tests.reporting.test_services import after, first_report
from tests.shut import shuts

__all__ = ["grant"]

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


def lump_sums(found: Any) -> None:
    """The grant's agreement pays lump sums, and its reports are made anew."""
    with arranging():
        db.session.get_one(Grant, found.id).funding_form = FundingForm.LUMP_SUM.value
        for row in db.session.scalars(select(PeriodicReport).where(PeriodicReport.grant_id == found.id)):
            db.session.delete(row)
    services.open_reports(actor("signatory"), found.id)


@shuts("reporting.packages", "reporting.package_file")
def test_packages_are_declared_with_evidence_judged_and_paid_for(demo_app: Flask, grant: Find) -> None:
    lump_sums(grant(IN_FORCE))
    report = first_report(grant(IN_FORCE))
    views = packages_in(report.id)
    assert total(each.package.amount for each in views) == grant(IN_FORCE).maximum
    first, second = views[0].package, views[1].package
    address = f"/reports/{report.reference}"
    reka, officer = actors.client_of(demo_app, actor("reka")), actors.client_of(demo_app, actor("officer"))

    def declare(code: str, **fields: Any) -> int:
        version = {each.package.code: each.version for each in packages_in(report.id)}[code]
        return reka.post(f"{address}/packages/{code}", data={"version": version, **fields}).status_code

    assert reka.get(f"{address}/costs").headers["Location"].endswith("/packages")
    with pytest.raises(Refused, match="declare its work packages"):
        services.enter_costs(actor("reka"), report.id, ())
    for shown in ("packages", f"packages/{first.code}", ""):
        check_page(reka.get(f"{address}/{shown}".rstrip("/")))
    assert declare(first.code, percent="50", words="Half", file=(BytesIO(PDF), "e.pdf")) == 422
    assert declare(first.code, percent="100", words="All of it") == 422
    for code in (first.code, second.code):
        assert declare(code, percent="100", words="All of it", file=(BytesIO(PDF), "e.pdf")) == 303
    assert (
        reka.post(f"{address}/packages/{first.code}", data={"version": "0", "percent": "0", "words": ""}).status_code
        == 409
    )
    with reka.get(f"{address}/packages/{first.code}/files/{sha256(PDF).hexdigest()}") as taken:
        assert taken.data == PDF
    _technical(report.id)
    with after(report.ends_before):
        services.submit(actor("reka"), report.id)
        assert "sent this report on" in reka.post(f"{address}/packages/{first.code}", data={"percent": "0"}).text
        with pytest.raises(Refused, match="judge its work packages"):
            services.accept(actor("officer"), report.id, Decision(()))
        assert officer.get(f"{address}/accept").headers["Location"].endswith("/judge-packages")
        check_page(officer.get(f"{address}/judge-packages"))
        verdicts = {
            f"accepted-{first.code}": "100",
            f"accepted-{second.code}": "0",
            "version": first_report(grant(IN_FORCE)).version,
        }
        assert officer.post(f"{address}/judge-packages", data=verdicts).status_code == 422
        verdicts[f"reason-{second.code}"] = "The street is not open."
        assert officer.post(f"{address}/judge-packages", data=verdicts).status_code == 303

    accepted = first_report(grant(IN_FORCE))
    assert (accepted.state, accepted.accepted_total) == (ReportState.ACCEPTED, first.amount)
    kept = db.session.scalars(select(PackageClaim).where(PackageClaim.report_id == report.id)).all()
    assert {row.code: row.accepted for row in kept} == {first.code: 100, second.code: 0}
    limits = payments.final_limits(grant(IN_FORCE).id)
    assert limits.contribution == first.amount
    assert "Lump sums of completed work packages" in [each.words for each in limits.limits]
    later = packages_in(
        db.session.scalars(
            select(PeriodicReport.id).where(PeriodicReport.grant_id == grant(IN_FORCE).id, PeriodicReport.number == 2)
        ).one()
    )
    assert {each.package.code: each.left for each in later if each.package.code in (first.code, second.code)} == {
        first.code: 0,
        second.code: 100,
    }
    assert payments.verify() == ()
    # A conflict declared shuts it.
    barred = actor("officer").user_id
    assert barred is not None
    application_id = grant(IN_FORCE).application_id
    assert officer.get(f"{address}/packages").status_code == 200
    with arranging():
        people.bar(barred, "application", application_id)
    assert actors.client_of(demo_app, actor("officer")).get(f"{address}/packages").status_code == 404
    file = f"{address}/packages/{first.code}/files/{sha256(PDF).hexdigest()}"
    with actors.client_of(demo_app, actor("officer")).get(file) as refused:
        assert refused.status_code == 404


def _technical(report_id: UUID) -> None:
    for section, keys in (("work", ("progress", "deviations")), ("learning", ("lessons",))):
        services.write_section(actor("reka"), report_id, section, tuple(Answer(key, "We did it.") for key in keys))
