"""The pay run: authorised orders are put into one file, made and checked, sent with figures typed back, or discarded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.agreements import services as agreeing
from grants.agreements.rules import WaitingRule
from grants.core import clock, files
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.files import StoredFile
from grants.core.money import Money, euros
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.payments import queries, services
from grants.payments.models import OwnAccount, PaymentBatch, PaymentOrder, PaymentRequest
from grants.payments.rules import DecisionInput
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.rules.sepa.checks import fitted
from grants.payments.services import pain
from grants.payments.services.building import run_of_batch
from grants.payments.states import BatchState, OrderState, SuspensionReason
from grants.programmes.models import Programme
from tests import actors
from tests.payments.world import SEEN, World, forge, recorded
from tests.servers import Cluster
from tests.statements import statements

# A Thursday on which banks pay.
NOW = datetime(2023, 5, 4, 9, tzinfo=UTC)
DUE = euros(210_000)


@pytest.fixture
def order_id(grant: World) -> UUID:
    """An authorised order over the pre-financing."""
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
        request_id = db.session.scalars(select(PaymentRequest.id)).one()
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        order = services.prepare(actors.fin(), request_id).id
        services.verify(actors.vera(), order, evidence=SEEN)
        services.authorise(actors.otto(), order, evidence=SEEN)
    return order


def chosen(layout: FileLayout = FileLayout.V09, on: date = date(2023, 5, 4)) -> FileInput:
    return FileInput(db.session.scalars(select(OwnAccount.id)).one(), layout, on)


def made(order_id: UUID, layout: FileLayout = FileLayout.V09) -> UUID:
    """A file of this order, made and checked."""
    with clock.at(NOW):
        built = services.build(actors.carl(), (order_id,), chosen(layout))
        services.make_batch_file(actors.carl(), built.id)
    return built.id


def bytes_of(batch_id: UUID) -> bytes:
    file_id = get(PaymentBatch, batch_id).file_id
    assert file_id is not None
    return files.genuine(files.view(file_id)).read_bytes()


@pytest.mark.parametrize("layout", FileLayout)
def test_an_order_is_built_made_and_sent_and_only_then_is_the_money_in_transit(
    order_id: UUID, layout: FileLayout
) -> None:
    batch_id = made(order_id, layout)
    in_file = get(PaymentOrder, order_id).state
    before = db.session.scalars(select(LedgerEntry).where(LedgerEntry.event == "E7")).all()

    with clock.at(NOW):
        services.send(actors.carl(), batch_id, count=1, control_total=DUE)

    batch, order = get(PaymentBatch, batch_id), get(PaymentOrder, order_id)
    assert (in_file, before) == ("in_file", [])
    assert (order.state, order.sent_by, batch.state) == ("sent", actors.carl().user_id, "sent")
    assert [row.source_key for row in db.session.scalars(select(LedgerEntry).where(LedgerEntry.event == "E7"))] == [
        f"payment_order:{order_id}:sent"
    ]
    assert queries.verify() == ()


@pytest.mark.parametrize("layout", [FileLayout.V09, FileLayout.V03])
def test_the_file_says_what_the_order_says(order_id: UUID, layout: FileLayout) -> None:
    batch_id = made(order_id, layout)
    order, batch = get(PaymentOrder, order_id), get(PaymentBatch, batch_id)

    read = pain.read(bytes_of(batch_id))

    (transfer,) = read.transfers
    assert (read.layout, read.count, read.total, read.message_id) == (layout.value, "1", "210000.00", batch.message_id)
    assert (transfer.end_to_end_id, transfer.amount) == (order.end_to_end_id, "210000.00")
    assert transfer.payee.name == "Northbridge Lodz & Co" or transfer.payee.name.startswith("Northbridge Lodz")
    assert read.debtor.account.iban == "BE43068999999501"
    assert order.end_to_end_id is not None and order.end_to_end_id.startswith(f"{order.reference}-")


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        (1, DUE + Money(1), {"control_total": "The orders of the file come to another sum"}),
        (1, DUE - Money(1), {"control_total": "The orders of the file come to another sum"}),
        (2, DUE, {"count": "The file holds another number"}),
        (
            0,
            euros(1),
            {"count": "The file holds another number", "control_total": "The orders of the file come to another sum"},
        ),
    ],
)
def test_other_figures_send_nothing_and_never_tell_the_right_ones(
    order_id: UUID, count: int, total: Money, words: dict[str, str]
) -> None:
    batch_id = made(order_id)

    with clock.at(NOW), pytest.raises(Invalid) as refused:
        services.send(actors.carl(), batch_id, count=count, control_total=total)

    problems = refused.value.problems
    assert {name: problems[name].startswith(begin) for name, begin in words.items()} == dict.fromkeys(words, True)
    assert set(problems) == set(words) and "210" not in str(problems)
    assert get(PaymentOrder, order_id).state == OrderState.IN_FILE.value


def test_what_was_sent_is_in_no_other_file_and_downloads_as_the_same_bytes(order_id: UUID) -> None:
    batch_id = made(order_id)
    frozen = bytes_of(batch_id)
    with clock.at(NOW):
        # Bytes that are out could reach the bank though the file is discarded here, and its orders left in another.
        with pytest.raises(Refused, match="handed out once it is sent"):
            services.open_batch_file(actors.carl(), batch_id)
        services.send(actors.carl(), batch_id, count=1, control_total=DUE)
        recorded(batch_id)

        for again in (
            lambda: services.build(actors.carl(), (order_id,), chosen()),
            lambda: services.send(actors.carl(), batch_id, count=1, control_total=DUE),
            lambda: services.discard(actors.carl(), batch_id, reason="Too late."),
            lambda: services.cancel(actors.otto(), order_id, reason="Too late."),
        ):
            with pytest.raises((Conflict, Refused)):
                again()
        opened = [services.open_batch_file(actors.carl(), batch_id).sha256 for _ in range(2)]

    assert bytes_of(batch_id) == frozen and set(opened) == {get(PaymentBatch, batch_id).file_sha256}


def test_a_discarded_file_is_void_and_its_order_goes_into_another_under_the_same_identifier(order_id: UUID) -> None:
    first = made(order_id)
    identifier = get(PaymentOrder, order_id).end_to_end_id
    with clock.at(NOW):
        services.discard(actors.carl(), first, reason="The day is wrong.")
        with pytest.raises(Refused, match="void"):
            services.open_batch_file(actors.carl(), first)
    back = get(PaymentOrder, order_id).state
    second = made(order_id)

    void = queries.batch(actors.nuria(), get(PaymentBatch, first).reference)
    assert (back, void.state, [line.end_to_end_id for line in void.lines]) == (
        "authorised",
        BatchState.DISCARDED,
        [identifier],
    )
    assert get(PaymentOrder, order_id).end_to_end_id == identifier
    assert get(PaymentBatch, first).message_id != get(PaymentBatch, second).message_id


def test_who_may_send_a_file_and_reads_it_asks_as_little_as_for_any_page(app: Flask, order_id: UUID) -> None:
    made(order_id)
    reference = db.session.scalars(select(PaymentBatch.reference)).one()
    client = actors.client_of(app, actors.carl())
    with clock.at(NOW):
        client.get(f"/finance/batches/{reference}")
        with statements() as asked:
            shown = client.get(f"/finance/batches/{reference}")

    assert "Send this file" in shown.text and len(asked) <= 7, "\n".join(asked)


def test_what_the_rules_refuse_leaves_no_file_and_says_where_and_what(order_id: UUID) -> None:
    with clock.at(NOW):
        # Saturday: banks do not pay.
        built = services.build(actors.carl(), (order_id,), chosen(on=date(2023, 5, 6)))
        services.make_batch_file(actors.carl(), built.id)
        with pytest.raises((Conflict, Refused)):
            services.send(actors.carl(), built.id, count=1, control_total=DUE)

    found = queries.batch(actors.carl(), built.reference)
    assert (found.state, found.file_sha256) == (BatchState.REFUSED, None)
    assert [each.rule.way_out != "" for each in found.refusing] == [True]


def test_an_order_that_changed_behind_the_file_keeps_it_from_leaving(
    order_id: UUID, postgres: Cluster, database: str
) -> None:
    batch_id = made(order_id)
    forge(postgres, database, f"UPDATE payment_order SET amount = amount - 1 WHERE id = '{order_id}'")

    with clock.at(NOW), pytest.raises(Refused, match="not what its orders say now"):
        services.send(actors.carl(), batch_id, count=1, control_total=DUE)


@pytest.fixture
def request_id(order_id: UUID) -> UUID:
    """What the order pays."""
    return get(PaymentOrder, order_id).request_id


def suspend(request_id: UUID) -> None:
    services.suspend(actors.fin(), request_id, reason=SuspensionReason.MISSING_DOCUMENTS, notice="Send the letter.")


def test_while_its_clock_stands_still_an_order_is_put_into_no_file(order_id: UUID, request_id: UUID) -> None:
    with clock.at(NOW):
        suspend(request_id)

        with pytest.raises(Refused, match="is suspended since 4 May 2023"):
            services.build(actors.carl(), (order_id,), chosen())

        assert get(PaymentOrder, order_id).state == OrderState.AUTHORISED.value
        assert db.session.scalars(select(PaymentBatch)).all() == []
        services.lift(actors.fin(), request_id, reason="The letter came.")
    assert get(PaymentBatch, made(order_id)).state == BatchState.READY.value


def test_a_file_whose_order_is_suspended_after_it_was_built_does_not_leave(order_id: UUID, request_id: UUID) -> None:
    batch_id = made(order_id)
    with clock.at(NOW):
        suspend(request_id)

        with pytest.raises(Refused, match="is suspended since 4 May 2023"):
            services.send(actors.carl(), batch_id, count=1, control_total=DUE)

        assert get(PaymentOrder, order_id).state == OrderState.IN_FILE.value
        assert db.session.scalars(select(LedgerEntry).where(LedgerEntry.event == "E7")).all() == []
        services.lift(actors.fin(), request_id, reason="The letter came.")
        services.send(actors.carl(), batch_id, count=1, control_total=DUE)
    assert get(PaymentOrder, order_id).state == OrderState.SENT.value


def confirmed_on(postgres: Cluster, database: str, grant: World, day: date) -> None:
    """The account's confirmation is of this day, set behind everybody's back."""
    forge(
        postgres, database, f"UPDATE bank_account SET confirmed_at = '{day} 09:00+00' WHERE id = '{grant.account_id}'"
    )


def wait(days: int) -> None:
    """Accounts of the programme wait so long from now on."""
    programme_id = db.session.scalars(select(Programme.id)).one()
    agreeing.lay_down_waiting(
        actors.ingrid(), programme_id, WaitingRule(date(2023, 5, 3), days, 0, "Changes are seen.")
    )


def test_an_account_too_new_is_put_into_no_file_nor_paid_by_one_that_was_built(
    order_id: UUID, grant: World, postgres: Cluster, database: str
) -> None:
    with clock.at(datetime(2023, 5, 3, 9, tzinfo=UTC)):
        wait(5)
    batch_id = made(order_id)
    confirmed_on(postgres, database, grant, date(2023, 5, 3))
    with clock.at(NOW):
        with pytest.raises(Refused, match="from 8 May 2023"):
            services.send(actors.carl(), batch_id, count=1, control_total=DUE)
        services.discard(actors.carl(), batch_id, reason="The account waits.")
        with pytest.raises(Refused, match="from 8 May 2023"):
            services.build(actors.carl(), (order_id,), chosen())
    assert get(PaymentOrder, order_id).state == OrderState.AUTHORISED.value


@pytest.mark.parametrize("layout", [FileLayout.V09, FileLayout.V03])
def test_the_address_of_the_payee_stands_in_the_file_and_the_checker_passes_it(
    order_id: UUID, layout: FileLayout
) -> None:
    batch_id = made(order_id, layout)
    batch = get(PaymentBatch, batch_id)

    (transfer,) = pain.read(bytes_of(batch_id)).transfers

    assert (transfer.payee.address.country, transfer.payee.address.town) == ("BE", "Northbridge")
    run, _ = fitted(run_of_batch(batch))
    assert [each for each in pain.check_file(bytes_of(batch_id), run, NOW.date()) if each.refuses] == []


def test_two_orders_of_one_request_that_leave_together_send_no_part_twice(grant: World) -> None:
    """Alone each cent would be that of the partner with the larger part, and the rest as if none had gone."""
    with clock.at(NOW):
        services.open_prefinancing(actors.program(), grant.grant_id)
        request_id = db.session.scalars(select(PaymentRequest.id)).one()
        services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
        orders = []
        for amount in (Money(1), Money(1), DUE - Money(2)):
            order = services.prepare(actors.fin(), request_id, amount=amount).id
            services.verify(actors.vera(), order, evidence=SEEN)
            services.authorise(actors.otto(), order, evidence=SEEN)
            orders.append(order)
        built = services.build(actors.carl(), tuple(orders), chosen())
        services.make_batch_file(actors.carl(), built.id)
        services.send(actors.carl(), built.id, count=3, control_total=DUE)

    left: dict[UUID | None, Money] = {part.organisation_id: part.payable for part in queries.parts_kept(request_id)}
    for moved in queries.moved_for(request_id, Account.IN_TRANSIT).values():
        for (partner, _), amount in moved.items():
            left[partner] -= amount
    assert set(left.values()) == {Money(0)}


def test_other_bytes_in_the_store_keep_it_from_leaving(order_id: UUID) -> None:
    batch_id = made(order_id)
    stored = db.session.get_one(StoredFile, get(PaymentBatch, batch_id).file_id)
    place = files.path(files.view(stored.id))
    place.chmod(0o600)
    place.write_bytes(place.read_bytes().replace(b"210000.00", b"210001.00"))

    with clock.at(NOW), pytest.raises(Refused, match="not those it was stored with"):
        services.send(actors.carl(), batch_id, count=1, control_total=DUE)

    assert get(PaymentOrder, order_id).state == OrderState.IN_FILE.value


def test_whoever_signed_an_order_neither_builds_nor_sends_its_file(order_id: UUID) -> None:
    with clock.at(NOW):
        for person in (actors.fin(), actors.vera(), actors.otto(), actors.nuria()):
            with pytest.raises(NotAllowed):
                services.build(person, (order_id,), chosen())
        with pytest.raises(Invalid, match="day"):
            services.build(actors.carl(), (order_id,), chosen(on=date(2023, 5, 3)))
        with pytest.raises(Invalid):
            services.build(actors.carl(), (), chosen())


def test_by_pages_without_script_a_file_is_built_sent_and_read(app: Flask, client: FlaskClient, order_id: UUID) -> None:
    carl, nuria = actors.client_of(app, actors.carl()), actors.client_of(app, actors.nuria())
    reference = get(PaymentOrder, order_id).reference
    day = {"execution_on": "2030-05-02", "layout": "pain.001.001.09", "orders": [reference]}

    page = carl.get("/finance/batches/new").text
    built = carl.post("/finance/batches/new", data=day)
    place = built.headers["Location"]
    again = carl.post("/finance/batches/new", data=day)
    services.make_batch_file(actors.carl(), db.session.scalars(select(PaymentBatch.id)).one())
    ready, read = carl.get(place).text, nuria.get(place).text
    files = carl.get("/finance/batches").text
    version = db.session.scalars(select(PaymentBatch.version)).one()
    typed = {"version": version, "count": "1", "control_total": "210 000"}
    wrong = carl.post(f"{place}/send", data=typed | {"control_total": "210 001"})
    sent = carl.post(f"{place}/send", data=typed)
    later = carl.post(f"{place}/discard", data={"version": version, "reason": "No."})

    assert reference in page and "Build the file" in page
    assert (built.status_code, again.status_code, wrong.status_code, sent.status_code) == (303, 409, 422, 303)
    assert "Ready to be sent" in ready and "Send the file to the bank" in ready
    assert "Control total, EUR" not in ready and "Send the file to the bank" not in read
    assert "210\u00a0000.00" not in files and "210\u00a0000.00" in carl.get("/finance/batches").text
    assert "come to another sum" in wrong.text and later.status_code == 409
    assert "handed out once its record lies outside" in carl.get(place).text
    recorded(db.session.scalars(select(PaymentBatch.id)).one())
    taken = []
    for _ in range(2):
        with carl.get(f"{place}/file") as answer:
            taken.append(answer.data)
    assert taken[0] == taken[1] != b""
    assert "Sent by Carl Accountant" in nuria.get(place).text
    assert nuria.get("/finance/batches/new").status_code == 403
