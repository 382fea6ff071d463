"""Whether the books are right: a sound world has no problem, and each thing put wrong by force is named."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from config import Config
from grants.agreements.models import Grant
from grants.core.acts import act, arranging
from grants.core.db import db, get
from grants.core.money import euros
from grants.core.permissions import Actor, Permission
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions
from grants.oversight import queries
from tests import actors
from tests.oversight.conftest import DAY, Scene

pytestmark = pytest.mark.usefixtures("app")


@act("test_books.post", needs=Permission.LEDGER_READ, says="posted {subject}")
def _post(actor: Actor, dims: Dimensions) -> None:
    ledger.post(
        "E1", source_key=f"test:{uuid4()}", effective_on=DAY.date(), description="E1", legs=legs.legs_e1(euros(5), dims)
    )


def found() -> list[str]:
    db.session.rollback()
    return [str(problem) for problem in queries.verify_ledger()]


def force(settings: Config, *statements: str) -> None:
    """What no act and no role of the program could do."""
    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as owner:
        for statement in ("SET session_replication_role = replica", *statements):
            owner.execute(statement.encode())


def test_nothing_is_wrong_in_an_empty_program() -> None:
    assert found() == []


def test_nothing_is_wrong_while_a_payment_is_on_its_way(scene: Scene) -> None:
    assert found() == []


def test_an_id_that_no_stage_knows_is_named(scene: Scene) -> None:
    lost = uuid4()
    _post(actors.nuria(), Dimensions(fund_source_id=lost, call_id=scene.world.call_id))

    assert f"fund source {lost}: The ledger names this fund source, but there is none." in found()


def test_a_maximum_that_is_not_what_was_committed_is_named(scene: Scene) -> None:
    with arranging():
        get(Grant, scene.world.grant_id).maximum = euros(600_001)

    problems = found()

    assert any(problem.startswith("PCP-2022-G-0001: I4: open and consumed commitment") for problem in problems)
    assert any(problem.startswith("PCP-2022-G-0001: I4: partners may have") for problem in problems)


def test_a_grant_above_the_budget_of_its_call_is_named(scene: Scene, settings: Config) -> None:
    force(
        settings, "UPDATE ledger_leg SET cents = 100 WHERE entry_id IN (SELECT id FROM ledger_entry WHERE event = 'E1')"
    )

    assert any("I5: " in problem and "is above the call's budget" in problem for problem in found())


def test_a_leg_changed_by_force_is_named_first(scene: Scene, settings: Config) -> None:
    force(settings, "UPDATE ledger_leg SET cents = cents + 1 WHERE position = 1 AND account = '1100'")

    problems = found()

    assert problems
    assert "I1" in problems[0] or "legs" in problems[0]


def test_the_debits_and_credits_of_a_ledger_are_compared(scene: Scene, settings: Config) -> None:
    force(settings, "UPDATE ledger_leg SET cents = cents + 700 WHERE account = '2000'")

    assert any(problem.startswith("general ledger: I2: it is off by") for problem in found())
