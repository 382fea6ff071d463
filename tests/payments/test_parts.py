"""By whose costs a request pays: parts sum to the decision, the ledger books them, and the database holds all to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.states import GRANT, PaymentKind
from grants.budgets.models import Budget
from grants.budgets.rules import BudgetRules, Category
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.audit import SecurityEvent
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, euros, total
from grants.core.states import Machine
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Dimensions, Leg
from grants.payments import forms, queries, rules, services
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.rules import ApprovedPart, DecisionInput, Limits, Part, Partners
from grants.payments.states import ORDER, RECOVERY, REQUEST
from grants.reporting.models import AcceptedCost, PeriodicReport
from tests import actors
from tests.payments.world import SEEN, World, forge, report
from tests.servers import Cluster

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
CITY, AGENCY, FIRM = (UUID(int=number) for number in range(1, 4))
MAXIMA: dict[UUID | None, Money] = {CITY: Money(400_01), AGENCY: Money(199_98), FIRM: Money(1)}
LIMITS = Limits(Money(600_00), Money(540_00), Money(240_00), Money(30_00))
NAMES = ("requested", "approved", "refused", "payable", "retained", "cleared", "deferred", "recoverable")


# --- The rules


class Books:
    """A grant's books and parts as decisions are taken one after the other: what the service does, without a database."""

    def __init__(self) -> None:
        self.taken: list[Leg] = []
        self.parts: list[tuple[PaymentKind, Part]] = []

    @property
    def balances(self) -> Balances:
        return Balances.of(self.taken)

    def held(self, account: Account) -> dict[rules.PartKey, Money]:
        found: dict[rules.PartKey, Money] = {}
        for leg in self.taken:
            if leg.account is account:
                key = leg.dims.organisation_id, leg.dims.category
                found[key] = found.get(key, ZERO) + (leg.amount if leg.grows else -leg.amount)
        return {key: amount for key, amount in found.items() if amount}

    @property
    def partners(self) -> Partners:
        sums: dict[str, dict[UUID | None, Money]] = {"authorised": {}, "received": {}, "accepted": {}}
        for kind, part in self.parts:
            for name, amount in (
                ("authorised", part.payable + part.retained),
                ("received", part.payable),
                ("accepted", part.approved if kind is PaymentKind.INTERIM else ZERO),
            ):
                sums[name][part.organisation_id] = sums[name].get(part.organisation_id, ZERO) + amount
        return Partners(MAXIMA, **sums)

    def decide(self, kind: PaymentKind, requested: rules.Amounts, approved: Money) -> tuple[Part, ...]:
        before = self.balances
        chosen = rules.approved_of(requested, approved, ())
        cash = rules.cash_max(kind, chosen, self.partners)
        decision = rules.decide(kind, before, LIMITS, approved, cash_max=cash)
        parts = rules.parts_of(kind, decision, requested, chosen, self.partners)
        for name in NAMES:
            whole = total(requested.values()) - approved if name == "refused" else getattr(decision, name, None)
            if name != "requested":
                assert total(getattr(part, name) for part in parts) == whole, name
        self._post(kind, decision, parts, before)
        self.parts += [(kind, part) for part in parts]
        return parts

    def _post(self, kind: PaymentKind, decision: rules.Decision, parts: tuple[Part, ...], before: Balances) -> None:
        def of(name: str) -> dict[rules.PartKey, Money]:
            found: dict[rules.PartKey, Money] = {
                (part.organisation_id, part.category): getattr(part, name) for part in parts
            }
            return {key: amount for key, amount in found.items() if amount}

        dims = Dimensions()
        if kind is PaymentKind.PREFINANCING:
            self.taken += legs.legs_e6(of("approved"), dims, retention=of("retained"))
        elif kind is PaymentKind.INTERIM and decision.booked:
            cleared = rules.held_by(decision.cleared, self.held(Account.PREFINANCING), rules.by_partner(of("cleared")))
            self.taken += legs.legs_e10(of("booked"), dims, cash=of("payable"), cleared=cleared)
        elif kind is PaymentKind.BALANCE:
            steps = rules.final_steps(before, decision.approved)
            spread = rules.settlement(
                parts,
                accepted=self.held(Account.GRANT_COSTS),
                outstanding=self.held(Account.PREFINANCING),
                retention=self.held(Account.RETENTION),
            )
            if steps.increase:
                self.taken += legs.legs_e11_parts(spread.change, dims, cleared=spread.cleared, payable=spread.owed)
            elif spread.change:
                self.taken += legs.legs_e11b(spread.taken_back, dims, reopened=spread.reopened)
            if steps.retention:
                self.taken += legs.legs_e12_parts(
                    spread.retention, dims, absorbed=spread.absorbed, released=spread.released
                )


