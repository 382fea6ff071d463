"""A payee's account as tests enter and check it: whole, of today, with a small document of the bank."""

from __future__ import annotations

import io
from datetime import date
from typing import Any
from uuid import UUID

from werkzeug.datastructures import FileStorage

from grants.agreements import queries, services
from grants.agreements.rules import AccountCheck, AccountInput, AccountView, PayeeAddress
from grants.agreements.states import CheckChannel, PayeeMatch
from grants.core import clock, files
from grants.core.files import Incoming
from grants.core.permissions import Actor
from tests.factories.applications import PDF

ADDRESS = PayeeAddress("Neochóra", "GR", "54622", "Odós Kípou", "3")


def today() -> date:
    return clock.in_zone(clock.now()).date()


def given(iban: str, holder: str = "Neochóra", **changed: Any) -> AccountInput:
    """An account as somebody types it, everything right but for what is changed."""
    return AccountInput(**{"holder": holder, "iban": iban, "evidence_on": today(), "address": ADDRESS} | changed)


def document(data: bytes = PDF, name: str = "letter of the bank.pdf") -> Incoming:
    """The bank's document, received and looked into."""
    return files.receive(FileStorage(io.BytesIO(data), filename=name))


def enter(actor: Actor, grant_id: UUID, iban: str, *, organisation_id: UUID | None = None, **changed: Any) -> None:
    services.enter_account(actor, grant_id, given(iban, **changed), document(), organisation_id=organisation_id)


def called_back(**changed: Any) -> AccountCheck:
    """A check of today by a call back, which the bank's answer supports, but for what is changed."""
    whole = {
        "channel": CheckChannel.CALL_BACK, "checked_on": today(), "note": "The treasurer read the number out.",
        "match": PayeeMatch.MATCH, "matched_on": today(),
    }  # fmt: skip
    return AccountCheck(**whole | changed)


def confirm(actor: Actor, grant_id: UUID, organisation_id: UUID, **changed: Any) -> AccountView:
    """Confirm the account that waits; it as it was shown before."""
    waits = queries.proposed_account(organisation_id)
    assert waits is not None, "an account waits"
    services.confirm_account(actor, grant_id, waits.id, called_back(**changed))
    return waits


# What a row needs besides its people and moments, for worlds that write it themselves.
WHOLE: dict[str, Any] = {
    "town": "Northbridge", "country_code": "BE", "evidence_on": date(2023, 4, 28), "evidence": "Bank letter",
    "channel": "call_back", "checked_on": date(2023, 4, 30), "payee_match": "not_possible",
}  # fmt: skip
