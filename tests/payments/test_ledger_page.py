"""The page of the ledger: each filter of its address, what was known then, and an entry with its documents and people."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import event

from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.money import euros
from grants.identity.models import AccessBar
from grants.payments import services
from grants.payments.models import PaymentOrder
from grants.payments.rules import DecisionInput
from tests import actors
from tests.payments.conftest import in_force
from tests.payments.test_views import get as read
from tests.payments.world import SEEN, World, report
from tests.worlds import World as Made
from tests.worlds import Worlds

DECIDED = datetime(2024, 8, 1, 12, tzinfo=UTC)
PAID = datetime(2024, 8, 5, 12, tzinfo=UTC)
ACCEPTED = datetime(2024, 9, 2, 12, tzinfo=UTC)


def paid() -> tuple[World, str, str]:
    """The pre-financing paid, and an interim payment decided: the grant, its order, its report."""
    made = in_force()
    with clock.at(DECIDED):
        asked = services.open_prefinancing(actors.program(), made.grant_id)
        assert asked is not None
        services.decide(actors.otto(), asked.id, DecisionInput(euros(240_000)))
        order_id = services.prepare(actors.fin(), asked.id, amount=None).id
        services.verify(actors.vera(), order_id, evidence=SEEN)
        services.authorise(actors.otto(), order_id, evidence=SEEN)
        services.export(actors.carl(), (order_id,), control_total=get(PaymentOrder, order_id).amount)
    with clock.at(PAID):
        services.execute(actors.carl(), order_id, value_on=PAID.date())
    with clock.at(ACCEPTED):
        again = services.open_for_report(actors.program(), report(made, 1, euros(300_000)))
        assert again is not None
        services.decide(actors.otto(), again.id, DecisionInput(again and euros(300_000)))
    reference = get(PaymentOrder, order_id).reference
    db.session.rollback()
    return made, reference, "PCP-2022-R-0001"


@pytest.fixture(scope="session")
def paid_world(worlds: Worlds) -> Made[tuple[World, str, str]]:
    return worlds.of(paid)


@pytest.fixture
def scene(app: Flask, paid_world: Made[tuple[World, str, str]]) -> tuple[World, str, str]:
    return paid_world.told()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 9),
        ("fund=101036519", 9),
        ("fund=netzerocities", 9),
        ("call=PCP-2022-C-0001", 9),
        ("call=invented-call&account=B000", 1),
        ("grant=PCP-2022-G-0001", 6),
        ("partner=energy", 6),
        ("partner=energy&account=B400", 1),
        ("document=PCP-2022-G-0001-1", 1),
        ("document=PCP-2022-R-0001", 0),
        ("event=E7&event=E8", 2),
        ("event=E7", 1),
        ("known=2024-08-01", 6),
        ("known=2024-08-05T12:00:00Z", 6),
        ("known=2024-08-05T14:00:01%2B02:00", 8),
        ("category=A", 0),
        ("period=2024", 0),
        ("account=1000&to=2024-08-04", 0),
    ],
)
def test_each_filter_narrows_the_list_and_its_count(
    app: Flask, scene: tuple[World, str, str], query: str, count: int
) -> None:
    page = read(app, actors.nuria(), f"/finance/ledger?{query}")

    assert len(re.findall(r'data-label="What">', page)) == count
    assert (f"{count} of {count} shown" in page) == (count > 0), re.findall(r"\d+ of \d+ shown", page)


def test_a_running_balance_is_the_one_that_was_known_then(app: Flask, scene: tuple[World, str, str]) -> None:
    asked = "/finance/ledger?account=B310&call=PCP-2022-C-0001"
    now = read(app, actors.nuria(), asked)
    then = read(app, actors.nuria(), f"{asked}&known=2024-08-02")

    assert re.findall(r'data-label="Balance, EUR">([^<]+)<', now) == ["390\u00a0000.00", "600\u00a0000.00"]
    assert re.findall(r'data-label="Balance, EUR">([^<]+)<', then) == ["600\u00a0000.00"]
    assert "As the books were known before" in then and "Europe/Brussels" in then


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("fund", "NONE", "There is no parent grant “NONE” here"),
        ("call", "PCP-2022-C-0099", "There is no call “PCP-2022-C-0099” here"),
        ("grant", "PCP-2022-G-0099", "There is no grant “PCP-2022-G-0099” here"),
        ("partner", "Atlantis", "No partner is called “Atlantis”"),
        ("document", "PCP-2022-P-9999", "No document is called “PCP-2022-P-9999”"),
        ("known", "yesterday", "day"),
        ("event", "E99", "There is no event “E99”"),
    ],
)
def test_what_a_filter_does_not_find_is_said_beside_its_field_and_of_the_file(
    app: Flask, scene: tuple[World, str, str], name: str, typed: str, said: str
) -> None:
    page = read(app, actors.nuria(), f"/finance/ledger?{name}={typed}")

    assert re.findall('<p class="govuk-error-message" id="([a-z]+)-error">', page) == [name]
    message = page.split(f'id="{name}-error">', 1)[1].split("</p>", 1)[0]
    assert said in message
    # The field that is wrong is not shut away, and is told what is said of it.
    assert "<details" not in page or '<details class="pg-more" open>' in page or name == "grant"
    assert "No entries are shown" in page
    for kind in ("csv", "xlsx"):
        assert actors.client_of(app, actors.nuria()).get(f"/finance/ledger.{kind}?{name}={typed}").status_code == 422


def test_a_conflict_hides_documents_and_calls_from_the_filters(app: Flask, scene: tuple[World, str, str]) -> None:
    made, order, _ = scene
    with arranging():
        db.session.add(
            AccessBar(
                user_id=actors.nuria().user_id,
                kind="application",
                object_id=made.application_id,
                starts_at=PAID,
            )
        )

    for query in (f"document={order}", "document=PCP-2022-G-0001-1", "grant=PCP-2022-G-0001"):
        page = read(app, actors.nuria(), f"/finance/ledger?{query}")
        assert "No document is called" in page or "There is no grant" in page


def entry_of(app: Flask, query: str) -> str:
    page = read(app, actors.nuria(), f"/finance/ledger?{query}")
    (ref,) = re.findall(r'<th scope="row"[^>]*><a[^>]*href="(/finance/entries/[^"]+)"', page)
    return read(app, actors.nuria(), ref)


def test_an_entry_of_the_bank_names_every_document_and_everybody_behind_it(
    app: Flask, scene: tuple[World, str, str]
) -> None:
    _, order, _ = scene
    page = entry_of(app, "event=E8")

    for address in (f"/finance/orders/{order}", "/finance/requests/PCP-2022-G-0001-1", "/finance/batches/PCP-"):
        assert f'href="{address}' in page
    who = " ".join(re.sub("<[^>]+>", " ", page.split("Who and when", 1)[1].split("Seal", 1)[0]).split())
    told = [
        "Fin Initiator entered the payee&#39;s account ending in 7034 2 May 2023",
        "Carl Accountant confirmed the payee&#39;s account ending in 7034 2 May 2023",
        "decided request PCP-2022-G-0001-1 1 August 2024",
        f"prepared order {order} 1 August 2024",
        f"verified order {order} 1 August 2024",
        f"authorised order {order} 1 August 2024",
        "Carl Accountant sent payment file PCP-",
        f"marked order {order} as executed, value date 5 August 2024",
    ]
    places = [who.find(each) for each in told]
    assert -1 not in places, (told[places.index(-1)], who)
    assert places[:2] == sorted(places[:2])


def test_an_entry_of_a_report_names_the_report_and_who_accepted_it(app: Flask, scene: tuple[World, str, str]) -> None:
    page = entry_of(app, "account=5000")

    assert 'href="/reports/PCP-2022-R-0001"' in page
    assert "accepted report PCP-2022-R-0001" in page and "20 July 2024" in page


def test_entries_before_the_signature_name_application_or_call(app: Flask, scene: tuple[World, str, str]) -> None:
    """What no leg names is not made up: an entry without a document has no list of them."""
    assert "Documents</h2>" not in entry_of(app, "event=E1")


@pytest.mark.parametrize(
    "address",
    [
        "/finance/ledger",
        "/finance/ledger?account=1000&call=PCP-2022-C-0001&fund=101036519&partner=north&document=PCP-2022-G-0001-1&known=2030-01-01",
        "entry",
    ],
)
def test_the_pages_take_eight_statements_at_most(app: Flask, scene: tuple[World, str, str], address: str) -> None:
    if address == "entry":
        page = read(app, actors.nuria(), "/finance/ledger?event=E8")
        address = re.findall(r'href="(/finance/entries/[^"]+)"', page)[0]
    client = actors.client_of(app, actors.nuria())
    client.get(address)
    told: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        told.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get(address).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert 0 < len(told) <= 8, told