def costs(draw: st.DrawFn, room: dict[UUID | None, Money]) -> dict[rules.PartKey, Money]:
    """Accepted costs by partner and category, within what each may still have accepted."""
    found: dict[rules.PartKey, Money] = {}
    for partner, left in room.items():
        amount = draw(st.integers(0, left.cents))
        first = draw(st.integers(0, amount))
        for category, cents in (("A", first), ("B", amount - first)):
            if cents:
                found[partner, category] = Money(cents)
    return found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_decided_the_parts_sum_to_it_and_no_partner_has_more_than_its_maximum(data: st.DataObject) -> None:
    found, draw = Books(), data.draw
    gross = LIMITS.prefinancing
    shares = rules.within(gross, {(partner, None): maximum for partner, maximum in MAXIMA.items()})
    found.decide(PaymentKind.PREFINANCING, shares, draw(st.integers(1, gross.cents).map(Money)))
    counted: dict[rules.PartKey, Money] = {}
    room = dict(MAXIMA)
    for _ in range(draw(st.integers(0, 2))):
        asked = costs(draw, room)
        whole = total(asked.values())
        approved = draw(st.integers(min(1, whole.cents), whole.cents).map(Money))
        for part in found.decide(PaymentKind.INTERIM, asked, approved):
            key = part.organisation_id, part.category
            counted[key] = counted.get(key, ZERO) + part.approved
            room[part.organisation_id] -= part.approved
    for key, amount in costs(draw, room).items():
        counted[key] = counted.get(key, ZERO) + amount
    final = rules.fitted(total(counted.values()), counted, MAXIMA)
    given_back = draw(st.integers(0, total(final.values()).cents).map(Money))
    last = found.decide(PaymentKind.BALANCE, final, given_back)

    received = found.partners.received
    assert all(received.get(partner, ZERO) <= maximum for partner, maximum in MAXIMA.items())
    owed = {part.organisation_id: part.recoverable for part in last if part.recoverable}
    assert not (owed and total(part.payable for part in last)), "a balance pays or recovers, never both"
    assert found.balances[Account.GRANT_COSTS] == given_back
    assert found.held(Account.GRANT_COSTS) == {
        (part.organisation_id, part.category): part.approved for part in last if part.approved
    }
    assert total(found.held(Account.PREFINANCING).values()) == total(owed.values())
    assert found.held(Account.RETENTION) == {}
    for account in (Account.PREFINANCING, Account.PAYABLE, Account.RETENTION):
        assert all(amount > ZERO for amount in found.held(account).values()), account


def test_who_had_too_much_owes_in_that_proportion_and_who_had_too_little_owes_nothing() -> None:
    partners = Partners({CITY: euros(400), AGENCY: euros(200)}, {}, {CITY: euros(160), AGENCY: euros(80)}, {})
    requested: rules.Amounts = {(CITY, "A"): euros(100), (AGENCY, "A"): euros(90)}
    decision = rules.Decision(euros(190), payable=ZERO, recoverable=euros(50))

    parts = rules.parts_of(PaymentKind.BALANCE, decision, requested, requested, partners)

    assert {(part.organisation_id, part.recoverable) for part in parts if part.recoverable} == {(CITY, euros(50))}


