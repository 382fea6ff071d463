"""A form sent twice is answered twice alike, also where its page would refuse it after the first time."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.core import answers, clock
from grants.core.db import db
from grants.core.money import euros
from grants.core.paging import Page
from grants.payments import queries, services
from grants.payments.rules import DecisionInput
from tests import actors
from tests.payments.world import IN_FORCE, SEEN, World, world


@pytest.fixture
def grant(app: Flask, client: FlaskClient) -> World:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva):
            person()
        found = world()
        services.open_prefinancing(actors.program(), found.grant_id)
        services.decide(
            actors.otto(),
            next(row.thing.id for row in queries.inbox(actors.nuria(), Page()).rows.items),
            DecisionInput(euros(240_000)),
        )
    return found


def ordered(app: Flask) -> str:
    answer = actors.client_of(app, actors.fin()).post(
        "/finance/requests/PCP-2022-G-0001-1/orders", data={"amount": "1000", "act_key": "order"}
    )
    return str(answer.headers["Location"])


def test_the_second_click_on_verify_is_led_where_the_first_one_went(app: Flask, grant: World) -> None:
    order = ordered(app)
    browser = actors.client_of(app, actors.vera())
    data = {"note": "Compared", "act_key": "verify", "evidence": list(SEEN), "version": "1"}

    first = browser.post(f"{order}/verify", data=data)
    again = browser.post(f"{order}/verify", data=data)

    assert (first.status_code, first.headers["Location"]) == (303, order)
    assert (again.status_code, again.headers["Location"]) == (303, order)


def test_the_second_click_on_build_finds_the_file_though_the_order_is_no_longer_offered(
    app: Flask, grant: World
) -> None:
    order = ordered(app)
    actors.client_of(app, actors.vera()).post(f"{order}/verify", data={"act_key": "verify", "evidence": list(SEEN)})
    actors.client_of(app, actors.otto()).post(
        f"{order}/authorise", data={"act_key": "authorise", "evidence": list(SEEN)}
    )
    browser = actors.client_of(app, actors.carl())
    day = {"execution_on": "2030-05-02", "layout": "pain.001.001.09"}
    data = {"orders": order.rpartition("/")[2], **day, "act_key": "build"}

    first = browser.post("/finance/batches/new", data=data)
    again = browser.post("/finance/batches/new", data=data)

    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]


def test_the_same_key_with_other_words_is_a_clash(app: Flask, grant: World) -> None:
    order = ordered(app)
    browser = actors.client_of(app, actors.vera())
    browser.post(
        f"{order}/verify", data={"note": "Compared", "act_key": "verify", "evidence": list(SEEN), "version": "1"}
    )

    other = browser.post(
        f"{order}/verify", data={"note": "Something else", "act_key": "verify", "evidence": list(SEEN), "version": "1"}
    )

    assert other.status_code == 409


def test_a_key_is_of_one_person(app: Flask, grant: World) -> None:
    order = ordered(app)
    data = {"note": "Compared", "act_key": "verify", "evidence": list(SEEN), "version": "1"}
    actors.client_of(app, actors.vera()).post(f"{order}/verify", data=data)

    other = actors.client_of(app, actors.eva()).post(f"{order}/verify", data=data)

    assert other.status_code == 403


def test_nothing_is_kept_of_a_form_that_did_nothing(app: Flask, grant: World) -> None:
    order = ordered(app)
    actors.client_of(app, actors.fin()).post(
        f"{order}/verify", data={"act_key": "mine", "version": "1", "evidence": list(SEEN)}
    )

    kept = db.session.query(answers.FormAnswer.key).all()

    assert [row.key for row in kept] == ["order"]


def test_answers_are_forgotten_after_a_week(app: Flask, grant: World) -> None:
    ordered(app)

    with clock.at(clock.now() + answers.KEPT * 2):
        answers.sweep()

    assert db.session.query(answers.FormAnswer.key).all() == []


def test_nobody_waits_for_the_answer_to_other_words(app: Flask, grant: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grants.core.answers.time.sleep", lambda seconds: pytest.fail("the request waited"))
    order = ordered(app)
    browser = actors.client_of(app, actors.vera())
    browser.post(
        f"{order}/verify", data={"note": "Compared", "act_key": "verify", "evidence": list(SEEN), "version": "1"}
    )

    other = browser.post(
        f"{order}/verify", data={"note": "Something else", "act_key": "verify", "evidence": list(SEEN), "version": "1"}
    )

    assert other.status_code == 409
