"""People are found without their accents, and grouped by the part they play."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import literal, select

from grants.core.acts import arranging
from grants.core.db import db, folded
from grants.core.paging import Page
from grants.core.text import fold
from grants.identity import policy, queries, rules
from grants.identity.policy import Role
from tests import actors
from tests.factories import identity as people


@pytest.mark.parametrize("typed", ["szucs", "SZŰCS", "Szűcs  ", "łukasz"])
def test_a_person_is_found_without_accents(app: Flask, typed: str) -> None:
    with arranging():
        people.user("Łukasz Szűcs")

    assert [row.name for row in queries.users(actors.ada(), Page(), search=typed).items] == ["Łukasz Szűcs"]


def test_a_column_folds_as_the_words_typed_do(app: Flask) -> None:
    text = "Ærøsted Łódź Großþing Žďár Kővárhely œuvre"

    assert db.session.scalar(select(folded(literal(text)))) == fold(text)


def test_people_are_grouped_by_the_part_they_play(app: Flask) -> None:
    for person in (actors.otto, actors.eva, actors.nobody):
        person()

    parts = {
        part: [row.name for row in rows] for part, rows in rules.by_part(queries.users(actors.ada(), Page()).items)
    }

    assert "Otto Authoriser" in parts["Finance and audit: who pays, and who checks it"]
    assert any(name.startswith("Eva") for name in parts["Evaluators and panel"])
    assert set().union(*rules.PARTS.values()) == set(Role)


def test_the_switch_of_the_demo_lists_its_people_by_the_part_they_play(app: Flask) -> None:
    with arranging():
        for name, role in (("Aba", Role.AUDITOR), ("Eve", Role.EVALUATOR), ("Cit", Role.APPLICANT)):
            people.user(name, role).is_demo = True

    parts = [choice.part for choice in queries.demo_choices()]

    assert parts == sorted(parts, key=[*rules.PARTS, rules.OTHERS].index)
    assert len(set(parts)) == 3


def test_whoever_lacks_a_permission_reads_which_roles_have_it() -> None:
    assert policy.who_may("bank_account:enter").startswith("You need another role for this: ")
    assert "bank_account:enter" not in policy.who_may("bank_account:enter")
    assert policy.who_may("payment_request:open") == "Only the program does this, by itself."