def test_parts_that_are_chosen_sum_to_the_amount_and_none_is_above_what_is_requested() -> None:
    requested: rules.Amounts = {(CITY, "A"): euros(60), (AGENCY, None): euros(40)}
    chosen = (ApprovedPart(CITY, "A", euros(60)), ApprovedPart(AGENCY, None, euros(15)))

    assert rules.approved_of(requested, euros(75), chosen) == {(CITY, "A"): euros(60), (AGENCY, None): euros(15)}
    with pytest.raises(Invalid) as off:
        rules.approved_of(requested, euros(80), chosen)
    assert off.value.problems == {"approved": f"The parts add up to {euros(75)}. Enter that, or change the parts."}
    with pytest.raises(Invalid) as above:
        rules.approved_of(requested, euros(75), (ApprovedPart(AGENCY, None, euros(41)),))
    assert set(above.value.problems) == {f"part-{AGENCY}-"}


# --- On PostgreSQL


@pytest.fixture
def frozen(app: Flask) -> Iterator[None]:
    with clock.at(NOW):
        yield


def with_costs(grant: World, number: int, accepted: dict[tuple[UUID, str], Money], **more: object) -> UUID:
    """An accepted report that says whose costs it accepts, in the categories of the call."""
    made = report(grant, number, total(accepted.values()), **more)  # type: ignore[arg-type]
    kept = BudgetRules((Category("A", "Personnel"), Category("B", "Subcontracting")))
    with arranging():
        budget = get(Budget, get(PeriodicReport, made).budget_id)
        budget.rules = encoding.encode(kept)
        for (partner, category), amount in accepted.items():
            db.session.add(
                AcceptedCost(
                    report_id=made, organisation_id=partner, category=category, declared=amount, accepted=amount
                )
            )
    return made


def asked(grant: World, number: int, accepted: dict[tuple[UUID, str], Money], **more: object) -> UUID:
    found = services.open_for_report(actors.program(), with_costs(grant, number, accepted, **more))
    assert found is not None
    return found.id


def authorised(request_id: UUID, amount: Money | None = None) -> UUID:
    order_id = services.prepare(actors.fin(), request_id, amount=amount).id
    services.verify(actors.vera(), order_id, evidence=SEEN)
    services.authorise(actors.otto(), order_id, evidence=SEEN)
    return order_id


def pay(request_id: UUID, amount: Money | None = None) -> UUID:
    order_id = authorised(request_id, amount)
    services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)
    services.execute(actors.carl(), order_id, value_on=NOW.date())
    return order_id


def held(grant: World, account: Account) -> dict[tuple[UUID | None, str | None], Money]:
    return dict(queries.standing(grant.grant_id, account))


def test_a_payment_consumes_the_commitment_of_whose_costs_it_pays(grant: World, frozen: None) -> None:
    request_id = asked(grant, 1, {(grant.agency_id, "A"): euros(90_000), (grant.city_id, "B"): euros(10_000)})
    services.decide(actors.otto(), request_id, DecisionInput(euros(100_000)))

    pay(request_id, euros(33_333))
    pay(request_id)

    by_part = {(grant.agency_id, "A"): euros(90_000), (grant.city_id, "B"): euros(10_000)}
    assert held(grant, Account.CONSUMED) == by_part == held(grant, Account.GRANT_COSTS)
    assert held(grant, Account.IN_TRANSIT) == {} == held(grant, Account.PAYABLE)
    assert dict(books.partners_open(grant.grant_id)) == {
        grant.agency_id: euros(110_000),
        grant.city_id: euros(390_000),
    }
    assert books.verify() == () == queries.verify()


def test_pre_financing_is_parted_as_the_agreement_shares_it(grant: World, frozen: None) -> None:
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))

    assert held(grant, Account.PREFINANCING) == {
        (grant.city_id, None): euros(160_000),
        (grant.agency_id, None): euros(80_000),
    }
    lines, _ = queries.parts_decided(queries.request(actors.otto(), "PCP-2022-G-0001-1"))
    assert [(line.partner, line.part.payable, line.part.retained) for line in lines] == [
        ("Municipality of Northbridge", euros(140_000), euros(20_000)),
        ("Energy Agency of Northbridge", euros(70_000), euros(10_000)),
    ]


