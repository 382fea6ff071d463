"""What a walk starts from: a grant in force with everything an amendment, a transfer and a reversal needs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import BankAccount, Grant
from grants.agreements.states import BankAccountState
from grants.calls.models import Call
from grants.calls.queries import call_by_id
from grants.core.acts import act, arranging
from grants.core.db import db
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions
from grants.payments.models import OwnAccount
from grants.payments.states import OwnAccountState
from tests import actors
from tests.agreements import amending
from tests.agreements.accounts import WHOLE
from tests.agreements.test_amendments import validated
from tests.factories.applications import published_call
from tests.payments.world import IBAN, IN_FORCE, World, world
from tests.soak.model import ADDITIONAL, THRESHOLD

# World numbers stay clear of the published call, whose reference is of its own.
FIRST = 100


def walked(number: int) -> World:
    """The grant of one walk: 600 000 of two partners, of whose costs a fifth may move without an amendment."""
    call_id = db.session.scalar(select(Call.id).where(Call.year == 2022, Call.state == "published"))
    call = call_by_id(call_id or published_call().id)
    found = world(FIRST + number)
    _account_of_old(found)
    _own_account(number)
    for partner in ("Third City", "Energy Agency of Northbridge"):
        validated(actors.organisation(partner))
    amending.whole(found, call)
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.transfer_free, row.transfer_notify = euros(60_000), euros(120_000)
        row.additional, row.additional_threshold = Money(ADDITIONAL), THRESHOLD
    _twice(actors.otto(), found.call_id, row.fund_source_id)
    return found


def iban(number: int) -> str:
    """A right account number of its own.

    >>> iban(0)
    'DE89370400440532013000'
    """
    digits = f"37040044{532013000 + number:010d}"
    check = 98 - int(f"{digits}131400") % 97
    return f"DE{check:02d}{digits}"


def _own_account(number: int) -> None:
    """The programme pays from an account of this walk alone, whose statements begin with it."""
    fin, carl = actors.fin().user_id, actors.carl().user_id
    with arranging():
        standing = db.session.scalars(select(OwnAccount).where(OwnAccount.state == OwnAccountState.CONFIRMED.value))
        for row in standing.all():
            programme_id = row.programme_id
            row.state = OwnAccountState.CLOSED.value
            row.closed_by, row.closed_at, row.close_reason = fin, IN_FORCE, "Another walk begins."
        db.session.flush()
        db.session.add(
            OwnAccount(
                programme_id=programme_id,
                reference=f"PCP-K-{FIRST + number}",
                holder="Pilot Cities Programme",
                iban=iban(number),
                country="BE",
                town="Brussels",
                currency="EUR",
                state=OwnAccountState.CONFIRMED.value,
                entered_by=fin,
                entered_at=IN_FORCE,
                confirmed_by=carl,
                confirmed_at=IN_FORCE,
                evidence="Letter of the bank",
            )
        )


def _account_of_old(found: World) -> None:
    """The city is paid to an account that was confirmed long ago, whatever an earlier walk did to it."""
    standing = db.session.scalars(
        select(BankAccount).where(
            BankAccount.organisation_id == found.city_id, BankAccount.state == BankAccountState.CONFIRMED.value
        )
    ).one()
    if standing.confirmed_at == IN_FORCE:
        return
    account_id, fin, carl = standing.id, actors.fin().user_id, actors.carl().user_id
    with arranging():
        row = db.session.get_one(BankAccount, account_id)
        row.state, row.ended_by, row.ended_at = BankAccountState.REPLACED.value, fin, IN_FORCE
        row.end_reason = "Another walk begins."
        db.session.flush()
        db.session.add(
            BankAccount(
                organisation_id=found.city_id,
                holder="Northbridge",
                iban=IBAN,
                state=BankAccountState.CONFIRMED.value,
                entered_by=fin,
                entered_at=IN_FORCE,
                confirmed_by=carl,
                confirmed_at=IN_FORCE,
                **WHOLE,
            )
        )


@act("test_walk.raise_twice", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _twice(actor: Actor, call_id: UUID, fund_id: UUID) -> None:
    """The budget of the call is raised, and once more by mistake: a reversal puts that right."""
    for time in (1, 2):
        ledger.post(
            "E1",
            source_key=f"test_walk:{call_id}:{time}",
            effective_on=date(2023, 5, 2),
            description="The budget is raised",
            legs=legs.legs_e1(euros(50_000), Dimensions(fund_id, call_id)),
        )
