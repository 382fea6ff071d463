"""A wrong entry is reversed by two people with a reason, where its mirror alone puts it right; of any other the page says why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.calls.models import Call
from grants.core import clock
from grants.core.acts import act
from grants.core.db import get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.money import euros
from grants.core.permissions import Actor, Permission
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Dimensions, Event
from grants.payments import queries, services
from grants.payments.models import ReversalProposal
from grants.payments.queries.waiting import duties
from grants.payments.states import ReversalState
from tests import actors
from tests.html import check_page
from tests.ledger.test_services import run
from tests.oversight.conftest import statements
from tests.payments.world import IN_FORCE, World
from tests.servers import Cluster
from tests.worlds import World as Made

NOW = IN_FORCE + timedelta(days=1)
WHY = "Typed twice: the decision raises the budget once."


@act("test_reversal.post", needs=Permission.LEDGER_READ, says="did a thing of the tests")
def post(actor: Actor, event: Event, entry_legs: legs.Legs) -> UUID:
    key = f"test:{uuid4()}"
    return ledger.post(event, source_key=key, effective_on=NOW.date(), description=event.label, legs=entry_legs)


@pytest.fixture
def found(app: Flask, client: FlaskClient, in_force_world: Made[World]) -> Iterator[World]:
    with clock.at(NOW):
        yield in_force_world.told()


def fund(found: World) -> UUID:
    return get(Call, found.call_id).fund_source_id


def raised(found: World, amount: int = 5_000) -> UUID:
    """A budget of the call raised by mistake."""
    dims = Dimensions(fund(found), found.call_id)
    return post(actors.otto(), Event.BUDGET_SET, legs.legs_e1(euros(amount), dims))


def ref(entry_id: UUID) -> str:
    row = get(LedgerEntry, entry_id)
    return legs.reference(row.number, row.effective_on)


def available(found: World) -> object:
    return books.balance(Account.AVAILABLE, call_id=found.call_id)


def second_otto() -> Actor:
    return actors.actor(actors.person("Olga Second", Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER))


def look(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    check_page(answer)
    return answer.text


def test_two_people_reverse_an_entry_and_all_of_it_stays_visible(found: World) -> None:
    before = available(found)
    entry_id = raised(found)
    proposal_id = services.propose_reversal(actors.carl(), entry_id, reason=f" {WHY} ")
    assert available(found) != before

    reversal_id = services.confirm_reversal(actors.otto(), proposal_id)

    assert available(found) == before
    entry = books.entry(actors.nuria(), ref(entry_id))
    assert entry.reversed_by == ref(reversal_id)
    mirror = books.entry(actors.nuria(), ref(reversal_id))
    assert (mirror.description, mirror.effective_on) == (f"Reversal of {ref(entry_id)}: {WHY}", NOW.date())
    assert [(line.verb, line.reason) for line in mirror.acts] == [("ledger.confirm_reversal", WHY)]
    (told,) = queries.reversals(actors.nuria())
    assert (told.state, told.proposed_by, told.decided_by, told.reversal) == (
        ReversalState.CONFIRMED,
        "Carl Accountant",
        "Otto Authoriser",
        ref(reversal_id),
    )
    with pytest.raises(Conflict, match="already reversed by"):
        services.propose_reversal(actors.carl(), entry_id, reason="Again")
    with pytest.raises(Refused, match="itself"):
        services.propose_reversal(actors.carl(), reversal_id, reason="Undo")
    assert books.verify() == ()


def test_who_proposed_does_not_decide_by_act_or_by_database(found: World, postgres: Cluster, database: str) -> None:
    olga = second_otto()
    proposal_id = services.propose_reversal(olga, raised(found), reason=WHY)

    for deed in (
        lambda: services.confirm_reversal(olga, proposal_id),
        lambda: services.refuse_reversal(olga, proposal_id, reason="No"),
    ):
        with pytest.raises(Refused, match="somebody else decides"):
            deed()
    with pytest.raises(psycopg.Error, match="decided_by_another"):
        run(postgres, database, "grants_program", [
            f"UPDATE reversal_proposal SET state = 'refused', refuse_reason = 'x', decided_by = '{olga.user_id}', decided_at = now()"
        ])  # fmt: skip
    services.confirm_reversal(actors.otto(), proposal_id)
    with pytest.raises(psycopg.Error, match="permission denied"):
        run(postgres, database, "grants_program", ["UPDATE reversal_proposal SET reason = 'another'"])


def test_a_proposal_is_refused_with_a_reason_or_withdrawn_and_can_be_made_anew(found: World) -> None:
    entry_id = raised(found)
    first = services.propose_reversal(actors.carl(), entry_id, reason=WHY)
    with pytest.raises(Conflict, match="proposed already"):
        services.propose_reversal(second_otto(), entry_id, reason="Me too")
    with pytest.raises(Invalid, match="reason is missing"):
        services.refuse_reversal(actors.otto(), first, reason=" ")
    services.refuse_reversal(actors.otto(), first, reason="It was decided twice.")
    with pytest.raises(Refused, match="is refused; it cannot confirm now"):
        services.confirm_reversal(actors.otto(), first)

    second = services.propose_reversal(actors.carl(), entry_id, reason=WHY)
    with pytest.raises(Refused, match="Only who proposed it withdraws it"):
        services.withdraw_reversal(second_otto(), second)
    services.withdraw_reversal(actors.carl(), second)
    services.propose_reversal(second_otto(), entry_id, reason=WHY)

    states = {get(ReversalProposal, each).state for each in (first, second)}
    assert states == {"refused", "withdrawn"}


def test_a_reason_the_right_and_a_fresh_password_are_asked_for(found: World) -> None:
    entry_id = raised(found)

    with pytest.raises(Invalid, match="reason is missing"):
        services.propose_reversal(actors.carl(), entry_id, reason="  ")
    with pytest.raises(NeedsFreshSignIn):
        services.propose_reversal(replace(actors.carl(), fresh=False), entry_id, reason=WHY)
    for other in (actors.otto(), actors.vera(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.propose_reversal(other, entry_id, reason=WHY)
    proposal_id = services.propose_reversal(actors.carl(), entry_id, reason=WHY)
    for other in (actors.carl(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.confirm_reversal(other, proposal_id)


def test_whoever_is_barred_from_the_call_neither_sees_nor_decides(found: World) -> None:
    entry_id = raised(found)
    proposal_id = services.propose_reversal(actors.carl(), entry_id, reason=WHY)
    barred = replace(actors.otto(), bars=frozenset({("call", found.call_id)}))

    with pytest.raises(NotFound):
        services.confirm_reversal(barred, proposal_id)
    with pytest.raises(NotFound):
        queries.reversal_page(barred, ref(entry_id))
    assert queries.reversals(barred) == ()
    assert duties(barred, NOW) == ()


def test_what_was_spent_since_is_not_reversed_away_and_the_proposal_waits(found: World) -> None:
    entry_id = raised(found)
    left = books.balance(Account.AVAILABLE, call_id=found.call_id)
    post(actors.otto(), Event.RESERVED, legs.legs_e2(left, Dimensions(fund(found), found.call_id)))
    proposal_id = services.propose_reversal(actors.carl(), entry_id, reason=WHY)

    with pytest.raises(Refused, match="“Available” of this call would fall to"):
        services.confirm_reversal(actors.otto(), proposal_id)
    assert get(ReversalProposal, proposal_id).state == "proposed"


def test_money_of_no_call_is_reversed_by_whoever_may_everywhere(found: World) -> None:
    entry_id = post(actors.otto(), Event.BANK_CHARGED, legs.legs_e26(euros(3), Dimensions()))

    services.confirm_reversal(actors.otto(), services.propose_reversal(actors.carl(), entry_id, reason=WHY))

    assert books.balance(Account.BANK_CHARGES) == euros(0)


def test_every_event_is_reversed_alone_or_has_a_reason_why_not() -> None:
    assert legs.REVERSED_ALONE | set(legs.NOT_REVERSED_ALONE) == set(Event)
    assert not legs.REVERSED_ALONE & set(legs.NOT_REVERSED_ALONE)
    for event in Event:
        why = legs.why_not_reversed(event, from_a_document=False)
        assert (why == "") == (event in legs.REVERSED_ALONE)
        assert ". " in why or not why, "it says why, and then the way out"


def test_what_a_request_or_a_line_of_the_bank_stands_behind_is_refused_in_words(found: World) -> None:
    grant = Dimensions(fund(found), found.call_id, found.grant_id)
    decided = post(actors.otto(), Event.PREFINANCING_AUTHORISED, legs.legs_e6(euros(1), grant))
    line = post(actors.otto(), Event.BANK_CHARGED, legs.legs_e26(euros(1), Dimensions(document_id=uuid4())))

    with pytest.raises(Refused, match="The decision on a payment request stands behind it"):
        services.propose_reversal(actors.carl(), decided, reason=WHY)
    with pytest.raises(Refused, match="booked from a document, such as a line of a bank statement"):
        services.propose_reversal(actors.carl(), line, reason=WHY)


def test_the_whole_way_by_forms(app: Flask, found: World) -> None:
    entry_id = raised(found)
    address = f"/finance/entries/{ref(entry_id)}"
    carl, otto = (actors.client_of(app, who) for who in (actors.carl(), actors.otto()))
    assert f"{address}/reversal" in look(carl, address)

    assert "What is wrong with the entry" in look(carl, f"{address}/reversal")
    empty = carl.post(f"{address}/reversal/propose", data={"reason": ""})
    assert (empty.status_code, "Say why." in empty.text) == (422, True)
    assert carl.post(f"{address}/reversal/propose", data={"reason": WHY}).status_code == 303
    waits = look(carl, f"{address}/reversal")
    assert "somebody else decides on it" in waits
    with statements() as seen:
        shown = look(otto, f"{address}/reversal")
    assert WHY in shown
    assert len(seen) <= 10, len(seen)
    assert [each.what for each in duties(actors.otto(), NOW) if "reversal" in each.what] == [
        f"Decide on the reversal of {ref(entry_id)}"
    ]
    assert otto.post(f"{address}/reversal/confirm", data={"version": "0"}).status_code == 409
    assert otto.post(f"{address}/reversal/confirm", data={"version": "1"}).status_code == 303

    auditor = actors.client_of(app, actors.nuria())
    listed = look(auditor, "/finance/reversals")
    assert (WHY in listed, "Confirmed" in listed) == (True, True)
    assert "/finance/reversals" in look(auditor, "/finance/ledger")
    assert "An entry is reversed once" in look(auditor, f"{address}/reversal")
    assert not [each for each in duties(actors.otto(), NOW) if "reversal" in each.what]
