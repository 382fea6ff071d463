"""Beside what the bank did, what it brought for the partners of a grant: the coordinator holds it until it is passed on (E23).

Whatever moves the consumed commitment of a partner is posted here: a payment carried out or returned, a debt paid back
or set off. The memo accounts follow it partner by partner in the same act. Of a grant whose payments were booked before
this was kept, what was missing is taken up by the first posting, as of that day, in an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.agreements.models import Grant
from grants.core import acts
from grants.core.money import ZERO, Money
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account, Side
from grants.ledger.rules import Dimensions, Event, Legs, Posting
from grants.payments.queries.distribution import stands_in_books
from grants.payments.rules.distribution import PartnerStand

Stands = dict[UUID, PartnerStand]


def post_paid(postings: Sequence[tuple[Grant, Posting]]) -> tuple[UUID, ...]:
    """Post what moved the money of these grants, and beside each what the coordinator holds for partners by it.

    Returns the entries of the postings given, in their order. One statement more, however many.
    """
    return post_paid_of([((grant,), posting) for grant, posting in postings])


def post_paid_of(postings: Sequence[tuple[Sequence[Grant], Posting]]) -> tuple[UUID, ...]:
    """The same of entries that move the money of more than one grant each, as an offset between two of them."""
    moved = [[brought_for(grant, posting.legs) for grant in grants] for grants, posting in postings]
    known: dict[UUID, Stands] = {}
    if any(any(shares) for shares in moved):
        known = stands_in_books({grant.id: grant.coordinator_id for grants, _ in postings for grant in grants})
    written: list[Posting] = []
    places = []
    for (grants, posting), shares in zip(postings, moved, strict=True):
        # The keys of a second grant of the same entry are apart.
        keys = [posting.source_key, *(f"{posting.source_key}:{grant.id}" for grant in grants[1:])]
        of_partners = [
            _BesideIt(grant, known.setdefault(grant.id, {}), posting, key)
            for grant, key in zip(grants, keys, strict=True)
        ]
        for beside, brought in zip(of_partners, shares, strict=True):
            written += beside.before(brought)
        places.append(len(written))
        written.append(posting)
        for beside, brought in zip(of_partners, shares, strict=True):
            written += beside.after(brought)
    entries = ledger.post_many(written)
    return tuple(entries[place] for place in places)


@dataclass(frozen=True, slots=True)
class _BesideIt:
    """What is posted beside an entry for the partners of one of its grants; nothing where it brought them nothing."""

    grant: Grant
    stands: Stands
    posting: Posting
    source_key: str

    def before(self, brought: Mapping[UUID, Money]) -> list[Posting]:
        return _taken_up(self.grant, self.stands, self.source_key) if brought else []

    def after(self, brought: Mapping[UUID, Money]) -> list[Posting]:
        if not brought:
            return []
        for partner, amount in brought.items():
            self.stands[partner] = self.stands.get(partner, PartnerStand()).and_paid(amount)
        document_id = next(leg.dims.document_id for leg in self.posting.legs if leg.dims.grant_id == self.grant.id)
        of = self.posting
        return _levelled(self.grant, self.stands, self.source_key, of.effective_on, of.description, document_id)


def brought_for(grant: Grant, of: Legs) -> dict[UUID, Money]:
    """What an entry consumes of the commitment of each partner but the coordinator; below zero where it opens it again."""
    found: dict[UUID, Money] = {}
    for leg in of:
        partner = leg.dims.organisation_id
        if leg.dims.grant_id != grant.id or leg.account is not Account.CONSUMED:
            continue
        if partner is not None and partner != grant.coordinator_id:
            amount = leg.amount if leg.side is Side.DEBIT else -leg.amount
            found[partner] = found.get(partner, ZERO) + amount
    return {partner: amount for partner, amount in found.items() if amount}


def take_up(grant: Grant, source_key: str) -> None:
    """Take up what payments booked before this was kept brought for partners; nothing where the books have it."""
    stands = stands_in_books({grant.id: grant.coordinator_id}).get(grant.id, {})
    ledger.post_many(_taken_up(grant, stands, source_key))


def _taken_up(grant: Grant, stands: Stands, source_key: str) -> list[Posting]:
    words = f"{grant.reference}: held for partners out of what was booked before it was kept"
    return _levelled(grant, stands, f"{source_key}:taken_up", acts.today(), words, grant.id)


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