def test_a_partner_above_its_own_maximum_is_refused_although_the_grant_has_room(grant: World, frozen: None) -> None:
    request_id = asked(grant, 1, {(grant.agency_id, "A"): euros(200_001), (grant.city_id, "A"): euros(5_000)})

    with pytest.raises(Refused, match=r"Energy Agency of Northbridge may have EUR 200\u00a0000\.00 at most"):
        services.decide(actors.otto(), request_id, DecisionInput(euros(205_001)))

    parts = (
        ApprovedPart(grant.agency_id, "A", euros(200_000)),
        ApprovedPart(grant.city_id, "A", euros(5_000)),
    )
    services.decide(actors.otto(), request_id, DecisionInput(euros(205_000), "Above its maximum.", parts))
    assert held(grant, Account.PAYABLE) == {
        (grant.agency_id, "A"): euros(200_000),
        (grant.city_id, "A"): euros(5_000),
    }


def test_a_cash_payment_stops_at_the_partners_own_maximum_and_the_rest_clears(grant: World, frozen: None) -> None:
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    pay(opened.id)
    request_id = asked(grant, 1, {(grant.city_id, "A"): euros(390_000)})

    services.decide(actors.otto(), request_id, DecisionInput(euros(390_000)))

    # The city had 160 000 of its 400 000 in advance: 240 000 may be paid, though the ceiling leaves 300 000.
    made = get(PaymentRequest, request_id)
    assert (made.payable, made.cleared, made.deferred) == (euros(240_000), euros(150_000), ZERO)
    pay(request_id)
    assert books.verify() == () == queries.verify()


def test_the_balance_settles_every_partner(grant: World, frozen: None) -> None:
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    pay(opened.id)
    interim = asked(grant, 1, {(grant.city_id, "A"): euros(200_000), (grant.agency_id, "B"): euros(20_000)})
    services.decide(actors.otto(), interim, DecisionInput(euros(220_000)))
    pay(interim)
    balance = asked(
        grant, 2, {(grant.city_id, "B"): euros(150_000), (grant.agency_id, "B"): euros(120_000)}, final=True
    )
    services.decide(actors.otto(), balance, DecisionInput(euros(490_000)))
    pay(balance)

    spent = {
        (grant.city_id, "A"): euros(200_000),
        (grant.city_id, "B"): euros(150_000),
        (grant.agency_id, "B"): euros(140_000),
    }
    assert held(grant, Account.GRANT_COSTS) == spent
    consumed = rules.by_partner(held(grant, Account.CONSUMED))
    assert consumed == {grant.city_id: euros(350_000), grant.agency_id: euros(140_000)}
    for account in (Account.PREFINANCING, Account.RETENTION, Account.PAYABLE, Account.IN_TRANSIT):
        assert held(grant, account) == {}, account
    assert books.verify() == () == queries.verify()


# --- What the database refuses by itself


@pytest.fixture
def as_program(grant: World, frozen: None, postgres: Cluster, database: str) -> Iterator[psycopg.Connection]:
    """The database as the program's own role reaches it, without the guard of acts."""
    with closing(psycopg.connect(postgres.dsn(database, "grants_program"))) as connection:
        yield connection


def refused(connection: psycopg.Connection, statements: str, words: str) -> None:
    with pytest.raises(psycopg.Error, match=words):
        connection.execute("SET TRANSACTION READ WRITE")
        connection.execute(statements.encode())
        connection.commit()
    connection.rollback()


def ready(grant: World) -> UUID:
    """An order that is verified and authorised, over half of the pre-financing."""
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None
    services.decide(actors.otto(), opened.id, DecisionInput(euros(240_000)))
    return authorised(opened.id, euros(100_000))


MACHINES: dict[str, Machine] = {
    "payment_order": ORDER,
    "payment_request": REQUEST,
    "recovery": RECOVERY,
    "grant_agreement": GRANT,
}


def test_the_database_knows_every_state_from_which_nothing_leads_on(as_program: psycopg.Connection) -> None:
    """A new state or way out is named in the migration that brings it: by replacing payment_terminal_states()."""
    for table, machine in MACHINES.items():
        left = {source for each in machine.transitions for source in each.sources}
        known = as_program.execute("SELECT payment_terminal_states(%s)", (table,)).fetchone()
        assert known is not None
        assert set(known[0]) == {state.value for state in machine.states if state not in left}, table


