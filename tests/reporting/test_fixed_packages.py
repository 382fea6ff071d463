"""A lump sum that is declared or accepted stands: the budget and the maxima it follows from move no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from grants.agreements import queries as agreements
from grants.agreements import services as agreeing
from grants.agreements.models import Grant, GrantRevision
from grants.agreements.rules import BudgetShift, Extension, Share, TransferInput
from grants.agreements.rules.changes import Change, change_problems
from grants.agreements.states import RevisionState
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.money import euros
from grants.reporting.models import PeriodicReport
from grants.reporting.models.packages import PackageClaim
from grants.reporting.states import ReportState
from tests import actors
from tests.agreements.test_changes import THREE, on
from tests.payments.conftest import grant, in_force_world
from tests.payments.world import World
from tests.reporting.test_packages import NOW, lump_sums

__all__ = ["grant", "in_force_world"]


def claimed(found: World, **columns: object) -> None:
    """The grant pays lump sums, budget may be moved, and the first package is declared done."""
    report_id = lump_sums(found).id
    ana = actors.ana().user_id
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.transfer_free = row.transfer_notify = euros(600_000)
        db.session.add(GrantRevision(grant_id=row.id, state=RevisionState.ACCEPTED.value))
        db.session.add(
            PackageClaim(
                report_id=report_id, code="WP1", percent=100, words="Done", declared_at=NOW, declared_by=ana, **columns
            )
        )


def move(found: World) -> None:
    given = TransferInput(found.city_id, "S", found.agency_id, "S", euros(1_000), "As agreed.")
    agreeing.move_budget(actors.ana(), found.grant_id, given)


def test_no_budget_moves_once_a_package_is_declared_or_accepted(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        claimed(grant)
        with pytest.raises(Refused, match="lump sums of WP1 are declared or accepted already"):
            move(grant)
        with arranging():
            db.session.query(PackageClaim).one().percent = 0
        assert agreements.fixed_packages(grant.grant_id) == ()
        move(grant)


@pytest.mark.parametrize(("percent", "fixed"), [(100, ("WP1",)), (0, ())])
def test_of_a_settled_report_only_what_was_accepted_stands(
    app: Flask, grant: World, percent: int, fixed: tuple[str, ...]
) -> None:
    with clock.at(NOW):
        claimed(grant, accepted=percent, reason=None if percent else "Not shown.")
        pia = actors.pia().user_id
        with arranging():
            row = db.session.query(PeriodicReport).one()
            row.state, row.accepted_total = ReportState.ACCEPTED.value, euros(300_000)
            row.submitted_at = row.decided_at = NOW
            row.submitted_by = row.decided_by = pia

        assert agreements.fixed_packages(grant.grant_id) == fixed


def test_an_amendment_moves_neither_maxima_nor_budget_then() -> None:
    fixed = replace(on(), packages=("WP1",))
    shares = tuple(
        Share(each.organisation_id, each.maximum + euros(change))
        for each, change in zip(THREE.shares, (-1_000, 1_000, *[0] * (len(THREE.shares) - 2)), strict=True)
    )

    def told(change: Change) -> bool:
        return any("lump sums of WP1" in each.message for each in change_problems(THREE, change, fixed))

    assert told(BudgetShift(shares))
    assert not told(Extension(date(THREE.ends_before.year + 1, THREE.ends_before.month, 1)))
