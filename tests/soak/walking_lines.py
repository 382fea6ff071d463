"""Steps of the walk at lines of the bank that people explain, and at lists of executions where there is no bank channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from grants.agreements.models import Grant
from grants.core.db import get
from grants.payments import services
from grants.payments.models import PaymentOrder, Recovery
from grants.payments.rules.statements.claims import Claim
from grants.payments.rules.statements.executions import Spelling, template
from grants.payments.rules.statements.values import BankFile
from grants.payments.states import Explained
from grants.programmes.models import FundSource
from tests import actors
from tests.payments.bank_statements import credit, debit
from tests.soak.model import Debt, Order, Told
from tests.soak.steps import numbers, people, picks
from tests.soak.walking_bank import BankSteps
from tests.soak.walking_debts import DebtSteps

# What can be said of each kind of line; of what no order names it is only tried.
SAID = {
    "a cent off": (),
    "another reference": (Explained.ORDER, Explained.CHARGE, Explained.SET_ASIDE),
    "charge": (Explained.CHARGE, Explained.SET_ASIDE),
    "receipt": (Explained.FUNDING, Explained.RECOVERY),
    "came back": (Explained.RETURN, Explained.UNIDENTIFIED, Explained.SET_ASIDE),
    "came back, not known": (Explained.RETURN, Explained.FUNDING, Explained.RECOVERY),
}
# What one of these says depends on nothing else.
ALWAYS = (Explained.CHARGE, Explained.FUNDING, Explained.SET_ASIDE, Explained.UNIDENTIFIED)


class LineSteps(BankSteps, DebtSteps):
    """Two people say what a line is."""

    # ------------------------------------------------------------------ lines of no order

    @rule(number=picks, kind=st.sampled_from(("charge", "receipt", "came back")), euros=st.integers(1, 90_000))
    def line_of_the_bank(self, number: int, kind: str, euros: int) -> None:
        """The bank charges, is paid by somebody, or pays back without saying what: money that came in is booked as not known."""
        paid = self._of_the_bank("executed")
        order = self.of(paid, number) if paid and kind == "came back" else None
        cents = order.amount if order else euros * 100 + 7
        line = {
            "charge": lambda: debit(cents, end_to_end_id="", instruction_id="", payment_id=""),
            "receipt": lambda: credit(cents, remittance="A present"),
            "came back": lambda: credit(cents, return_reason="MS03", remittance="Back"),
        }[kind]()
        self._brought(self._paper([line]), BankFile.STATEMENT)
        if kind == "receipt":
            self.model.entries += 1
        self._tells(kind, cents, order)
        self.now = self.after

    # ------------------------------------------------------------------ what people say

    @precondition(lambda self: self.model.told)
    @rule(number=picks, what=st.sampled_from(tuple(Explained)), fits=st.booleans(), debt=picks, who=people)
    def explain(self, number: int, what: Explained, fits: bool, debt: int, who: int) -> None:
        """As a rule something that fits the line is said of it."""
        line: Told = self.of(self.model.told, number)
        if fits and SAID[line.kind]:
            what = self.of(list(SAID[line.kind]), number + debt)
        owed = self.of(self.model.debts, debt) if self.model.debts and what is Explained.RECOVERY else None
        given = Claim(what, self._named(line, what, owed), "The bank said so.")
        allowed = self._may_say(line, what, owed, who)
        found = self.tried(allowed, lambda: services.explain(self.people[who], line.id, given))
        if found is not None:
            line.claim, line.says, line.by, line.debt = found, what.value, who, owed

    def _named(self, line: Told, what: Explained, owed: Debt | None) -> str:
        match what:
            case Explained.ORDER | Explained.RETURN:
                order = line.order or (self.model.orders[0] if self.model.orders else None)
                return get(PaymentOrder, order.id).reference if order else "PCP-2024-P-9999"
            case Explained.RECOVERY:
                return get(Recovery, owed.id).reference if owed else "PCP-2022-G-0001-D9"
            case Explained.FUNDING:
                return get(FundSource, get(Grant, self.grant.grant_id).fund_source_id).number
            case _:
                return ""

    def _may_say(self, line: Told, what: Explained, owed: Debt | None, who: int) -> bool | None:
        if line.booked or line.claim is not None or what not in SAID[line.kind]:
            return False
        if what is Explained.RECOVERY and owed is None:
            return False
        if what in ALWAYS:
            return True
        # Of an order or a debt it depends on where that stands; what its signers say of it is refused for sure.
        signed = what is Explained.ORDER and line.order is not None and not self._may_enter(line.order, who)
        return False if signed else None

    @precondition(lambda self: any(each.claim is not None for each in self.model.told))
    @rule(number=picks, verb=st.sampled_from(("confirm", "confirm", "refuse", "withdraw")), who=people)
    def decide_claim(self, number: int, verb: str, who: int) -> None:
        """Another person confirms it, and it is booked as that; who said it takes it back."""
        line: Told = self.of([each for each in self.model.told if each.claim is not None], number)
        person, claim = self.people[who], line.claim
        allowed: bool | None = who == line.by if verb == "withdraw" else who != line.by
        if allowed and verb == "confirm" and Explained(line.says) not in ALWAYS:
            allowed = None
        deeds: dict[str, Callable[[], Any]] = {
            "confirm": lambda: services.confirm_claim(person, claim) or "confirmed",
            "refuse": lambda: services.refuse_claim(person, claim, reason="It is not.") or "refused",
            "withdraw": lambda: services.withdraw_claim(person, claim) or "withdrawn",
        }
        if self.tried(allowed, deeds[verb], f"{verb}_claim") is None:
            return
        line.claim = None
        if verb == "confirm":
            self._book_line(line, Explained(line.says))

    def _book_line(self, line: Told, what: Explained) -> None:
        """What two people say is booked; what belongs to no grant moves nothing of this one."""
        line.booked = what.value
        match what:
            case Explained.ORDER:
                assert line.order is not None, "an order was named"
                if self._at_bank(line.order):
                    self.model.arrives(line.order)
            case Explained.RETURN:
                assert line.order is not None, "an order was named"
                self.model.comes_back(line.order, unidentified=line.kind == "came back, not known")
            case Explained.RECOVERY:
                assert line.debt is not None, "a debt was named"
                self._identified(line.debt, line.amount, line.on)
            case Explained.SET_ASIDE:
                pass
            case Explained.UNIDENTIFIED:
                # It may still turn out what it is.
                line.booked, line.kind = "", "came back, not known"
                self.model.entries += 1
            case _:
                self.model.entries += 1

    # ------------------------------------------------------------------ lists of executions

    @precondition(lambda self: self._of_the_bank("sent", "acknowledged", "executed"))
    @rule(number=picks, kind=st.sampled_from(("right", "right", "a cent off", "twice", "no row")))
    def list_of_executions(self, number: int, kind: str) -> None:
        """Who has no bank channel brings a list of what the bank carried out: it is booked as a line of the bank is."""
        order: Order = self.of(self._of_the_bank("sent", "acknowledged", "executed"), number)
        cents = order.amount + (kind == "a cent off")
        named, day = get(PaymentOrder, order.id).end_to_end_id, self.now.date()
        row = ";".join((str(named), f"{cents // 100},{cents % 100:02d}", str(day), f"L-{next(numbers)}"))
        text = template(Spelling.COMMA) + ("O-1;x;y;z" if kind == "no row" else row)
        carl, own = actors.carl(), self.account
        made = self.tried(kind != "no row", lambda: services.import_executions(carl, own, text, Spelling.COMMA))
        if made is None:
            return
        self.follows(lambda: services.book_lines(carl, made.id))
        if kind == "twice":
            again = self.follows(lambda: services.import_executions(carl, own, text, Spelling.COMMA))
            assert again.id == made.id, "the same list is the same import"
            self.follows(lambda: services.book_lines(carl, made.id))
        if kind == "a cent off":
            order.named = True
        elif self._at_bank(order):
            self.model.arrives(order)
        self.now += timedelta(weeks=1)
