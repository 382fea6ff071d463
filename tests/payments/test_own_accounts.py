"""The programme's own accounts: two people for each, written once, and on pages whoever reads payments sees."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.identity.policy import Role
from grants.payments import queries, services
from grants.payments.models import OwnAccount
from grants.payments.rules.own_accounts import OwnAccountInput
from grants.payments.services.own_accounts import paying_account
from grants.payments.states import OwnAccountState
from grants.programmes.models import Programme
from tests import actors
from tests.factories import identity as factory
from tests.payments.world import IN_FORCE, World

OWN_IBAN = "DE89370400440532013000"


@pytest.fixture
def typed(grant: World) -> OwnAccountInput:
    """An account of the one programme, as it is typed."""
    return OwnAccountInput(
        db.session.scalars(select(Programme.id)).one(),
        "Pilot Cities Programme",
        "de89 3704 0044 0532 0130 00",
        "BE",
        "Brussels",
        bic="COBADEFFXXX",
        postcode="1000",
        street="Rue Inventée",
        building="7",
    )


def _also(user_id: UUID, role: Role) -> None:
    """A second role everywhere."""
    with arranging():
        factory.role(user_id, role)


def account_id(reference: str) -> UUID:
    return queries.own_account(actors.fin(), reference).id


def confirmed() -> list[str]:
    """The accounts that payments may leave from."""
    found = queries.own_accounts(actors.carl())
    return [each.reference for each in found if each.state is OwnAccountState.CONFIRMED]


def test_one_enters_another_confirms_and_then_it_is_paid_from(typed: OwnAccountInput) -> None:
    reference = services.enter_own_account(actors.fin(), typed)
    entered = queries.own_account(actors.carl(), reference)

    services.confirm_own_account(actors.vera(), entered.id, evidence="Letter of the bank of 2 May 2023")

    assert (reference, entered.iban, entered.state) == ("PCP-K-01", OWN_IBAN, OwnAccountState.PROPOSED)
    assert entered.address == "Rue Inventée 7, 1000 Brussels, BE"
    assert confirmed() == [reference, "PCP-K-90"]


def test_nothing_is_paid_from_one_that_is_not_confirmed_or_of_another_programme(typed: OwnAccountInput) -> None:
    found = account_id(services.enter_own_account(actors.fin(), typed))

    assert confirmed() == ["PCP-K-90"]
    with pytest.raises(Refused, match="not confirmed"), arranging():
        paying_account(found, typed.programme_id)
    with pytest.raises(Refused, match="another programme"), arranging():
        paying_account(found, found)


def test_who_entered_it_never_confirms_it(typed: OwnAccountInput) -> None:
    reference = services.enter_own_account(actors.fin(), typed)
    person = actors.fin().user_id
    assert person is not None
    _also(person, Role.FINANCE_VERIFIER)

    with pytest.raises(Refused, match="You entered this account"):
        services.confirm_own_account(actors.fin(), account_id(reference), evidence="Letter")
    with pytest.raises(NotAllowed):
        services.enter_own_account(actors.vera(), typed)
    with pytest.raises(NotAllowed):
        services.confirm_own_account(actors.ada(), account_id(reference), evidence="Letter")


def test_the_database_keeps_the_two_apart_and_the_number_as_it_was(typed: OwnAccountInput) -> None:
    found = account_id(services.enter_own_account(actors.fin(), typed))
    fin = actors.fin().user_id

    for change, words in (
        (
            {"state": "confirmed", "confirmed_by": fin, "confirmed_at": IN_FORCE, "evidence": "x"},
            "confirmed_by_another",
        ),
        ({"iban": "BE68539007547034"}, "permission denied"),
        ({"state": "confirmed"}, "confirmed_has_person"),
    ):
        with pytest.raises(DBAPIError, match=words), arranging():
            row = db.session.get_one(OwnAccount, found)
            for column, value in change.items():
                setattr(row, column, value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"iban": "DE89370400440532013001"}, "iban"),
        ({"iban": "DE8937040044053201300"}, "iban"),
        ({"bic": "SHORT"}, "bic"),
        ({"town": " "}, "town"),
        ({"holder": ""}, "holder"),
        ({"town": "x" * 36}, "town"),
        ({"postcode": "1" * 17}, "postcode"),
    ],
)
def test_what_no_bank_takes_is_refused_beside_its_field(
    typed: OwnAccountInput, change: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        services.enter_own_account(actors.fin(), replace(typed, **change))  # type: ignore[arg-type]  # names are checked by the class

    assert set(refused.value.problems) == {field}


def test_a_number_is_entered_once_and_again_after_it_was_closed(typed: OwnAccountInput) -> None:
    first = services.enter_own_account(actors.fin(), typed)
    with pytest.raises(Invalid) as refused:
        services.enter_own_account(actors.fin(), typed)

    services.close_own_account(actors.carl(), account_id(first), reason="The address was wrong.")
    second = services.enter_own_account(actors.fin(), typed)

    assert refused.value.problems == {"iban": f"It is {first}. Close that one first if something about it is wrong."}
    assert (first, second) == ("PCP-K-01", "PCP-K-02")
    with pytest.raises(Refused):
        services.confirm_own_account(actors.vera(), account_id(first), evidence="Letter")


def test_a_role_of_one_call_does_not_reach_the_account_of_the_programme(typed: OwnAccountInput, grant: World) -> None:
    found = account_id(services.enter_own_account(actors.fin(), typed))
    ina = actors.give(actors.person("Ina Onecall"), Role.FINANCE_VERIFIER, "call", grant.call_id)

    with pytest.raises(NotFound):
        services.confirm_own_account(ina, found, evidence="Letter")


def test_by_pages_an_account_is_entered_confirmed_read_and_closed(
    app: Flask, client: FlaskClient, typed: OwnAccountInput
) -> None:
    fin, vera, nuria = (actors.client_of(app, who) for who in (actors.fin(), actors.vera(), actors.nuria()))
    form = {
        "programme": str(typed.programme_id),
        "holder": "Pilots",
        "iban": OWN_IBAN,
        "town": "Brussels",
        "country": "BE",
    }

    wrong = fin.post("/finance/accounts", data=form | {"iban": "DE00"})
    entered = fin.post("/finance/accounts", data=form)
    place = entered.headers["Location"]
    confirmed = vera.post(f"{place}/confirm", data={"evidence": "Letter of the bank", "version": "1"})
    listed, shown = nuria.get("/finance/accounts").text, nuria.get(place).text
    again = vera.post(f"{place}/confirm", data={"evidence": "Letter of the bank", "version": "1"})
    closed = vera.post(f"{place}/close", data={"reason": "No longer used.", "version": "2"})

    assert (wrong.status_code, entered.status_code, confirmed.status_code, closed.status_code) == (422, 303, 303, 303)
    assert "Confirmed" in listed and "Enter the account" not in listed
    assert "DE89 •••• 3000" in shown and "0532" not in shown
    assert again.status_code == 409 and "You confirmed the programme’s account" in again.text
    assert [row.state for row in db.session.scalars(select(OwnAccount).where(OwnAccount.iban == OWN_IBAN))] == [
        "closed"
    ]
    assert "Accounts the programme pays from" in nuria.get("/finance/approvals").text
