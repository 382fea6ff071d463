"""The journal as the walk reads it, entry by entry, by its own sums: what must hold of it after each entry and each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements.models import Beneficiary, Grant
from grants.core.db import db
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.payments.models import PaymentOrder
from tests.soak.reference import CALL_FLOORS, GRANT_FLOORS, broken

# Accounts that stand on their credit side, once more and not read from the program's chart.
CREDIT = {"B000", "1050", "1055", "2000", "2100", "2200", "2300", "2400", "3000", "4100", "M000"}
FOR_PARTNERS = "E23"


@dataclass(frozen=True)
class Entry:
    """One entry with its legs: account, cents on its own side, call, grant, partner."""

    number: int
    event: str
    source_key: str
    legs: tuple[tuple[str, int, UUID | None, UUID | None, UUID | None], ...]


class Journal:
    """Every entry since a walk began, and what the accounts of its grant hold by it."""

    def __init__(self) -> None:
        self.began = self.last = db.session.scalar(select(func.max(LedgerEntry.number))) or 0
        self.grants: dict[UUID, Counter[str]] = {}
        self.calls: dict[UUID, Counter[str]] = {}
        # By grant, partner and account.
        self.partners: Counter[tuple[UUID, UUID | None, str]] = Counter()
        self.booked: Counter[str] = Counter()

    def read(self) -> list[Entry]:
        """What was posted since the last look; raises where an entry, or what stands after it, is wrong."""
        found = list(self._new())
        for entry in found:
            self._take(entry)
        return found

    def _new(self) -> Iterator[Entry]:
        leg, entry = LedgerLeg, LedgerEntry
        rows = db.session.execute(
            select(
                *(entry.number, entry.event, entry.source_key, leg.account, leg.side, leg.cents),
                *(leg.call_id, leg.grant_id, leg.organisation_id),
            )
            .join(leg, leg.entry_id == entry.id)
            .where(entry.number > self.last)
            .order_by(entry.number, leg.position)
        ).all()
        for key, group in groupby(rows, lambda row: (row.number, row.event, row.source_key)):
            legs = tuple((row.account, _cents(row), row.call_id, row.grant_id, row.organisation_id) for row in group)
            yield Entry(*key, legs)

    def _take(self, entry: Entry) -> None:
        self.last = entry.number
        assert len(entry.legs) >= 2 and all(cents for _, cents, *_ in entry.legs), f"I1: {entry}"
        sides: Counter[str] = Counter()
        for account, cents, *_ in entry.legs:
            sides[_book(account)] += -cents if account in CREDIT else cents
        assert not any(sides.values()), f"I1: not balanced: {entry}"
        self.booked[entry.source_key] += 1
        assert self.booked[entry.source_key] == 1, f"I12: booked twice: {entry}"
        for account, cents, call_id, grant_id, partner in entry.legs:
            if call_id is not None:
                self.calls.setdefault(call_id, Counter())[account] += cents
            if grant_id is not None:
                self.grants.setdefault(grant_id, Counter())[account] += cents
                self.partners[grant_id, partner, account] += cents
        for sums, floors in ((self.calls, CALL_FLOORS), (self.grants, GRANT_FLOORS)):
            for place in {each[3 if sums is self.grants else 2] for each in entry.legs} - {None}:
                assert place is not None and not broken(sums[place], floors), f"below its floor: {entry}"

    def of(self, grant_id: UUID) -> Counter[str]:
        """What the accounts of a grant hold."""
        return self.grants.setdefault(grant_id, Counter())

    def held_for(self, grant_id: UUID, partner: UUID) -> int:
        """What the coordinator holds for a partner, in cents."""
        return self.partners[grant_id, partner, "M100"]

    def holds(self, grant_id: UUID, call_id: UUID, *, decommitted: bool) -> None:
        """I3, I4, I5, I7, I8, I10 and what is held for partners, of one grant as it stands now."""
        sums, call = self.of(grant_id), self.calls[call_id]
        grant = db.session.get_one(Grant, grant_id, populate_existing=True)
        shares = select(Beneficiary.organisation_id, Beneficiary.maximum).where(Beneficiary.grant_id == grant_id)
        maxima = {who: maximum for who, maximum in db.session.execute(shares)}
        assert call["B000"] == call["B100"] + call["B200"] + call["B300"] + call["B310"] + call["B400"], "I3"
        assert sum(each.cents for each in maxima.values()) == grant.maximum.cents, "I4: partners"
        committed = sums["B310"] + sums["B400"]
        assert committed == grant.maximum.cents or (decommitted and committed <= grant.maximum.cents), "I4"
        # Interest that the programme owes for paying late is beside the grant.
        paid = -sums["1000"] - (sums["5100"] - sums["2300"] - sums["1055"])
        assert paid <= grant.maximum.cents <= call["B000"], "I5"
        assert sums["B400"] <= grant.maximum.cents, "I5: consumed"
        if grant.final_amount is None:
            on_its_way = sums["2000"] + sums["1050"] + sums["2100"] + sums["2200"]
            ahead = max(sums["1100"], 0)
            assert on_its_way + paid <= max(grant.interim_ceiling.cents, ahead), "I8"
        for partner, maximum in maxima.items():
            assert self.partners[grant_id, partner, "B400"] <= maximum.cents, (
                f"I10: {partner} is paid above its maximum"
            )
            if partner != grant.coordinator_id:
                due, passed = (self.partners[grant_id, partner, code] for code in ("B400", "M200"))
                assert self.held_for(grant_id, partner) == max(due - passed, 0), "what is held for a partner"


def orders_of(grant_id: UUID) -> dict[UUID, tuple[str, int]]:
    """State and amount of every order of a grant; I15: nobody took two steps of one."""
    rows = db.session.execute(
        select(
            *(PaymentOrder.id, PaymentOrder.state, PaymentOrder.amount, PaymentOrder.prepared_by),
            *(PaymentOrder.verified_by, PaymentOrder.authorised_by, PaymentOrder.sent_by),
        ).where(PaymentOrder.grant_id == grant_id)
    ).all()
    for row in rows:
        hands = [each for each in (row.prepared_by, row.verified_by, row.authorised_by, row.sent_by) if each]
        assert len(hands) == len(set(hands)), f"I15: {row}"
    return {row.id: (row.state, row.amount.cents) for row in rows}


def _book(account: str) -> str:
    return account[0] if account[0] in "BM" else "general"


def _cents(row: Any) -> int:
    """Above zero on the account's own side."""
    cents = int(row.cents.cents)
    return cents if (row.side == "credit") == (row.account in CREDIT) else -cents


assert {each.value for each in Account if each.normal_side.value == "credit"} == CREDIT
