"""The pages of payments and of the ledger, as each person sees them, and the whole circuit by forms alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.core import audit, clock
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.payments import queries, services
from grants.payments.rules import DecisionInput
from tests import actors
from tests.payments.world import IBAN, IN_FORCE, World, report, world

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def grant(app: Flask, client: FlaskClient) -> World:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva):
            person()
        found = world()
        services.open_prefinancing(actors.ana(), found.grant_id)
    return found


def get(app: Flask, actor: Actor, address: str, status: int = 200) -> str:
    answer = actors.client_of(app, actor).get(address)
    assert answer.status_code == status, answer.text
    return answer.text


def send(app: Flask, actor: Actor, address: str, status: int = 303, **fields: object) -> str:
    answer = actors.client_of(app, actor).post(address, data=fields)
    assert answer.status_code == status, answer.text
    return answer.headers["Location"] if status == 303 else answer.text


def test_the_whole_circuit_goes_by_forms_and_every_page_of_it_opens(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"
    assert "If you approve the whole" in get(app, actors.otto(), request)
    assert "210\u00a0000.00" in get(app, actors.otto(), request)

    refused = send(app, actors.otto(), f"{request}/decide", 422, approved="240.000,01", reason="")
    assert "Enter at most that" in refused
    assert "240.000,01" in refused
    send(app, actors.otto(), f"{request}/decide", approved="240.000,00")
    order = send(app, actors.fin(), f"{request}/orders", amount="210000")
    assert order.startswith("/finance/orders/PCP-")
    assert "You are the initiator" not in get(app, actors.vera(), order)
    send(app, actors.vera(), f"{order}/verify", note="Agreement and account compared")
    send(app, actors.otto(), f"{order}/authorise")
    inbox = get(app, actors.carl(), "/finance/approvals")
    assert "Export as a list" in inbox
    reference = order.rsplit("/", 1)[1]
    wrong = send(app, actors.carl(), "/finance/approvals/export", 422, orders=reference, control_total="210 000,01")
    assert "The orders ticked sum to EUR 210\u00a0000.00" in wrong
    batch = send(app, actors.carl(), "/finance/approvals/export", orders=reference, control_total="210 000,00")
    assert "is being made" in get(app, actors.carl(), batch)
    get(app, actors.carl(), f"{batch}/list.xlsx", 422)
    day = clock.long_date(clock.in_zone(clock.now()).date())
    assert "The list left on" in send(app, actors.carl(), f"{order}/execute", 422, value_on="1 May 2023")
    send(app, actors.carl(), f"{order}/execute", value_on=day)

    shown = get(app, actors.nuria(), order)
    assert "Executed" in shown and IBAN not in shown and "BE68 •••• 7034" in shown
    assert "Nothing is on its way" in get(app, actors.nuria(), "/finance/approvals")
    audit.seal_pending()
    whole = get(app, actors.nuria(), "/finance/ledger")
    assert "Pre-financing authorised" in whole
    bank = get(app, actors.nuria(), "/finance/ledger?account=1000&grant=PCP-2022-G-0001")
    assert "\u2212210\u00a0000.00" in bank
    entry = bank.split("/finance/entries/")[1].split('"')[0]
    page = get(app, actors.nuria(), f"/finance/entries/{entry}")
    assert "Carl Accountant marked the order as executed" in page and "of the audit chain" in page
    csv = get(app, actors.nuria(), "/finance/ledger.csv?account=1000")
    assert csv.splitlines()[0].endswith("entry,date,event,what,grant,amount_eur,moved_eur,balance_eur")
    assert "-210000.00" in csv


def test_the_city_sees_its_payments_and_no_names_of_the_circuit(app: Flask, grant: World) -> None:
    shown = get(app, actors.ana(), "/grants/PCP-2022-G-0001/payments")

    assert "Waits for the decision" in shown and "/finance/" not in shown.split("<main", 1)[1].split("</main>", 1)[0]
    get(app, actors.ana(), "/finance/approvals", 403)
    get(app, actors.ana(), "/finance/ledger", 403)
    get(app, actors.eva(), "/grants/PCP-2022-G-0001/payments", 403)


def test_an_interim_request_shows_what_the_ceiling_leaves(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        asked = services.open_for_report(actors.pia(), report(grant, 1, euros(600_000)))
    assert asked is not None

    shown = get(app, actors.otto(), "/finance/requests/PCP-2022-G-0001-2")
    assert "Above the ceiling: waits for the balance" in shown and "540\u00a0000.00" in shown
    services.decide(actors.otto(), asked.id, DecisionInput(euros(600_000)))
    page = get(app, actors.ana(), "/grants/PCP-2022-G-0001/payments")
    assert "above the ceiling, waits for the balance" in page and "60\u00a0000.00" in page


def test_a_rejection_needs_its_reason_and_keeps_what_was_typed(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"
    assert "Say why." in send(app, actors.otto(), f"{request}/reject", 422, reason=" ")
    send(app, actors.otto(), f"{request}/reject", reason="The guarantee is missing.")

    assert "The guarantee is missing." in get(app, actors.ana(), "/grants/PCP-2022-G-0001/payments")


def test_whoever_was_second_is_told_who_was_first_and_keeps_the_note(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria()).rows)
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    made = services.prepare(actors.fin(), request_id)
    order = f"/finance/orders/{made.reference}"
    second = actors.actor(actors.person("Vito Verifier", actors.Role.FINANCE_VERIFIER))
    send(app, actors.vera(), f"{order}/verify", version="1")

    shown = send(app, second, f"{order}/verify", 409, version="1", note="Compared with the <annex>", act_key="old-key")

    assert "Somebody changed this order while you were working" in shown
    assert f"The last signature: {actors.vera().name} verified it on" in shown
    assert "Compared with the &lt;annex&gt;" in shown and "old-key" not in shown


def test_a_stale_decision_comes_back_with_its_text_and_goes_through_again(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"

    shown = send(app, actors.otto(), f"{request}/reject", 409, version="99", reason="No guarantee.", act_key="old-key")

    assert "Somebody changed this request" in shown and ">\r\nNo guarantee.</textarea>" in shown
    assert 'name="version" value="1"' in shown and "old-key" not in shown


def test_every_field_of_an_order_has_an_id_of_its_own(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria()).rows)
    for address in ("/finance/requests/PCP-2022-G-0001-1", ""):
        if not address:
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
            address = f"/finance/orders/{services.prepare(actors.fin(), request_id).reference}"
        person = actors.otto() if "requests" in address else actors.fin()
        ids = re.findall(r' id="([^"]+)"', get(app, person, address))
        assert sorted(ids) == sorted(set(ids))


def test_own_items_are_locked_with_the_reason(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria()).rows)
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    both = actors.actor(actors.person("Bo Both", actors.Role.FINANCE_INITIATOR, actors.Role.FINANCE_VERIFIER))
    made = services.prepare(both, request_id)

    shown = get(app, both, f"/finance/orders/{made.reference}")
    assert "This one is not yours" in shown and "the verifier must be somebody else" in shown
    assert "You are the initiator of this order" in get(app, both, "/finance/approvals")
    raw = send(app, both, f"/finance/orders/{made.reference}/verify", 422)
    assert "the verifier must be somebody else" in raw


def test_a_double_click_of_a_form_makes_one_order(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria()).rows)
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    browser = actors.client_of(app, actors.fin())
    data = {"amount": "100", "act_key": "one-form"}

    first = browser.post("/finance/requests/PCP-2022-G-0001-1/orders", data=data)
    again = browser.post("/finance/requests/PCP-2022-G-0001-1/orders", data=data)
    other = browser.post("/finance/requests/PCP-2022-G-0001-1/orders", data={**data, "amount": "200"})

    assert first.headers["Location"] == again.headers["Location"]
    assert other.status_code == 409
    assert queries.count_orders() == 1


@pytest.mark.parametrize(
    "query", ["from=nonsense&to=31.02.2024", "account=9999&event=E99&after=x.y", "grant=PCP-2022-G-9999", "q=%25"]
)
def test_filters_nobody_can_read_do_no_harm(app: Flask, grant: World, query: str) -> None:
    get(app, actors.nuria(), f"/finance/ledger?{query}")


@pytest.mark.parametrize(
    "address",
    [
        "/finance/requests/PCP-2022-G-0001-9",
        "/finance/orders/PCP-2022-P-9999",
        "/finance/batches/PCP-2022-B-0001",
        "/finance/entries/E-2022-9999",
        "/grants/PCP-2022-G-9999/payments",
    ],
)
def test_what_is_not_there_is_not_found(app: Flask, grant: World, address: str) -> None:
    get(app, actors.nuria(), address, 404)