def test_nothing_leaves_a_terminal_state(grant: World, as_program: psycopg.Connection) -> None:
    order_id = ready(grant)
    services.cancel(actors.otto(), order_id, reason="Not needed.")
    refused(
        as_program, "UPDATE payment_order SET state = 'prepared', cancel_reason = NULL", "nothing leads on from there"
    )
    request = db.session.scalars(select(PaymentRequest)).one()
    refused(
        as_program,
        "UPDATE payment_request SET state = 'rejected', decision_reason = 'x', approved = NULL, refused = NULL, payable = NULL, "
        "retained = NULL, cleared = NULL, deferred = NULL, recoverable = NULL; UPDATE payment_request SET state = 'approved'",
        "nothing leads on from there",
    )
    refused(
        as_program,
        "UPDATE grant_agreement SET state = 'dropped'; UPDATE grant_agreement SET state = 'in_force'",
        "nothing leads on from there",
    )
    refused(
        as_program,
        f"""INSERT INTO recovery (id, created_at, version, grant_id, request_id, number, reference, origin, amount, reason, state, at_once,
        proposed_at, proposed_by, reminders) VALUES (gen_random_uuid(), now(), 1, '{grant.grant_id}', '{request.id}', 1, 'D', 'balance',
        1, 'x', 'proposed', false, now(), '{actors.otto().user_id}', 0);
        UPDATE recovery SET state = 'cancelled', cancelled_at = now(), cancelled_by = proposed_by, cancel_reason = 'x';
        UPDATE recovery SET state = 'proposed'""",
        "nothing leads on from there",
    )


def test_amount_and_account_of_a_signed_order_stand(grant: World, as_program: psycopg.Connection) -> None:
    ready(grant)

    refused(as_program, "UPDATE payment_order SET amount = amount - 1", "are frozen")
    refused(as_program, "UPDATE payment_order SET bank_account_id = gen_random_uuid()", "are frozen")
    refused(as_program, "UPDATE payment_order SET payee_id = gen_random_uuid()", "for another request, grant or payee")
    back = "UPDATE payment_order SET state = 'prepared', verified_by = NULL, authorised_by = NULL"
    refused(as_program, f"{back}, amount = amount - 1", "has a signature for another amount or account")
    refused(as_program, back, "are not those of its signatures")
    refused(
        as_program,
        "UPDATE payment_order_signature SET voided_at = now(), voided_why = 'x' WHERE step = 'verified'",
        "are not those of its signatures",
    )


def test_orders_that_hold_nothing_any_more_do_not_count_against_the_request(
    grant: World, as_program: psycopg.Connection
) -> None:
    order_id = ready(grant)
    services.cancel(actors.otto(), order_id, reason="Not needed.")

    # The whole 210 000 can be ordered again; a cent more cannot.
    services.prepare(actors.fin(), get(PaymentOrder, order_id).request_id)
    refused(
        as_program,
        "UPDATE payment_order_signature SET voided_at = now(), voided_why = 'x' WHERE voided_at IS NULL;"
        "UPDATE payment_order SET amount = 21000001 WHERE state = 'prepared';"
        "INSERT INTO payment_order_signature (id, created_at, version, order_id, step, user_id, signed_at, amount, bank_account_id)"
        " SELECT gen_random_uuid(), now(), 1, id, 'prepared', prepared_by, now(), amount, bank_account_id FROM payment_order"
        " WHERE state = 'prepared'",
        "are payable",
    )


def test_parts_that_do_not_sum_to_the_decision_are_refused(grant: World, as_program: psycopg.Connection) -> None:
    ready(grant)

    refused(
        as_program,
        "UPDATE payment_request SET payable = payable - 1, retained = retained + 1",
        "do not sum to what was decided",
    )
    refused(
        as_program,
        f"""INSERT INTO payment_request_part (id, created_at, version, request_id, organisation_id, category, requested, approved,
        refused, payable, retained, cleared, deferred, recoverable) SELECT gen_random_uuid(), now(), 1, id, '{grant.city_id}', 'X',
        1, 1, 0, 1, 0, 0, 0, 0 FROM payment_request""",
        "do not sum to what was decided",
    )
    refused(as_program, "UPDATE payment_request_part SET approved = 0", "permission denied")


