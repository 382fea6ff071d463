"""Reads of identity: who acts, who can do what, and how many statements it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import event

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows
from grants.core.permissions import Permission, Scope
from grants.identity import queries
from grants.identity.models import Membership
from grants.identity.policy import Role
from tests import actors
from tests.factories import identity as factory

pytestmark = pytest.mark.usefixtures("app")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements sent to the database inside the block."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_an_actor_is_resolved_in_one_statement_and_one_more_for_what_lies_behind_bars() -> None:
    eva = actors.eva().user_id
    assert eva is not None
    with arranging():
        for _ in range(20):
            factory.role(eva, Role.ASSIGNED_EVALUATOR, kind="application", object_id=uuid4())
    with statements() as unbarred:
        queries.actor_for(eva)
    with arranging():
        for _ in range(20):
            factory.bar(eva, "application", uuid4())

    with statements() as seen:
        actor = queries.actor_for(eva)

    assert (len(unbarred), len(seen)) == (1, 2)
    assert len(actor.places(Permission.ASSESSMENT_SCORE, "application")) == 20
    assert len(actor.barred("application")) == 20


def test_a_request_of_somebody_signed_in_takes_the_same_statements_each_time(app: Flask) -> None:
    app.config["GRANTS_DEMO"] = False
    few = actors.client_of(app, actors.nobody())
    many_id = actors.eva().user_id
    assert many_id is not None
    with arranging():
        for _ in range(10):
            factory.role(many_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=uuid4())
    many = actors.client_of(app, actors.eva())

    counts = []
    for client in (few, many, many):
        with statements() as seen:
            assert client.get("/profile/password").status_code == 200
        counts.append(len(seen))

    # Session with all its person may; then the page's own person: row, organisation, roles.
    assert counts == [4, 4, 4]


def test_somebody_not_signed_in_costs_no_statement(app: Flask) -> None:
    app.config["GRANTS_DEMO"] = False

    with statements() as seen:
        assert app.test_client().get("/sign-in").status_code == 200
    assert seen == []


def test_lists_take_the_same_statements_for_one_row_and_for_many(app: Flask) -> None:
    ada = actors.ada()
    counts = []
    for names in (("Pia One",), ("Pia Two", "Pia Three", "Pia Four")):
        with arranging():
            for name in names:
                factory.user(name, Role.PROJECT_OFFICER, Role.AUDITOR)
        with statements() as seen:
            queries.users(ada, Page(), search="pia")
            queries.demo_choices()
            queries.users_with(Permission.AUDIT_READ)
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_a_membership_counts_while_it_lasts() -> None:
    ana = actors.ana()
    (own,) = ana.organisation_ids
    now = clock.now()
    later = actors.organisation("Municipality of Later")
    assert ana.user_id is not None
    with arranging():
        db.session.add(Membership(user_id=ana.user_id, organisation_id=later, starts_at=now + timedelta(days=1)))

    assert queries.actor_for(ana.user_id).organisation_ids == {own}
    assert queries.actor_for(ana.user_id, at=now + timedelta(days=2)).organisation_ids == {own, later}
    assert queries.person(ana.user_id).organisation == actors.NORTHBRIDGE


def test_who_can_do_a_thing_is_found_by_place() -> None:
    call, other = uuid4(), uuid4()
    pia, eli = actors.pia(), actors.person("Eli of one call")
    with arranging():
        factory.role(eli, Role.ELIGIBILITY_OFFICER, kind="call", object_id=call)
    actors.eli()

    def names(scope: Scope | None) -> list[str]:
        return [found.name for found in queries.users_with(Permission.APPLICATION_CHECK, scope)]

    assert names(Scope.of(("application", uuid4()), ("call", call))) == ["Eli Desk", "Eli of one call"]
    assert names(Scope.of(("call", other))) == ["Eli Desk"]
    assert names(None) == ["Eli Desk"]
    assert pia.user_id not in {found.id for found in queries.users_with(Permission.APPLICATION_CHECK)}


def test_people_are_listed_for_those_who_may_read_them_only() -> None:
    ana = actors.ana()

    assert queries.users(ana, Page()) == Rows(())
    assert queries.mails(ana) == Rows(())
    assert queries.roles_waiting(ana) == ()
    with pytest.raises(NotFound):
        queries.user(ana, "ana-kowalska")
    with pytest.raises(NotFound):
        queries.person(uuid4())
    assert queries.people([]) == {}
