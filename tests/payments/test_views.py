"""The pages of payments and of the ledger, as each person sees them, and the whole circuit by forms alone."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from grants.agreements.models import Grant, Milestone
from grants.agreements.states import GrantState, MilestoneState
from grants.core import audit, clock, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.money import euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity import queries as identity
from grants.payments import queries, services
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest, Recovery
from grants.payments.rules import DecisionInput
from grants.reporting.states import ReportState
from tests import actors
from tests.payments.world import IBAN, IN_FORCE, SEEN, World, report, world
from tests.worlds import World as Made
from tests.worlds import Worlds

NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)


def asked() -> World:
    with clock.at(IN_FORCE):
        for person in (actors.vera, actors.nuria, actors.pia, actors.eva):
            person()
        found = world()
        services.open_prefinancing(actors.program(), found.grant_id)
    return found


@pytest.fixture(scope="session")
def asked_world(worlds: Worlds) -> Made[World]:
    return worlds.of(asked)


@pytest.fixture
def grant(app: Flask, client: FlaskClient, asked_world: Made[World]) -> World:
    """A grant in force whose pre-financing is requested."""
    return asked_world.told()


def get(app: Flask, actor: Actor, address: str, status: int = 200) -> str:
    answer = actors.client_of(app, actor).get(address)
    assert answer.status_code == status, answer.text
    return answer.text


def send(app: Flask, actor: Actor, address: str, status: int = 303, **fields: object) -> str:
    """The form at this address as somebody sends it who saw what stands now, or the version named."""
    answer = actors.client_of(app, actor).post(address, data={"version": _version(address), **fields})
    assert answer.status_code == status, answer.text
    return answer.headers["Location"] if status == 303 else answer.text


def left(app: Flask, actor: Actor, reference: str, total: str, status: int = 303) -> str:
    """An order is put into a file of its own, which is made and sent by forms; the page of the file."""
    day = {"execution_on": "2 May 2030", "layout": "xlsx"}
    batch = send(app, actor, "/finance/batches/new", orders=reference, **day)
    services.make_batch_file(
        actor, db.session.scalars(select(PaymentBatch.id).where(PaymentBatch.state == "building")).one()
    )
    db.session.rollback()
    version = db.session.scalars(
        select(PaymentBatch.version).where(PaymentBatch.reference == batch.rsplit("/", 1)[1])
    ).one()
    send(app, actor, f"{batch}/send", status, version=version, count=1, control_total=total)
    return batch


def _version(address: str) -> object:
    """The version a page at this address shows of its request, order, recovery or grant."""
    db.session.rollback()
    reference = address.split("/payments/")[-1].split("/")[0] if "/payments/" in address else address.split("/")[-2]
    if "/recovery/" in address:
        return db.session.query(Recovery.version).limit(1).scalar() or ""
    for model in (PaymentRequest, PaymentOrder, Grant):
        version = db.session.query(model.version).filter(model.reference == reference).scalar()
        if version is not None:
            return version
    return ""


def told(shown: str) -> str:
    """What the message about a clash says, without its marks."""
    message = shown.split('<div role="alert">', 1)[1].split("</div>", 1)[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", message)).replace("\u00a0", " ").split()).replace(" .", ".")


def prepared() -> str:
    """The address of an order over the whole pre-financing."""
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria(), Page()).rows.items)
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    return f"/finance/orders/{services.prepare(actors.fin(), request_id).reference}"


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
    send(app, actors.vera(), f"{order}/verify", evidence=list(SEEN), note="Agreement and account compared")
    send(app, actors.otto(), f"{order}/authorise", evidence=list(SEEN))
    inbox = get(app, actors.carl(), "/finance/approvals")
    assert "Build a payment file" in inbox
    reference = order.rsplit("/", 1)[1]
    left(app, actors.carl(), reference, "210 000,00")
    day = clock.long_date(clock.in_zone(clock.now()).date())
    assert "The file left on" in send(app, actors.carl(), f"{order}/execute", 422, value_on="1 May 2023")
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
    assert "Carl Accountant marked payment order PCP-" in page and "of the audit chain" in page
    csv = get(app, actors.nuria(), "/finance/ledger.csv?account=1000")
    head = (
        "entry,date,event,event_name,description,grant,grant_name,account,account_name,amount_eur,moved_eur,balance_eur,"
        "synthetic"
    )
    assert csv.splitlines()[0] == "\ufeff" + head
    assert ",PCP-2022-G-0001,WARM,1000,Bank," in csv
    assert "-210000.00" in csv


def test_the_city_sees_its_payments_and_no_names_of_the_circuit(app: Flask, grant: World) -> None:
    shown = get(app, actors.ana(), "/grants/PCP-2022-G-0001/payments")

    main = shown.split("<main", 1)[1].split("</main>", 1)[0]
    assert "Waits for the decision" in main
    # The statement of its own grant is the one thing of finance a city may ask for.
    assert set(re.findall(r'href="(/finance/[a-z]*)', main)) == {"/finance/statements"}
    get(app, actors.ana(), "/finance/approvals", 403)
    get(app, actors.ana(), "/finance/ledger", 403)
    get(app, actors.eva(), "/grants/PCP-2022-G-0001/payments", 403)


def test_an_interim_request_shows_what_the_ceiling_leaves(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        asked = services.open_for_report(actors.program(), report(grant, 1, euros(600_000)))
    assert asked is not None

    shown = get(app, actors.otto(), "/finance/requests/PCP-2022-G-0001-2")
    assert "Above the ceiling: waits for the balance" in shown and "540\u00a0000.00" in shown
    services.decide(actors.otto(), asked.id, DecisionInput(euros(600_000)))
    page = get(app, actors.ana(), "/grants/PCP-2022-G-0001/payments")
    assert "above the ceiling, waits for the balance" in page and "60\u00a0000.00" in page


def test_a_rejected_report_is_no_evidence_for_what_it_opened(app: Flask, grant: World) -> None:
    with clock.at(NOW):
        rejected = report(grant, 1, euros(0), final=True, state=ReportState.REJECTED)
        services.open_for_report(actors.program(), rejected)
    words = "Report 1, rejected 20 July 2024: the balance is decided without it"

    inbox, asked = (
        get(app, actors.otto(), f"/finance/{page}").replace("\u00a0", " ")
        for page in ("approvals", "requests/PCP-2022-G-0001-2")
    )

    assert words in asked
    assert f'<span class="no">{words}</span>' in inbox
    assert "accepted 20 July" not in inbox + asked


@pytest.mark.usefixtures("short_pages")
def test_the_newest_lists_lead_to_all_of_them_page_by_page(app: Flask, grant: World, monkeypatch: Any) -> None:
    with clock.at(NOW):
        decided = next(row.thing.id for row in queries.inbox(actors.nuria(), Page()).rows.items)
        services.decide(actors.otto(), decided, DecisionInput(euros(240_000)))
        for _ in range(3):
            order_id = services.prepare(actors.fin(), decided, amount=euros(10)).id
            services.verify(actors.vera(), order_id, evidence=SEEN)
            services.authorise(actors.otto(), order_id, evidence=SEEN)
            services.export(actors.carl(), (order_id,), control_total=euros(10))
    monkeypatch.setattr("grants.payments.views.approvals.NEWEST_LISTS", 2)

    inbox = get(app, actors.carl(), "/finance/approvals")
    assert "PCP-2024-B-0003" in inbox and "PCP-2024-B-0001" not in inbox
    assert 'href="/finance/batches"' in inbox and "newest 2" in inbox
    first = get(app, actors.carl(), "/finance/batches?size=2")
    after = unescape(re.search(r'rel="next" href="([^"]*)"', first)[1])  # type: ignore[index]  # it goes on
    last = get(app, actors.carl(), after)
    shown = [re.findall(r">(PCP-2024-B-\d+)</a>", page) for page in (first, last)]
    assert shown == [["PCP-2024-B-0003", "PCP-2024-B-0002"], ["PCP-2024-B-0001"]]
    get(app, actors.carl(), "/finance/batches?after=nonsense")
    get(app, actors.ana(), "/finance/batches", 403)


def test_a_dropped_grant_is_not_spoken_of_as_if_it_lived(app: Flask, grant: World) -> None:
    with arranging():
        db.session.add(
            Milestone(
                grant_id=grant.grant_id,
                number=1,
                title="Roofs",
                criterion="Ten roofs are insulated.",
                due_on=date(2023, 9, 1),
                state=MilestoneState.PLANNED.value,
            )
        )
        for asked in db.session.query(PaymentRequest):
            db.session.delete(asked)
        row = db.session.get_one(Grant, grant.grant_id)
        row.state, row.in_force_at = GrantState.DROPPED.value, None

    paid = get(app, actors.otto(), "/grants/PCP-2022-G-0001/payments")
    assert "nothing of it is due and nothing will be paid" in paid
    assert "<p>never signed</p>" in paid and "<p>as signed</p>" not in paid
    assert re.search(r"Still open</dt><dd>(<[^>]*>)*0\.00", paid)
    assert "dropped before its agreement was signed" in paid and "opens by itself" not in paid
    assert "None of them will be made." in paid
    for page in ("", "/reports", "/milestones/1"):
        shown = get(app, actors.pia(), f"/grants/PCP-2022-G-0001{page}")
        assert "Roofs" in shown and "Late" not in shown and "Reload" not in shown


def test_a_rejection_needs_its_reason_and_keeps_what_was_typed(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"
    assert "Say why." in send(app, actors.otto(), f"{request}/reject", 422, reason=" ")
    send(app, actors.otto(), f"{request}/reject", reason="The guarantee is missing.")

    assert "The guarantee is missing." in get(app, actors.ana(), "/grants/PCP-2022-G-0001/payments")


def test_whoever_was_second_is_told_who_did_what_and_when_and_keeps_the_note(app: Flask, grant: World) -> None:
    with clock.at(IN_FORCE):
        order = prepared()
    second = actors.actor(actors.person("Vito Verifier", actors.Role.FINANCE_VERIFIER))
    with clock.at(NOW):
        send(app, actors.vera(), f"{order}/verify", evidence=list(SEEN), version="1")

    shown = send(
        app,
        second,
        f"{order}/verify",
        409,
        evidence=list(SEEN),
        version="1",
        note="Compared with the <annex>",
        act_key="old-key",
    )

    assert "Somebody changed this order while you were working" in shown
    assert told(shown) == (
        "Error: Somebody changed this order while you were working Vera Verifier verified payment order "
        + order.rsplit("/", 1)[1]
        + " on 1 August 2024, 14:00. "
        "Nothing of yours was done. It is verified; the authorising officer signs next. "
        "Look at what stands now, and send yours again only if it still applies. "
        "You had typed for “Note (optional)”: Compared with the <annex> "
        "All payments on their way · Payments of this grant"
    )
    assert "old-key" not in shown


def test_a_second_tab_of_the_same_person_is_told_that_it_was_done_already(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"
    send(app, actors.otto(), f"{request}/decide", version="1", approved="240 000")

    shown = send(app, actors.otto(), f"{request}/reject", 409, version="1", reason="No guarantee.")

    assert "You decided payment request PCP-2022-G-0001-1 on" in told(shown)
    assert "It is decided; the initiator prepares an order for the EUR 210 000.00 that is in none yet." in told(shown)
    assert "You had typed for “Reason”: No guarantee." in told(shown)


def test_an_order_that_left_meanwhile_is_named_and_nothing_else_leaves_with_it(app: Flask, grant: World) -> None:
    order = prepared()
    send(app, actors.vera(), f"{order}/verify", evidence=list(SEEN))
    send(app, actors.otto(), f"{order}/authorise", evidence=list(SEEN))
    reference = order.rsplit("/", 1)[1]
    second = actors.actor(actors.person("Cleo Cashier", actors.Role.ACCOUNTING_OFFICER))
    left(app, second, reference, "210000")

    shown = send(
        app, actors.carl(), "/finance/batches/new", 409, orders=reference, execution_on="2 May 2030", layout="xlsx"
    )

    assert f"{reference}: Cleo Cashier sent the payment file {reference}" in told(shown)
    assert "It left for the bank" in told(shown) and "Nothing was built" in told(shown)


def test_every_deed_of_the_circuit_says_that_it_is_done_and_what_comes_next(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"
    said = []

    def deed(actor: Actor, address: str, **fields: object) -> str:
        client = actors.client_of(app, actor)
        answer = client.post(address, data={"version": _version(address), **fields})
        assert answer.status_code == 303, answer.text
        flashed = re.search(r'role="status"><p class="strong">([^<]*)<', client.get(answer.headers["Location"]).text)
        assert flashed
        said.append(unescape(flashed[1]).replace("\u00a0", " "))
        return str(answer.headers["Location"])

    deed(actors.otto(), f"{request}/decide", approved="240000")
    order = deed(actors.fin(), f"{request}/orders", amount="210000")
    ref = order.rsplit("/", 1)[1]
    deed(actors.vera(), f"{order}/verify", evidence=list(SEEN))
    deed(actors.otto(), f"{order}/authorise", evidence=list(SEEN))
    left(app, actors.carl(), ref, "210000")
    day = clock.long_date(clock.in_zone(clock.now()).date())
    deed(actors.carl(), f"{order}/execute", value_on=day)

    assert said == [
        "Request PCP-2022-G-0001-1 is decided: approved. The coordinator is told.",
        f"Order {ref} is prepared. It is prepared; the verifier looks at it next.",
        f"Order {ref} verified. It is verified; the authorising officer signs next.",
        f"Order {ref} authorised. It is authorised; the accounting officer puts it into a payment file next.",
        f"Order {ref} executed on {day}.",
    ]


def test_the_form_that_closes_a_grant_does_not_open_where_it_is_closed(app: Flask, grant: World) -> None:
    with arranging():
        row = db.session.get_one(Grant, grant.grant_id)
        row.state, row.closed_at = GrantState.CLOSED.value, NOW

    page = get(app, actors.otto(), "/grants/PCP-2022-G-0001/close")

    assert "This grant is closed already" in page and "<textarea" not in page
    shown = send(app, actors.otto(), "/grants/PCP-2022-G-0001/close", 409, version="1", note="All looked at.")
    assert "You had typed for “What was looked at”: All looked at." in told(shown) and "closed already" in told(shown)


def test_what_stands_against_closing_is_said_before_anybody_types(app: Flask, grant: World) -> None:
    page = get(app, actors.otto(), "/grants/PCP-2022-G-0001/close")

    # A deed that would be refused has no button.
    assert "The payment of the balance is not decided yet." in page and "<textarea" not in page


def test_a_request_says_why_it_is_due_when_it_is_and_how_many_days_are_left(app: Flask, grant: World) -> None:
    with clock.at(datetime(2023, 5, 30, 12, tzinfo=UTC)):
        page = get(app, actors.otto(), "/finance/requests/PCP-2022-G-0001-1")

    assert "1 June 2023, in 2 days" in page
    assert (
        "30 days after the agreement came into force on 2 May 2023, or 10 days before the start on 1 June 2023 where that is "
        "later; time limits of the call as the agreement took them over on 1 April 2023" in page
    )


def test_a_stale_decision_comes_back_with_its_text_and_goes_through_again(app: Flask, grant: World) -> None:
    request = "/finance/requests/PCP-2022-G-0001-1"

    shown = send(app, actors.otto(), f"{request}/reject", 409, version="99", reason="No guarantee.", act_key="old-key")

    assert "Somebody changed this request" in shown and ">\r\nNo guarantee.</textarea>" in shown
    assert 'name="version" value="1"' in shown and "old-key" not in shown


def test_every_field_of_an_order_has_an_id_of_its_own(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria(), Page()).rows.items)
    for address in ("/finance/requests/PCP-2022-G-0001-1", ""):
        if not address:
            services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
            address = f"/finance/orders/{services.prepare(actors.fin(), request_id).reference}"
        person = actors.otto() if "requests" in address else actors.fin()
        ids = re.findall(r' id="([^"]+)"', get(app, person, address))
        assert sorted(ids) == sorted(set(ids))


def test_own_items_are_locked_with_the_reason(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria(), Page()).rows.items)
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    both = actors.actor(actors.person("Bo Both", actors.Role.FINANCE_INITIATOR, actors.Role.FINANCE_VERIFIER))
    made = services.prepare(both, request_id)

    shown = get(app, both, f"/finance/orders/{made.reference}")
    assert "This one is not yours" in shown and "the verifier must be somebody else" in shown
    assert "You are the initiator of this order" in get(app, both, "/finance/approvals")
    raw = send(app, both, f"/finance/orders/{made.reference}/verify", 422, evidence=list(SEEN))
    assert "the verifier must be somebody else" in raw


def test_a_double_click_of_a_form_makes_one_order(app: Flask, grant: World) -> None:
    request_id = next(row.thing.id for row in queries.inbox(actors.nuria(), Page()).rows.items)
    services.decide(actors.otto(), request_id, DecisionInput(euros(240_000)))
    browser = actors.client_of(app, actors.fin())
    data = {"amount": "100", "act_key": "one-form", "version": _version("/finance/requests/PCP-2022-G-0001-1/orders")}

    first = browser.post("/finance/requests/PCP-2022-G-0001-1/orders", data=data)
    again = browser.post("/finance/requests/PCP-2022-G-0001-1/orders", data=data)
    other = browser.post("/finance/requests/PCP-2022-G-0001-1/orders", data={**data, "amount": "200"})

    assert first.headers["Location"] == again.headers["Location"]
    assert other.status_code == 409
    assert db.session.scalar(select(func.count(PaymentOrder.id))) == 1


@pytest.mark.parametrize(
    ("query", "unread"),
    [
        ("from=nonsense&to=31.02.2024", ["from", "to"]),
        ("account=9999&event=E99&after=x.y", ["account", "event"]),
        ("grant=PCP-2022-G-9999", ["grant"]),
        ("q=%25", []),
    ],
)
def test_filters_nobody_can_read_are_named_on_the_page_and_in_the_file(
    app: Flask, grant: World, query: str, unread: list[str]
) -> None:
    shown = get(app, actors.nuria(), f"/finance/ledger?{query}")

    assert re.findall('<p class="govuk-error-message" id="([a-z]+)-error">', shown) == unread
    assert ("No entries are shown" in shown) == bool(unread)
    if "event" in unread:
        assert (
            "There is no account “9999”. There are: B000 " in shown
            and "There is no event “E99”. There are: E1 " in shown
        )
    file = actors.client_of(app, actors.nuria()).get(f"/finance/ledger.csv?{query}")
    assert file.status_code == (422 if unread else 200)


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


def test_the_ledger_says_when_the_books_were_checked_and_how_it_ended(app: Flask, grant: World) -> None:
    assert "the first check is still to come" in get(app, actors.nuria(), "/finance/ledger")
    night = system_actor("the schedule", [Permission.JOB_RETRY])
    jobs.plan(night, ("jobs.checks.ledger",), "night 1")
    jobs.work_off(actor_of=identity.actor_for)

    assert "every entry balances" in get(app, actors.nuria(), "/finance/ledger")

    with arranging():
        db.session.get_one(Grant, grant.grant_id).maximum = euros(600_001)
    jobs.plan(night, ("jobs.checks.ledger",), "night 2")
    with contextlib.suppress(Refused):
        jobs.work_off(actor_of=identity.actor_for)
    assert "something is wrong" in get(app, actors.fin(), "/finance/ledger")
    fault = "I4: open and consumed commitment"
    assert fault not in get(app, actors.fin(), "/finance/ledger")
    assert fault in get(app, actors.nuria(), "/finance/ledger")


def test_histories_are_linked_where_the_reader_may_open_them(app: Flask, grant: World) -> None:
    order = prepared()

    assert f'href="{order}/history"' in get(app, actors.fin(), order)
    get(app, actors.fin(), f"{order}/history")
    for person in (actors.fin(), actors.ana()):
        assert f'href="/grants/{grant.reference}/history"' in get(app, person, f"/grants/{grant.reference}")
        get(app, person, f"/grants/{grant.reference}/history")