def test_parts_changed_behind_the_database_are_found_by_the_checks(
    grant: World, frozen: None, postgres: Cluster, database: str
) -> None:
    ready(grant)
    assert queries.verify() == ()

    forge(
        postgres,
        database,
        f"UPDATE payment_request_part SET payable = payable - 1 WHERE organisation_id = '{grant.city_id}'",
    )

    assert [str(problem) for problem in queries.verify()] == [
        "PCP-2022-G-0001-1: I11: its parts by partner do not sum to what was decided."
    ]


# --- Over HTTP


def send(app: Flask, address: str, **fields: object) -> int:
    return int(actors.client_of(app, actors.otto()).post(address, data=fields).status_code)


@pytest.mark.usefixtures("client")
def test_the_same_key_with_another_amount_is_a_conflict_and_changes_nothing(app: Flask, grant: World) -> None:
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None
    address = f"/finance/requests/{opened.reference}/decide"

    first = send(app, address, act_key="k" * 24, approved="240 000,00")
    again = send(app, address, act_key="k" * 24, approved="240 000,00")
    other = send(app, address, act_key="k" * 24, approved="239 999,99", reason="Less.")

    assert (first, again, other) == (303, 303, 409)
    db.session.rollback()
    assert get(PaymentRequest, opened.id).approved == euros(240_000)


@pytest.mark.usefixtures("client")
def test_what_is_sent_beside_the_fields_of_a_money_form_is_ignored_and_noted(app: Flask, grant: World) -> None:
    opened = services.open_prefinancing(actors.program(), grant.grant_id)
    assert opened is not None

    address = f"/finance/requests/{opened.reference}/decide"
    sent = {"approved": "240 000,00", "status": "paid", "role": "admin", "amount_approved": "1"}
    assert send(app, address, **sent) == 303

    db.session.rollback()
    assert get(PaymentRequest, opened.id).state == "approved"
    noted = db.session.scalars(select(SecurityEvent).where(SecurityEvent.kind == "form.unknown_fields")).one()
    assert (noted.user_id, noted.detail) == (
        actors.otto().user_id,
        {"path": address, "names": ["amount_approved", "role", "status"]},
    )


@pytest.mark.usefixtures("client")
def test_a_form_as_its_page_sends_it_notes_nothing(app: Flask, grant: World) -> None:
    request_id = asked(grant, 1, {(grant.agency_id, "A"): euros(90_000), (grant.city_id, "B"): euros(10_000)})
    reference = get(PaymentRequest, request_id).reference
    address = f"/finance/requests/{reference}"
    page = actors.client_of(app, actors.otto()).get(address).text
    assert "By whose costs" in page and "Energy Agency of Northbridge" in page and "Personnel" in page

    cut = {f"part-{grant.agency_id}-A": "80 000,00", f"part-{grant.city_id}-B": ""}
    wrong = actors.client_of(app, actors.otto()).post(
        f"{address}/decide", data={"approved": "95 000,00", "reason": "Not shown.", **cut}
    )
    assert wrong.status_code == 422 and "The parts add up to EUR 90\u00a0000.00" in wrong.text
    assert send(app, f"{address}/decide", approved="90 000,00", reason="Not shown.", **cut) == 303

    db.session.rollback()
    lines, _ = queries.parts_decided(queries.request(actors.otto(), reference))
    assert [(line.category, line.part.approved, line.part.refused) for line in lines] == [
        ("Subcontracting", euros(10_000), ZERO),
        ("Personnel", euros(80_000), euros(10_000)),
    ]
    shown = actors.client_of(app, actors.otto()).get(address).text
    assert "By whose costs" in shown and "80\u00a0000.00" in shown
    assert db.session.scalars(select(SecurityEvent).where(SecurityEvent.kind == "form.unknown_fields")).all() == []


def test_every_form_of_payments_says_that_it_moves_money() -> None:
    found = [
        each for each in vars(forms).values() if isinstance(each, type) and each.__module__.startswith(forms.__name__)
    ]

    assert found and all(each.moves_money for each in found)
