"""References count inside the act: gapless, even where acts are rolled back or compete."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask

from grants.core import references
from grants.core.acts import WriteOutsideAct, act
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.permissions import EVERYWHERE, Actor, Permission

pytestmark = pytest.mark.usefixtures("app")

MANAGER = Actor(uuid4(), "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))


@act("receipt.give", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def give(actor: Actor) -> int:
    return references.next_number("receipt")


@act("receipt.fail", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def fail(actor: Actor) -> None:
    references.next_number("receipt")
    raise Refused("Not now.")


@act("reference.give", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def name(actor: Actor, code: str, year: int, letter: str) -> str:
    return references.new_reference(code, year, letter)


def test_references_count_by_programme_year_and_kind() -> None:
    given = [name(MANAGER, *series) for series in [("PCP", 2022, "A"), ("PCP", 2022, "A"), ("PCP", 2023, "A")]]

    assert given == ["PCP-2022-A-0001", "PCP-2022-A-0002", "PCP-2023-A-0001"]


def test_an_act_rolled_back_leaves_no_gap() -> None:
    first = give(MANAGER)
    with pytest.raises(Refused):
        fail(MANAGER)

    assert (first, give(MANAGER)) == (1, 2)


def test_competing_acts_get_every_number_once(app: Flask) -> None:
    def several(_: int) -> list[int]:
        found = []
        with app.app_context():
            for number in range(12):
                if number % 4 == 3:
                    with pytest.raises(Refused):
                        fail(MANAGER)
                else:
                    found.append(give(MANAGER))
            db.session.remove()
        return found

    with ThreadPoolExecutor(4) as pool:
        given = [number for numbers in pool.map(several, range(4)) for number in numbers]

    assert sorted(given) == list(range(1, 37))


def test_counting_belongs_inside_an_act() -> None:
    with pytest.raises(WriteOutsideAct):
        references.next_number("receipt")
