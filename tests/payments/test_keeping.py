"""The closing checklist, recipients to publish, legal holds and the clock of records."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.agreements.models import Beneficiary, Grant
from grants.applications import services as applications
from grants.awards.models import AwardWithheld
from grants.awards.states import WithheldGround
from grants.core import clock, file_store, files, legal_holds
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.money import ZERO, Money, euros
from grants.core.paging import Page, Tally
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity.models import Organisation, OrganisationFact
from grants.identity.policy import Role
from grants.identity.states import FactKind
from grants.ledger import rules as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances
from grants.payments import queries, services
from grants.payments.models import PaymentOrder
from grants.payments.rules import DecisionInput
from grants.payments.rules.closing import HELD, ClosingState, held_line, problems_of
from grants.payments.rules.retaining import HoldInput, retained
from grants.programmes.models import FundSource
from grants.programmes.rules import Keeping
from grants.reporting.states import ReportState
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories import identity as people
from tests.html import check_page
from tests.payments.test_services import decided, pay
from tests.payments.test_settling import request_of
from tests.payments.world import World, report
from tests.shut import shuts
from tests.statements import statements

HELD_BECAUSE = "The auditors of the parent grant look at it."
PROGRAM = system_actor("the program", (Permission.APPLICATION_READ,))


# --- the checklist --------------------------------------------------------------------------------------------------


def test_every_account_that_holds_a_closure_up_stands_on_the_checklist() -> None:
    # What is held for partners stands on a line of its own, partner by partner.
    full = Balances({account: euros(1) for account in Account if account is not Account.HELD_BY_COORDINATOR})
    named = {account for held in HELD for account in held.accounts}

    assert {problem.message for problem in ledger.closure_problems("Ledger", full)} == {
        message for held in HELD for message in [held_line(held, full, "G").words] for message in _sentences(message)
    }
    assert named <= set(Account)


def _sentences(words: str) -> list[str]:
    return [
        f"{each.strip()} Settle it before the closure."
        for each in words.split("Settle it before the closure.")
        if each.strip()
    ]


@given(st.sets(st.sampled_from([account for held in HELD for account in held.accounts])))
def test_a_line_is_open_exactly_where_one_of_its_accounts_holds_money(holding: set[Account]) -> None:
    stands = Balances({account: euros(5) for account in holding})
    lines = [held_line(held, stands, "PCP-2022-G-0001") for held in HELD]

    for held, line in zip(HELD, lines, strict=True):
        assert (line.state is ClosingState.OPEN) == bool(holding & set(held.accounts))
    assert bool(problems_of(lines)) == bool(holding)


def test_each_line_says_what_it_waits_for_and_the_city_reads_the_shorter_list(app: Flask, grant: World) -> None:
    pay(decided(grant))
    lead = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", grant.application_id)
    staff = actors.client_of(app, actors.otto())

    with statements() as asked:
        answer = staff.get(f"/grants/{grant.reference}/closing")
    whole = text_of(answer)
    city_answer = actors.client_of(app, lead).get(f"/grants/{grant.reference}/closing")
    city = text_of(city_answer)

    check_page(answer)
    check_page(city_answer)
    assert len(asked) <= 10, asked
    for page in (whole, city):
        assert "The payment of the balance is not decided yet." in page
        assert "still holds EUR 240 000.00" in page
        assert "The coordinator still holds EUR 70 000.00 for Energy Agency of Northbridge." in page
    assert "No payment came back and waits to be issued again." in whole
    assert "No payment came back" not in city and "Unidentified" not in city
    assert "Nothing may be deleted: the grant is not closed." in whole
    assert "Keep what these accounts rest on: 5 years after the final payment of the parent grant" in city
    assert "/finance/ledger?grant=" in answer.get_data(as_text=True)
    assert "/finance/ledger" not in city_answer.get_data(as_text=True)


def test_a_closure_with_an_open_line_is_refused_in_its_words_and_its_page_shows_the_list(
    app: Flask, grant: World
) -> None:
    order_id = services.prepare(actors.fin(), decided(grant)).id
    reference = db.session.scalars(select(PaymentOrder.reference).where(PaymentOrder.id == order_id)).one()

    with pytest.raises(Problems) as refusal:
        services.close_grant(actors.otto(), grant.grant_id, note="Looked at.")
    page = actors.client_of(app, actors.otto()).get(f"/grants/{grant.reference}/close")

    said = {problem.place: problem.message for problem in refusal.value.found}
    assert said["Orders"] == f"1 payment order is on the way to the bank: {reference}."
    assert "neither paid, cleared, rejected nor cancelled yet" in said["Requests"]
    check_page(page)
    assert f"1 payment order is on the way to the bank: {reference}." in text_of(page)


def test_a_closed_grant_shows_the_list_it_was_closed_with(app: Flask, grant: World) -> None:
    report(grant, 1, euros(0), state=ReportState.REJECTED)
    final = report(grant, 2, euros(0), final=True, state=ReportState.REJECTED)
    services.open_for_report(actors.program(), final)
    balance = request_of(final)
    assert balance is not None
    services.decide(actors.otto(), balance.id, DecisionInput(euros(0)))
    otto = actors.client_of(app, actors.otto())
    assert "Nothing on this list waits any more." in text_of(otto.get(f"/grants/{grant.reference}/closing"))

    services.close_grant(actors.otto(), grant.grant_id, note="Nothing was accepted.")

    found = queries.closing_page(actors.otto(), grant.reference)
    assert (found.closed_by, found.note, found.open) == ("Otto Authoriser", "Nothing was accepted.", ())
    assert [each.words for each in found.lines if each.label == "Balance"] == ["The final amount is EUR 0.00."]
    shown = text_of(otto.get(f"/grants/{grant.reference}/closing"))
    assert "The list is kept as it stood then." in shown and "Nothing was accepted." in shown
    lead = actors.give(actors.ana().user_id, Role.APPLICATION_LEAD, "application", grant.application_id)
    assert "Nothing was accepted." not in text_of(actors.client_of(app, lead).get(f"/grants/{grant.reference}/closing"))


# --- recipients -----------------------------------------------------------------------------------------------------


def _natural(organisation_id: UUID, region: str) -> None:
    with arranging():
        db.session.add(
            OrganisationFact(
                organisation_id=organisation_id, number=900, kind=FactKind.NUTS2.value, value=region, source="Typed",
                person_id=actors.ingrid().user_id,
            )
        )  # fmt: skip


def test_recipients_of_a_year_are_published_with_purpose_amount_and_place(app: Flask, grant: World) -> None:
    with arranging():
        get(Organisation, grant.city_id).town = "Northbridge"
    _natural(grant.agency_id, "PL81")
    reader = actors.client_of(app, actors.carl())

    with statements() as asked:
        answer = reader.get("/finance/recipients?year=2023")
    shown = text_of(answer)
    rows = list(
        csv.DictReader(
            io.StringIO(reader.get("/finance/recipients.csv?year=2023").get_data(as_text=True).lstrip("\ufeff"))
        )
    )

    check_page(answer)
    assert len(asked) <= 8, asked
    assert "2 recipients, together 600 000.00 EUR" in shown
    assert [(row["role"], row["amount_eur"], row["place"]) for row in rows] == [
        ("Coordinator", "400000.00", "Northbridge"),
        ("Partner", "200000.00", "PL81"),
    ]
    assert {(row["year"], row["grant"], row["purpose"]) for row in rows} == {
        ("2023", grant.reference, rows[0]["purpose"])
    }
    assert reader.get("/finance/recipients.xlsx?year=2023").get_data()[:2] == b"PK"
    assert "No recipients." in text_of(reader.get("/finance/recipients?year=2019"))
    assert "is no year" in text_of(reader.get("/finance/recipients?year=soon"))


def test_a_partner_that_receives_nothing_is_no_recipient(grant: World) -> None:
    with arranging():
        db.session.query(Beneficiary).filter_by(organisation_id=grant.agency_id).one().maximum = ZERO
    found = queries.recipients(actors.carl(), Page(), year=2023)
    assert ([each.amount for each in found.rows.items], found.rows.total, found.total) == (
        [euros(400_000)],
        Tally.of(1),
        euros(400_000),
    )


def test_a_withheld_award_stands_without_name_purpose_and_place(app: Flask, grant: World) -> None:
    with arranging():
        db.session.add(
            AwardWithheld(
                application_id=grant.application_id,
                ground=WithheldGround.RIGHTS.value,
                reason="A shelter.",
                withheld_by=actors.ingrid().user_id,
                withheld_at=clock.now(),
                confirm_by=clock.now() + timedelta(days=5),
            )
        )
    found = queries.recipients(actors.carl(), Page(), year=2023)
    file = actors.client_of(app, actors.carl()).get("/finance/recipients.csv?year=2023").get_data(as_text=True)

    assert [(each.name, each.purpose, each.place, each.grant, each.amount) for each in found.rows.items] == [
        ("Withheld", "", "", "", euros(400_000)),
        ("Withheld", "", "", "", euros(200_000)),
    ]
    assert str(found.withheld) == "2"
    assert "Northbridge" not in file and grant.reference not in file and "A shelter" not in file
    assert "It would threaten the rights or the safety of people" in file


def test_a_page_of_recipients_goes_on_where_the_last_one_ended(grant: World) -> None:
    first = queries.recipients(actors.carl(), Page(size=1), year=2023)
    second = queries.recipients(actors.carl(), Page(size=1, after=first.rows.next_key), year=2023)

    assert [each.role for each in (*first.rows.items, *second.rows.items)] == ["Coordinator", "Partner"]
    assert second.rows.next_key is None


# --- legal holds ----------------------------------------------------------------------------------------------------


def _held(grant: World) -> int:
    return services.set_hold(actors.otto(), HoldInput(grant.reference, HELD_BECAUSE))


def _id_of(number: int) -> UUID:
    return db.session.scalars(select(legal_holds.LegalHold.id).where(legal_holds.LegalHold.number == number)).one()


def test_a_hold_is_set_by_one_and_lifted_by_another_person_with_the_reason(grant: World) -> None:
    number = _held(grant)
    hold_id = _id_of(number)

    with pytest.raises(Conflict, match="stands on this already"):
        _held(grant)
    with pytest.raises(Refused, match="somebody else lifts it"):
        services.lift_legal_hold(actors.otto(), hold_id, reason="Done.")
    with pytest.raises(Invalid, match="reason"):
        services.lift_legal_hold(actors.ingrid(), hold_id, reason=" ")
    services.lift_legal_hold(actors.ingrid(), hold_id, reason="The audit is over.")
    with pytest.raises(Conflict, match="lifted this hold"):
        services.lift_legal_hold(actors.ingrid(), hold_id, reason="Again.")

    found = queries.hold(actors.carl(), number)
    assert (found.stands, found.set_by_id, found.lift_reason) == (False, actors.otto().user_id, "The audit is over.")
    assert _held(grant) == number + 1


@pytest.mark.parametrize("who", [actors.fin, actors.carl, actors.nuria, actors.pia])
def test_nobody_else_sets_or_lifts_a_hold(grant: World, who: Callable[[], Actor]) -> None:
    hold_id = _id_of(_held(grant))

    with pytest.raises(NotAllowed):
        services.set_hold(who(), HoldInput(grant.reference, HELD_BECAUSE))
    with pytest.raises(NotAllowed):
        services.lift_legal_hold(who(), hold_id, reason="Why not.")


def test_a_hold_on_nothing_is_refused_and_keeps_what_was_typed(app: Flask, grant: World) -> None:
    with pytest.raises(NotFound):
        services.set_hold(actors.otto(), HoldInput("PCP-1999-G-0001", HELD_BECAUSE))
    client = actors.client_of(app, actors.otto())

    answer = send(
        client, "/finance/retention/holds", page="/finance/retention", reference="PCP-1999-G-0001", reason=HELD_BECAUSE
    )

    assert answer.status_code == 422
    check_page(answer)
    assert "There is no call or grant" in text_of(answer)
    assert HELD_BECAUSE in text_of(answer)


def test_a_hold_is_set_by_its_page_on_a_call_with_all_its_grants(app: Flask, grant: World) -> None:
    otto = actors.client_of(app, actors.otto())

    sent = send(
        *(otto, "/finance/retention/holds"), page="/finance/retention", reference="pcp-2022-c-0001", reason=HELD_BECAUSE
    )
    with statements() as asked:
        answer = otto.get("/finance/retention")

    assert sent.status_code == 303
    check_page(answer)
    assert len(asked) <= 8, asked
    assert "You set it; somebody else lifts it." in text_of(answer)
    assert "No day yet: a legal hold stands." in text_of(answer)


def test_a_hold_is_lifted_by_its_page(app: Flask, grant: World) -> None:
    address = f"/finance/retention/holds/{_held(grant)}/lift"
    ingrid = actors.client_of(app, actors.ingrid())

    assert send(ingrid, address, reason=" ").status_code == 422
    assert send(ingrid, address, reason="The audit is over.").status_code == 303
    assert "The audit is over." in text_of(ingrid.get("/finance/retention"))
    assert "lifted it on" in text_of(ingrid.get(address))
    assert ingrid.get("/finance/retention/holds/999/lift").status_code == 404


def test_while_a_hold_stands_neither_bytes_nor_lists_go(grant: World) -> None:
    lost = file_store.place_of("ab" * 32)
    lost.parent.mkdir(parents=True, exist_ok=True)
    lost.write_bytes(b"nobody names this")
    long_ago = time.time() - 10 * 86_400
    os.utime(lost, (long_ago, long_ago))
    hold_id = _id_of(_held(grant))

    files.sweep_orphans()
    assert lost.exists()
    assert applications.remove_old_list_files(PROGRAM) == 0

    services.lift_legal_hold(actors.ingrid(), hold_id, reason="The audit is over.")
    files.sweep_orphans()
    assert not lost.exists()


@shuts("payments.closing", "payments.lift_legal_hold")
def test_the_checklist_and_the_holds_of_a_grant_are_shut_to_who_is_in_conflict(app: Flask, grant: World) -> None:
    number = _held(grant)
    places = (f"/grants/{grant.reference}/closing", f"/finance/retention/holds/{number}/lift")
    ingrid = actors.ingrid()
    assert [actors.client_of(app, ingrid).get(each).status_code for each in places] == [200, 200]

    with arranging():
        people.bar(ingrid.user_id, "application", grant.application_id)
    barred = actors.client_of(app, actors.ingrid())

    assert [barred.get(each).status_code for each in places] == [404, 404]
    for list_of_all in ("/finance/retention", "/finance/recipients?year=2023"):
        assert grant.reference not in text_of(barred.get(list_of_all))
    assert HELD_BECAUSE not in text_of(barred.get("/finance/retention"))


# --- the clock of records -------------------------------------------------------------------------------------------


def test_records_of_a_closed_grant_are_kept_from_the_final_payment_of_the_parent_grant(grant: World) -> None:
    def words() -> str:
        (line,) = queries.retention(actors.carl(), Page()).grants.items
        return line.retained.words

    assert words() == "Nothing may be deleted: the grant is not closed."
    with arranging():
        row = get(Grant, grant.grant_id)
        row.state, row.closed_at, row.final_amount = "closed", clock.now(), euros(60_000)
    assert words() == "Nothing may be deleted: the day of the final payment of the parent grant is not known."
    with arranging():
        db.session.scalars(select(FundSource)).one().final_paid_on = date(2024, 2, 29)
    # A grant of 60 000 in the end is a small one.
    assert words().startswith("Records are kept until 28 February 2027.")
    hold_id = _id_of(_held(grant))
    assert words() == "Nothing may be deleted: a legal hold stands."
    services.lift_legal_hold(actors.ingrid(), hold_id, reason="The audit is over.")
    assert words().startswith("Records are kept until")


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=4),
    st.integers(0, 30),
)
def test_the_clock_rests_once_for_each_day_on_which_a_hold_stood(holds: list[tuple[int, int]], years: int) -> None:
    begun = date(2026, 3, 31)
    held = [(begun + timedelta(days=first), begun + timedelta(days=first + days)) for first, days in holds]
    days = {begun + timedelta(days=first + each) for first, number in holds for each in range(number)}
    keeping = Keeping(begun, years=years)

    plain = retained(keeping, Money(600_000_00), closed=True, owes=False).until
    found = retained(keeping, Money(600_000_00), closed=True, owes=False, held=held).until

    assert plain is not None and found is not None
    assert (found - plain).days == len(days)


def test_what_may_still_be_recovered_or_held_has_no_day() -> None:
    keeping = Keeping(date(2026, 3, 31))

    assert retained(keeping, euros(1), closed=True, owes=True).until is None
    assert retained(keeping, euros(1), closed=True, owes=False, held=[(date(2026, 1, 1), None)]).until is None
