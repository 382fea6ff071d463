"""A statement of one moment says the same whenever it is made: acts that last, and names that change, do not move it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask

from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core import clock, files, jobs
from grants.core.acts import act, arranging
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission
from grants.documents import queries, services
from grants.documents.models import StatementFigures
from grants.documents.rules import Figures, Format, ScopeKind, Wanted, to_mapping
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Dimensions
from tests import actors
from tests.agreements.conftest import actor

NAME, CALL = "call-financial-overview", "PCP-2022-C-0001"
BEGUN, AS_OF, LATER = (datetime(2030, 1, 7, 9, minute, tzinfo=UTC) for minute in (0, 1, 2))
ONE = euros(1)

# What the act under test waits for before and after it posts: set by the test that runs it.
before_posting = threading.Event()
posted = threading.Event()
may_commit = threading.Event()


@act("test_slow_budget.raise", needs=Permission.BUDGET_AUTHORISE, says="raised a budget slowly in a test")
def _raise_slowly(actor: Actor, call_id: UUID, key: str) -> None:
    assert before_posting.wait(30)
    ledger.post(
        "E1",
        source_key=f"test:{key}",
        effective_on=date(2030, 1, 7),
        description="raised",
        legs=legs.legs_e1(ONE, Dimensions(get(Call, call_id).fund_source_id, call_id)),
    )
    posted.set()
    assert may_commit.wait(30)


def _elsewhere(app: Flask, deed: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """On a connection of its own."""
    answers: list[object] = []

    def run() -> None:
        with app.app_context():
            answers.append(deed())
            db.session.remove()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def _begin(app: Flask, key: str) -> threading.Thread:
    """The slow act, whose request came in before the moment of the statement."""
    otto, call_id = actors.otto(), queries.scope_of([ScopeKind.CALL], CALL).id
    for each in (before_posting, posted, may_commit):
        each.clear()

    def deed() -> None:
        with clock.at(BEGUN):
            _raise_slowly(otto, call_id, key)

    return _elsewhere(app, deed)[0]


def made(moment: datetime = AS_OF) -> tuple[dict[str, bytes], Money]:
    """The files of the statement of a moment, asked for and built as people do, and the budget it states."""
    with clock.at(LATER):
        asked = services.request(actor("initiator"), Wanted(NAME, CALL, moment))
        jobs.work_off(actor_of=identity.actor_for)
    figures = queries.figures(actor("initiator"), asked.reference)
    assert figures is not None
    budget = figures.summary[0][1]
    assert isinstance(budget, Money)
    found = files.listed(services.FILE_KIND, asked.id)
    return {file.role: files.path(file).read_bytes() for file in found}, budget


def test_a_statement_waits_for_an_act_that_is_posting_and_states_it(demo_app: Flask) -> None:
    _, stood = made(BEGUN)
    slow = _begin(demo_app, "posting")
    before_posting.set()
    assert posted.wait(30)

    asking, answers = _elsewhere(demo_app, made)
    asking.join(2)
    assert (asking.is_alive(), answers) == (True, [])
    may_commit.set()
    slow.join(30)
    asking.join(60)

    first = answers[0]
    assert isinstance(first, tuple) and first[1] == stood + ONE
    assert made() == first


def test_what_is_posted_after_a_statement_never_enters_it_though_its_act_began_before(demo_app: Flask) -> None:
    slow = _begin(demo_app, "late")
    first = made()
    before_posting.set()
    may_commit.set()
    slow.join(30)
    db.session.rollback()

    entry = db.session.query(LedgerEntry).filter(LedgerEntry.source_key == "test:late").one()
    assert entry.recorded_at == AS_OF
    assert made() == first
    assert made(LATER)[1] == first[1] + ONE


def test_a_statement_of_one_moment_is_the_same_bytes_after_everything_was_renamed(demo_app: Flask) -> None:
    first = made()
    with clock.at(LATER):
        by_command = services.export(actor("initiator"), Wanted(NAME, CALL, AS_OF))
    with arranging():
        for grant in db.session.query(Grant).all():
            grant.acronym = "Renamed"
            coordinator = get(Organisation, grant.coordinator_id)
            coordinator.name, coordinator.country_code = "Renamed", "SE"

    assert made() == first
    with clock.at(LATER):
        again = services.export(actor("initiator"), Wanted(NAME, CALL, AS_OF))
    assert by_command == again
    assert {form.value: file.data for form, file in zip(Format, again, strict=True)} == first[0]
    assert b"Renamed" in made(LATER)[0]["csv"]


def test_amounts_that_changed_behind_a_statement_are_said_aloud(demo_app: Flask) -> None:
    first = queries.call_overview(CALL, AS_OF)
    label, amount = first.summary[0]
    assert isinstance(amount, Money)
    other = Figures(
        **{name: getattr(first, name) for name in Figures.__dataclass_fields__}
        | {"summary": ((label, amount + ONE), *first.summary[1:])}
    )
    with arranging():
        scope_id = queries.scope_of([ScopeKind.CALL], CALL).id
        kept = to_mapping(other)
        db.session.add(StatementFigures(name=NAME, scope_id=scope_id, as_of=AS_OF, figures=kept, sha256=other.sha256))

    with clock.at(LATER), pytest.raises(Refused, match="no longer says"):
        services.export(actor("initiator"), Wanted(NAME, CALL, AS_OF))
