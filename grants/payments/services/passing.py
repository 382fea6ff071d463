"""Beside what the bank did, what it brought for the partners of a grant: the coordinator holds it until it is passed on (E23).

Whatever moves the consumed commitment of a partner is posted here: a payment carried out or returned, a debt paid back. The
memo accounts follow it partner by partner in the same act. Of a grant whose payments were booked before this was kept,
what was missing is taken up by the first posting, as of that day, in an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from grants.agreements.models import Grant
from grants.core.money import ZERO, Money
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account, Side
from grants.ledger.rules import Dimensions, Event, Legs, Posting
from grants.payments.queries.distribution import stands_in_books
from grants.payments.rules.distribution import PartnerStand
from grants.payments.services.requests import today

Stands = dict[UUID, PartnerStand]


def post_paid(postings: Sequence[tuple[Grant, Posting]]) -> tuple[UUID, ...]:
    """Post what moved the money of these grants, and beside each what the coordinator holds for partners by it.

    Returns the entries of the postings given, in their order. One statement more, however many.
    """
    moved = [brought_for(grant, posting.legs) for grant, posting in postings]
    known: dict[UUID, Stands] = {}
    if any(moved):
        known = stands_in_books({grant.id: grant.coordinator_id for grant, _ in postings})
    written: list[Posting] = []
    places = []
    for (grant, posting), shares in zip(postings, moved, strict=True):
        stands = known.setdefault(grant.id, {})
        if shares:
            written += _taken_up(grant, stands, posting.source_key)
        places.append(len(written))
        written.append(posting)
        for partner, amount in shares.items():
            stands[partner] = stands.get(partner, PartnerStand()).and_paid(amount)
        if shares:
            document_id = posting.legs[0].dims.document_id
            written += _levelled(
                grant, stands, posting.source_key, posting.effective_on, posting.description, document_id
            )
    entries = ledger.post_many(written)
    return tuple(entries[place] for place in places)


def brought_for(grant: Grant, of: Legs) -> dict[UUID, Money]:
    """What an entry consumes of the commitment of each partner but the coordinator; below zero where it opens it again."""
    found: dict[UUID, Money] = {}
    for leg in of:
        partner = leg.dims.organisation_id
        if leg.account is Account.CONSUMED and partner is not None and partner != grant.coordinator_id:
            amount = leg.amount if leg.side is Side.DEBIT else -leg.amount
            found[partner] = found.get(partner, ZERO) + amount
    return {partner: amount for partner, amount in found.items() if amount}


def take_up(grant: Grant, source_key: str) -> None:
    """Take up what payments booked before this was kept brought for partners; nothing where the books have it."""
    stands = stands_in_books({grant.id: grant.coordinator_id}).get(grant.id, {})
    ledger.post_many(_taken_up(grant, stands, source_key))


def _taken_up(grant: Grant, stands: Stands, source_key: str) -> list[Posting]:
    words = f"{grant.reference}: held for partners out of what was booked before it was kept"
    return _levelled(grant, stands, f"{source_key}:taken_up", today(), words, grant.id)


def _levelled(
    grant: Grant, stands: Stands, source_key: str, on: date, words: str, document_id: UUID | None
) -> list[Posting]:
    """What brings the memo accounts where they belong, at most one entry up and one down; the stands follow."""
    # Named apart from what it stands beside: the facts of an order are its own.
    source_key = f"for_partners:{source_key}"
    off: Mapping[UUID, Money] = {partner: stand.off for partner, stand in stands.items() if stand.off}
    for partner in off:
        stands[partner] = stands[partner].levelled
    up = [(partner, amount) for partner, amount in off.items() if amount > ZERO]
    down = [(partner, -amount) for partner, amount in off.items() if amount < ZERO]
    dims = Dimensions(grant.fund_source_id, grant.call_id, grant.id, grant.coordinator_id, document_id=document_id)
    found = []
    if up:
        made = legs.legs_e23_received(up, dims)
        found.append(Posting(Event.DISTRIBUTED, source_key, on, f"{words}: held for partners", made))
    if down:
        made = legs.legs_e23_taken_back(down, dims)
        key = f"{source_key}:back"
        found.append(Posting(Event.DISTRIBUTED, key, on, f"{words}: no longer held for partners", made))
    return found
