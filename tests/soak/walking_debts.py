"""Steps of the walk on what is owed back: the ladder of a debt, what settles it, interest on what came late, reversals."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.core import clock, files
from grants.core.db import db
from grants.core.file_types import FileType
from grants.core.money import Money
from grants.core.permissions import Permission, system_actor
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.payments import services
from grants.payments.rules import DecisionInput, ReceiptInput, RecoveryInput
from grants.payments.rules.interest import InterestInput
from grants.payments.rules.offsets import OffsetInput
from grants.payments.states import RecoveryOrigin
from grants.rates import queries as rates
from grants.rates import services as published
from grants.rates.rules import EURO
from grants.rates.states import RateKind
from tests import actors
from tests.agreements.accounts import document
from tests.payments.world import world
from tests.soak.model import Debt
from tests.soak.steps import NOW, Steps, numbers, people, percents, picks
from tests.soak.worlds import FIRST

PROGRAM = system_actor("the program", [Permission.RECOVERY_REMIND])
DUE_DAYS = 45
# A debt that is not confirmed yet.
BEFORE = ("proposed", "pre_informed", "observed")


class DebtSteps(Steps):
    """Recoveries and what follows from them."""

    def _debt(self, number: int) -> Debt:
        debt: Debt = self.of(self.model.debts, number)
        return debt

    # ------------------------------------------------------------------ the ladder

    @precondition(lambda self: self.model.final is not None)
    @rule(who=people)
    def propose_recovery(self, who: int) -> None:
        self._propose(who)

    def _propose(self, who: int) -> None:
        owed = self.model.sums[Account.PREFINANCING]
        earlier = [each for each in self.model.debts if each.by_balance and each.state != "cancelled"]
        allowed = self.model.final is not None and owed > 0 and not earlier
        given = RecoveryInput("The city was told.")
        found = self.tried(allowed, lambda: services.propose_recovery(self.people[who], self.grant.grant_id, given))
        if found:
            self.model.debts.append(Debt(found.id, owed, who))

    @precondition(lambda self: self.model.final is not None)
    @rule(euros=st.integers(1, 30_000), who=people)
    def reject_costs(self, euros: int, who: int) -> None:
        """Costs of the city are rejected after the balance."""
        given = RecoveryInput(
            "Invoices were rejected.", RecoveryOrigin.REJECTED_COSTS, self.grant.city_id, Money(euros * 100)
        )
        most = self.journal.partners[self.grant.grant_id, self.grant.city_id, "5000"]
        waits = sum(each.amount for each in self.model.debts_in(*BEFORE) if not each.by_balance)
        allowed = self.maybe_closed(self.model.final is not None and euros * 100 <= most - waits)
        found = self.tried(
            allowed, lambda: services.propose_recovery(self.people[who], self.grant.grant_id, given), "reject_costs"
        )
        if found:
            self.model.debts.append(Debt(found.id, euros * 100, who, by_balance=False))

    @precondition(lambda self: self.model.debts)
    @rule(number=picks, who=people)
    def next_of_debt(self, number: int, who: int) -> None:
        """The next step of a debt by anybody; it is refused to whoever may not."""
        debt = self._debt(number)
        step = {
            "proposed": self._inform, "pre_informed": self._observe, "observed": self._confirm, "confirmed": self._issue,
        }.get(debt.state)  # fmt: skip
        if step:
            step(debt, who)

    @precondition(lambda self: self.model.debts)
    @rule(number=picks, step=st.sampled_from(("inform", "observe", "confirm", "issue")), who=people)
    def any_of_debt(self, number: int, step: str, who: int) -> None:
        steps: dict[str, Callable[[Debt, int], None]] = {
            "inform": self._inform, "observe": self._observe, "confirm": self._confirm, "issue": self._issue,
        }  # fmt: skip
        steps[step](self._debt(number), who)

    def _inform(self, debt: Debt, who: int) -> None:
        allowed = debt.state == "proposed"
        if self.tried(allowed, lambda: services.inform(self.people[who], debt.id, days=30)):
            debt.state, debt.reply_until = "pre_informed", self.now.date() + timedelta(days=30)

    def _observe(self, debt: Debt, who: int) -> None:
        allowed = debt.state == "pre_informed" and debt.reply_until is not None and self.now.date() <= debt.reply_until
        if self.tried(allowed, lambda: services.observe(self.lead, debt.id, words="We agree.")):
            debt.state = "observed"

    def _confirm(self, debt: Debt, who: int) -> None:
        late = debt.state == "pre_informed" and debt.reply_until is not None and self.now.date() > debt.reply_until
        allowed = (debt.state == "observed" or late) and who != debt.proposed_by
        held = self.model.sums[Account.PREFINANCING]
        if debt.by_balance:
            allowed = allowed and held == debt.amount
        else:
            allowed = allowed and self.journal.partners[self.grant.grant_id, self.grant.city_id, "5000"] >= debt.amount
        if self.tried(allowed, lambda: services.confirm_recovery(self.people[who], debt.id, words="Agreed.")):
            debt.state, debt.confirmed_by, debt.owed = "confirmed", who, debt.amount
            if debt.by_balance:
                self.model.move(PREFINANCING=-debt.amount, RECOVERY_RECEIVABLE=debt.amount)
            else:
                self.model.move(GRANT_COSTS=-debt.amount, RECOVERY_RECEIVABLE=debt.amount)

    def _issue(self, debt: Debt, who: int) -> None:
        allowed = debt.state == "confirmed" and who != debt.confirmed_by
        due = self.now.date() + timedelta(days=DUE_DAYS)
        if self.tried(allowed, lambda: services.issue(self.people[who], debt.id, due_on=due)):
            debt.state, debt.due_on = "issued", due

    @precondition(lambda self: self.model.debts)
    @rule(number=picks, who=people)
    def cancel_recovery(self, number: int, who: int) -> None:
        debt = self._debt(number)
        is_owed = debt.state in ("confirmed", "issued")
        allowed = debt.state in BEFORE or (is_owed and who != debt.confirmed_by)
        if self.tried(allowed, lambda: services.cancel_recovery(self.people[who], debt.id, reason="Not owed.")):
            debt.state = "cancelled"
            if is_owed and debt.by_balance:
                self.model.move(PREFINANCING=debt.amount, RECOVERY_RECEIVABLE=-debt.amount)
            elif is_owed:
                self.model.move(GRANT_COSTS=debt.amount, RECOVERY_RECEIVABLE=-debt.amount)
            debt.owed = 0

    @rule()
    def remind(self) -> None:
        """The program reminds of what is overdue; a second time in one night of nothing more."""
        self.tried(True, lambda: services.remind(PROGRAM))

    # ------------------------------------------------------------------ what settles it

    @precondition(lambda self: self.model.debts)
    @rule(number=picks, percent=percents, who=people)
    def book(self, number: int, percent: int, who: int) -> None:
        """Money comes back: less, all of it, or more, which has no known reason."""
        debt = self._debt(number)
        cents = max(1, (debt.owed + debt.interest) * percent // 100)
        allowed = (debt.state in ("issued", "part_paid") or debt.interest > 0) and who != debt.confirmed_by
        allowed = allowed and self._still_paid(min(cents, debt.owed))
        given = ReceiptInput(Money(cents), self.now.date(), f"STMT-{next(numbers)}")
        if not self.tried(allowed, lambda: services.book_receipt(self.people[who], debt.id, given)):
            return
        settled = min(cents, debt.owed)
        interest = min(cents - settled, debt.interest)
        self.model.move(
            BANK=cents, RECOVERY_RECEIVABLE=-settled, INTEREST_RECEIVABLE=-interest,
            UNIDENTIFIED=cents - settled - interest,
        )  # fmt: skip
        self._settled(debt, settled)
        debt.interest -= interest
        self.level()

    def _still_paid(self, cents: int) -> bool:
        """Of a grant that is not closed no more comes back than is paid: what the bank returned opened its commitment again."""
        return self.model.closed or cents <= self.journal.of(self.grant.grant_id)[Account.CONSUMED.value]

    def _identified(self, debt: Debt, cents: int, on: date) -> None:
        """A receipt that nobody knew what for turns out to be of a debt."""
        settled = min(cents, debt.owed)
        interest = min(cents - settled, debt.interest)
        self.model.move(
            RECOVERY_RECEIVABLE=-settled, INTEREST_RECEIVABLE=-interest, UNIDENTIFIED=-settled - interest
        )  # fmt: skip
        self._settled(debt, settled, on)
        debt.interest -= interest
        self.level()

    def _settled(self, debt: Debt, cents: int, on: date | None = None) -> None:
        if not cents:
            return
        if debt.due_on is not None and (on or self.now.date()) > debt.due_on:
            debt.late += cents
        debt.owed -= cents
        debt.state = "part_paid" if debt.owed else "paid"

    @precondition(lambda self: self.model.debts)
    @rule(number=picks, request=picks, percent=percents, who=people)
    def set_off(self, number: int, request: int, percent: int, who: int) -> None:
        """A debt is taken from what a request of the same grant still has to pay."""
        debt, asked = self._debt(number), self.of(self.model.requests, request)
        left = self.model.left(asked)
        cents = max(1, min(debt.owed, left) * percent // 100)
        fits = asked.state.startswith("decided") and 0 < cents <= min(debt.owed, left)
        allowed = fits and debt.state in ("issued", "part_paid") and who != debt.confirmed_by
        given = OffsetInput(debt.id, asked.id, Money(cents))
        stopped = self.model.held is not None or asked.suspended_by is not None
        if self.tried(self.maybe(allowed) and not stopped, lambda: services.set_off(self.people[who], given)):
            self.model.move(PAYABLE=-cents, RECOVERY_RECEIVABLE=-cents)
            asked.set_off += cents
            self._settled(debt, cents)
            self.level()

    @precondition(lambda self: self.model.debts_in("issued", "part_paid"))
    @rule(number=picks, percent=percents, who=people)
    def set_off_against_another_grant(self, number: int, percent: int, who: int) -> None:
        """The same city is to be paid on another grant: the debt is taken from there, and each grant still balances."""
        debt = self.of(self.model.debts_in("issued", "part_paid"), number)
        with clock.at(NOW):
            other = world(FIRST + next(numbers))
            opened = services.open_prefinancing(actors.program(), other.grant_id)
            assert opened is not None
            services.decide(self.people[0], opened.id, DecisionInput(Money(240_000_00)))
        self._not_mine()
        cents = max(1, debt.owed * percent // 100)
        allowed = cents <= debt.owed and who != debt.confirmed_by and self._still_paid(cents)
        given = OffsetInput(debt.id, opened.id, Money(cents))
        if self.tried(allowed, lambda: services.set_off(self.people[who], given), "set_off_across"):
            self.model.move(RECOVERY_RECEIVABLE=-cents, OFFSET_BETWEEN_GRANTS=cents)
            self._settled(debt, cents)
            self.level()
            sums = self.journal.of(other.grant_id)
            assert (sums["1220"], sums["2000"]) == (-cents, 210_000_00 - cents)

    def _not_mine(self) -> None:
        """What was arranged for another grant is no step of this one."""
        before = self.entries
        self.posted()
        self.entries = before

    @precondition(lambda self: self.model.debts)
    @rule(number=picks, who=people)
    def waive(self, number: int, who: int) -> None:
        debt = self._debt(number)
        allowed = debt.state in ("issued", "part_paid") and who not in (debt.proposed_by, debt.confirmed_by)
        paper = document()
        if self.tried(allowed, lambda: services.waive(self.people[who], debt.id, reason="Forgiven.", document=paper)):
            self.model.move(RECOVERY_RECEIVABLE=-debt.owed, WAIVED=debt.owed)
            debt.state, debt.owed = "waived", 0

    # ------------------------------------------------------------------ interest

    @precondition(lambda self: any(each.late for each in self.model.debts))
    @rule(number=picks, who=people)
    def reckon_interest(self, number: int, who: int) -> None:
        self._rate()
        debt = self._debt(number)
        allowed = self.maybe_closed(debt.late > 0 and debt.reckoned is None)
        given = InterestInput()
        found = self.tried(allowed, lambda: services.book_interest(self.people[who], debt.id, given))
        if found is not None:
            debt.reckoned, debt.reckoned_by = (debt.reckoned or 0) + found.cents, who
            debt.late = 0

    def maybe_closed(self, allowed: bool) -> bool | None:
        """Of a closed grant the model only knows what is refused."""
        return None if allowed and self.model.closed else allowed

    @precondition(lambda self: any(each.reckoned is not None for each in self.model.debts))
    @rule(number=picks, confirm=st.booleans(), who=people)
    def decide_interest(self, number: int, confirm: bool, who: int) -> None:
        debt = self._debt(number)
        allowed = debt.reckoned is not None and who != debt.reckoned_by
        found = self.tried(
            allowed,
            (lambda: services.confirm_interest(self.people[who], debt.id))
            if confirm
            else (lambda: services.refuse_interest(self.people[who], debt.id, reason="Reckon it anew.") or "refused"),
        )
        if found is None:
            return
        cents, debt.reckoned = debt.reckoned or 0, None
        if not confirm:
            debt.late = 1
        elif cents:
            self.model.move(INTEREST_RECEIVABLE=cents, INTEREST_INCOME=cents)
            debt.interest += cents
            debt.touched_interest |= {who, debt.reckoned_by or 0}

    @precondition(lambda self: any(each.interest for each in self.model.debts))
    @rule(number=picks, who=people)
    def waive_interest(self, number: int, who: int) -> None:
        debt, paper = self._debt(number), document()
        allowed = debt.interest > 0 and who not in debt.touched_interest
        answer = self.tried(
            allowed, lambda: services.waive_interest(self.people[who], debt.id, reason="Forgiven.", document=paper)
        )
        if answer is not None:
            self.model.move(INTEREST_RECEIVABLE=-debt.interest, WAIVED=debt.interest)
            debt.interest = 0

    def _rate(self) -> None:
        """The reference rate is known, brought in once a database."""
        if rates.rate_views(RateKind.REFERENCE, EURO, last=date(2024, 12, 31)):
            return
        carl = actors.carl()
        with clock.at(self.now):
            table = FileStorage(io.BytesIO(b"Date,Rate\n2023-05-10,3.75\n2024-06-12,4.25\n"), filename="rates.csv")
            brought = published.bring_in(
                carl, RateKind.REFERENCE, files.receive(table, allowed={FileType.CSV}), source="ECB"
            )
            published.read(carl, brought)
            published.accept(carl, brought)

    # ------------------------------------------------------------------ reversals

    @rule(number=picks, who=people)
    def propose_reversal(self, number: int, who: int) -> None:
        """Some entry is said to be wrong; of most a mirror alone puts nothing right."""
        ids = list(
            db.session.scalars(
                select(LedgerEntry.id).where(LedgerEntry.number > self.journal.began).order_by(LedgerEntry.number)
            )
        )
        entry_id = self.of(ids, number)
        keys = db.session.scalar(select(LedgerEntry.source_key).where(LedgerEntry.id == entry_id)) or ""
        twice = keys.startswith("test_walk:")
        allowed = None if twice else False
        if keys.startswith("test:"):
            allowed = None
        found = self.tried(
            allowed,
            lambda: services.propose_reversal(self.people[who], entry_id, reason="Typed twice."),
            "propose_reversal",
        )
        if found is not None:
            self.reversals.append((found, who, entry_id))

    @precondition(lambda self: self.reversals)
    @rule(number=picks, verb=st.sampled_from(("confirm", "refuse", "withdraw")), who=people)
    def decide_reversal(self, number: int, verb: str, who: int) -> None:
        proposal, by, entry_id = self.of(self.reversals, number)
        stands = proposal not in self.decided_reversals
        allowed: bool | None = stands and (who == by if verb == "withdraw" else who != by)
        if allowed and verb == "confirm":
            allowed = None
        person = self.people[who]
        deeds: dict[str, Callable[[], Any]] = {
            "confirm": lambda: services.confirm_reversal(person, proposal),
            "refuse": lambda: services.refuse_reversal(person, proposal, reason="It stands.") or "refused",
            "withdraw": lambda: services.withdraw_reversal(person, proposal) or "withdrawn",
        }
        if self.tried(allowed, deeds[verb], f"{verb}_reversal") is None:
            return
        self.decided_reversals.add(proposal)
        if verb == "confirm":
            assert entry_id not in self.reversed, "reversed twice"
            self.reversed.add(entry_id)
            self.model.entries += 1

    def _owed(self) -> None:
        """What was paid too much is owed: its debit note is out."""
        self._propose(0)
        debt = self.model.debts[0]
        self._inform(debt, 0)
        self._observe(debt, 0)
        self._confirm(debt, 1)
        self._issue(debt, 2)
