"""The small model of one grant that the random walk of all acts is measured against: sums in cents, and what may happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from grants.ledger.accounts import Account
from tests.soak.reference import apportioned

MAXIMUM, CEILING, PREFINANCING, RETENTION = 600_000_00, 540_000_00, 240_000_00, 30_000_00
# Of which the city and the agency have these parts.
SHARES = {"city": 400_000_00, "agency": 200_000_00}
# What is paid in advance once more, where so many per cent of what was paid before are used.
ADDITIONAL, THRESHOLD = 100_000_00, 70
IN_ADVANCE = ("prefinancing", "additional")
# What each step of an order comes after, and who may not take it: whoever took one of these steps.
STEPS = {"verify": "prepared", "authorise": "verified", "build": "authorised", "send": "in_file", "execute": "sent"}
BECOMES = {"verify": "verified", "authorise": "authorised", "build": "in_file", "send": "sent", "execute": "executed"}
NOT_BY = {
    "verify": ("prepare",),
    "authorise": ("prepare", "verify"),
    "build": ("prepare", "verify", "authorise"),
    "send": ("prepare", "verify", "authorise"),
    "execute": ("prepare", "verify", "authorise"),
}


@dataclass
class Asked:
    """A payment request."""

    id: Any
    kind: str
    requested: int
    # The number of the report that asks for it.
    report: int | None = None
    state: str = "submitted"
    approved: int = 0
    payable: int = 0
    retained: int = 0
    replaced: bool = False
    # Its clock stands still, and who stopped it.
    suspended_by: int | None = None
    # What no order pays: set off, or cancelled unpaid.
    set_off: int = 0
    cancelled: int = 0
    # Of how much that was paid in advance the city stated to have used how much.
    advanced: int = 0
    used: int = 0
    # Who registered and verified it, where its call asks for that; whether it is with the city to be completed.
    registered_by: int | None = None
    verified_by: int | None = None
    returned: bool = False
    # Its days were counted anew; who reckoned interest for its late payment, which nobody decided yet.
    restarted: bool = False
    reckoned_by: int | None = None

    @property
    def is_interest(self) -> bool:
        """Whether it pays interest: beside the grant, by accounts of its own."""
        return self.kind == "interest"


@dataclass
class Order:
    """A payment order, and who took which step of it."""

    id: Any
    request: Asked
    amount: int
    by: dict[str, int]
    state: str = "prepared"
    # The file it was put into last, whatever became of that.
    file: Any = None
    file_on: date | None = None
    # A line of the bank stands unexplained that may be of it.
    named: bool = False
    # The account it goes to: how often that was replaced before.
    account: int = 0
    # The order that came back and is issued again by it.
    instead_of: Order | None = None
    # What it was to pay was cancelled unpaid after it came back.
    given_up: bool = False
    # Interest was reckoned for it.
    reckoned: bool = False


@dataclass
class Debt:
    """A recovery, and who took which step of it."""

    id: Any
    amount: int
    proposed_by: int
    by_balance: bool = True
    state: str = "proposed"
    confirmed_by: int | None = None
    owed: int = 0
    # What of the interest on it is owed; and what is reckoned and not confirmed, by whom.
    interest: int = 0
    reckoned: int | None = None
    reckoned_by: int | None = None
    # Paid after its last day, in cents, and not reckoned yet.
    late: int = 0
    touched_interest: set[int] = field(default_factory=set)
    reply_until: date | None = None
    due_on: date | None = None


@dataclass
class Guarantee:
    """What secures the pre-financing, and who recorded it."""

    id: Any
    amount: int
    valid_until: date
    by: int


@dataclass
class Certificate:
    """A certificate on what a partner declared, by its state, and who brought it."""

    id: Any
    state: str = "wanted"


@dataclass
class Told:
    """A line of the bank that does not explain itself, and what is said of it."""

    id: Any
    kind: str
    amount: int
    on: date
    order: Order | None = None
    booked: str = ""
    claim: Any = None
    says: str = ""
    by: int = 0
    debt: Debt | None = None


@dataclass
class Passed:
    """What the coordinator says it passed on to the partner."""

    id: Any
    amount: int
    state: str = "reported"


@dataclass
class Model:
    """One grant: what its accounts hold, and everything that was asked for and ordered."""

    sums: dict[Account, int] = field(
        default_factory=lambda: dict.fromkeys(KEPT, 0) | {Account.LEGALLY_COMMITTED: MAXIMUM}
    )
    requests: list[Asked] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    # What each accepted report was accepted for, by its number; the last one is the final report.
    reports: dict[int, int] = field(default_factory=dict)
    final: int | None = None
    last_report: int | None = None
    debts: list[Debt] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    # What a request passes before its decision; whether pre-financing waits for a guarantee, and the one that stands.
    path: str = "decided"
    guarantee_asked: bool = False
    guarantee: Guarantee | None = None
    # From which contribution a certificate is asked of a partner, and those that were.
    certificate_from: int | None = None
    certificates: dict[str, Certificate] = field(default_factory=dict)
    closed: bool = False
    entries: int = 0
    maximum: int = MAXIMUM
    ceiling: int = CEILING
    prefinancing: int = PREFINANCING
    retention: int = RETENTION
    additional: int = ADDITIONAL
    # Partners' maxima are no longer those of the beginning: what a decision means for each is read off the books then.
    moved: bool = False
    # The whole grant is suspended; its end is confirmed or has come; how often the account that is paid was replaced.
    held: int | None = None
    ending: bool = False
    over: bool = False
    account: int = 0
    # What stands open and may be in the way of the closing: a termination or an amendment that waits.
    waiting: set[str] = field(default_factory=set)

    def move(self, **changes: int) -> None:
        """One entry: these accounts change by so much."""
        self.add(**changes)
        self.entries += 1

    def add(self, **changes: int) -> None:
        """What these accounts changed by, where the entries are counted apart."""
        for name, change in changes.items():
            self.sums[Account[name]] += change

    @property
    def counted(self) -> int:
        """What counts against the ceiling."""
        sums = self.sums
        on_its_way = sums[Account.PAYABLE] + sums[Account.IN_TRANSIT] + sums[Account.RETURNED]
        interest = sums[Account.INTEREST_COSTS] - sums[Account.INTEREST_PAYABLE] - sums[Account.INTEREST_IN_TRANSIT]
        return on_its_way + sums[Account.RETENTION] - sums[Account.BANK] - interest

    def left(self, request: Asked) -> int:
        """What of a request is not ordered yet."""
        ordered = sum(
            each.amount
            for each in self.orders
            if each.request is request and each.state != "cancelled" and each.instead_of is None
        )
        return request.payable - ordered - request.set_off

    def issued_again(self, order: Order) -> bool:
        """Whether another order stands for one that came back."""
        return any(each.instead_of is order and each.state != "cancelled" for each in self.orders)

    def debts_in(self, *states: str) -> list[Debt]:
        """The recoveries in one of these states."""
        return [each for each in self.debts if each.state in states]

    def final_requested(self) -> int:
        """What the balance asks for: everything accepted and not refused."""
        latest = {each.report: each for each in self.requests if each.kind == "interim"}

        def counts(number: int, accepted: int) -> int:
            request = latest.get(number)
            if request is None or request.state == "submitted":
                return accepted
            return 0 if request.state == "rejected" else request.approved

        asked = sum(counts(number, accepted) for number, accepted in self.reports.items())
        return min(self.maximum, asked, self._certified())

    def contributions(self) -> dict[str, int]:
        """What of everything accepted is each partner's, by their maxima of the beginning."""
        found = dict.fromkeys(SHARES, 0)
        for accepted in self.reports.values():
            for partner, part in apportioned(accepted, SHARES).items():
                found[partner] += part
        return found

    def wanted_certificates(self) -> set[str]:
        """Whose contribution reaches the sum from which a certificate is asked for."""
        least = self.certificate_from
        return {who for who, part in self.contributions().items() if least is not None and part >= least}

    def _certified(self) -> int:
        """What counts where a certificate was done without: of that partner what needs none."""
        without = {who for who, each in self.certificates.items() if each.state == "without"}
        return sum(
            min(part, self.certificate_from or part) if who in without else part
            for who, part in self.contributions().items()
        )

    def _waits_for_certificates(self) -> bool:
        done = {who for who, each in self.certificates.items() if each.state in ("accepted", "without")}
        return bool(self.wanted_certificates() - done)

    def wanted(self, request: Asked) -> int:
        """What a request asks for now."""
        return self.final_requested() if request.kind == "balance" else request.requested

    def may_decide(self, request: Asked, approved: int, who: int, today: date) -> bool:
        """Whether this person may approve so much of a request."""
        wanted = self.wanted(request)
        if self.closed or self.final is not None or request.state != "submitted" or not 0 <= approved <= wanted:
            return False
        if not self._passed(request, who):
            return False
        if request.kind == "balance":
            open_ones = any(each is not request and each.state == "submitted" for each in self.requests)
            wants = self._claims_what_nobody_had(approved) or self._waits_for_certificates()
            return not open_ones and not wants
        if wanted and not approved:
            return False
        if request.kind == "interim":
            return True
        most = {"prefinancing": self.prefinancing, "additional": self.additional}
        secured = request.kind not in IN_ADVANCE or self._secured(approved, who, today)
        return secured and approved <= min(most[request.kind], self.room)

    def _passed(self, request: Asked, who: int) -> bool:
        """Whether it passed what its call asks for, by others."""
        whole = {"decided": True, "verified": request.verified_by is not None}[self.path]
        return whole and not request.returned and who not in (request.registered_by, request.verified_by)

    def counts_days(self, request: Asked) -> bool:
        """Whether its clock has started: by its registration where its call verifies requests, but not for pre-financing."""
        by_registration = self.path == "verified" and request.kind not in ("prefinancing", "interest")
        return not by_registration or request.registered_by is not None

    def _secured(self, approved: int, who: int, today: date) -> bool:
        """Whether the guarantee that is asked for covers it, is valid, and is somebody else's."""
        found = self.guarantee
        if not self.guarantee_asked:
            return True
        # What is open of what was paid in advance before is under it too.
        covered = found is not None and found.amount >= approved + self.sums[Account.PREFINANCING]
        return found is not None and covered and found.valid_until >= today and found.by != who

    def of_request(self, request: Asked, *states: str) -> list[Order]:
        """The orders of a request in one of these states."""
        return [each for each in self.orders if each.request is request and each.state in states]

    @property
    def room(self) -> int:
        """What is left below the ceiling."""
        return max(self.ceiling - self.counted, 0)

    def _claims_what_nobody_had(self, final: int) -> bool:
        """Whether a balance would claim money back while pre-financing is approved and unpaid (0052)."""
        ahead, kept = self.sums[Account.PREFINANCING], self.sums[Account.RETENTION]
        after = ahead - (final - self.sums[Account.GRANT_COSTS]) - kept
        unpaid = any(self.unpaid(each) > 0 for each in self.requests if each.kind in IN_ADVANCE)
        return unpaid and ahead > 0 and after > 0

    def paid(self, request: Asked) -> int:
        """What of a request the bank paid and did not return."""
        return sum(each.amount for each in self.orders if each.request is request and each.state == "executed")

    def unpaid(self, request: Asked) -> int:
        """What of a decided request nobody was paid yet."""
        if not request.state.startswith("decided"):
            return 0
        return request.payable - self.paid(request) - request.set_off

    def back(self, request: Asked) -> list[Order]:
        """The orders of a request that came back and that no other stands for."""
        return [
            each
            for each in self.orders
            if each.request is request and each.state in ("bank_rejected", "returned") and not self.issued_again(each)
        ]

    # ------------------------------------------------------------------ paid in advance once more, or cancelled

    @property
    def first(self) -> Asked:
        """The newest request for pre-financing."""
        return [each for each in self.requests if each.kind == "prefinancing"][-1]

    def asked_in_addition(self, paid: int, used: int) -> int:
        """What may be asked for: less by what is missing to the threshold."""
        return max(self.additional - max(paid * THRESHOLD // 100 - used, 0), 0)

    def may_ask_in_addition(self, used: int) -> bool:
        """Whether the city may state its use and ask, with the first wholly paid and nothing else asked for since."""
        first = self.first
        paid = first.payable - first.cancelled
        asked = any(
            each.kind == "balance" or (each.kind == "additional" and each.state != "rejected") for each in self.requests
        )
        goes_on = not (self.closed or self.over or self.ending or asked) and self.final is None
        wholly = first.state.startswith("decided") and self.unpaid(first) == 0 and paid > 0
        return goes_on and wholly and self.room > 0 and used <= paid and self.asked_in_addition(paid, used) > 0

    def cancellable(self, request: Asked) -> tuple[int, int]:
        """What of a request can be cancelled unpaid, and what was retained of it with that; nothing where it may not be."""
        unpaid, ahead, back = self.unpaid(request), self.sums[Account.PREFINANCING], self.back(request)
        returned = sum(each.amount for each in back)
        if request.kind not in IN_ADVANCE or self.final is not None:
            return 0, 0
        amount = min(unpaid, ahead)
        if amount <= 0 or unpaid != self.left(request) + returned or (back and amount < unpaid):
            return 0, 0
        kept = request.retained if unpaid == request.payable else 0
        return amount, kept if amount + kept <= ahead else 0

    def cancel(self, request: Asked, amount: int, kept: int) -> None:
        """E27: nobody was paid ahead."""
        back = self.back(request)
        returned = sum(each.amount for each in back)
        self.move(PREFINANCING=-amount - kept, RETENTION=-kept, RETURNED=-returned, PAYABLE=returned - amount)
        for each in back:
            each.given_up = True
        request.cancelled, request.set_off = request.cancelled + amount, request.set_off + amount
        if amount == request.payable:
            request.state = "cancelled"

    def renew(self) -> None:
        """A balance that waits asks for what counts now; where that is another amount, what was verified falls away."""
        for each in self.requests:
            if each.kind == "balance" and each.state == "submitted" and each.requested != self.final_requested():
                each.requested, each.verified_by = self.final_requested(), None

    # ------------------------------------------------------------------ decisions

    def decide(self, request: Asked, approved: int) -> None:
        """Book a decision, as the agreement says."""
        wanted, sums = self.wanted(request), self.sums
        before = sums[Account.PAYABLE]
        match request.kind:
            case "prefinancing":
                request.retained = kept = min(self.retention, approved)
                self.move(PREFINANCING=approved, RETENTION=kept, PAYABLE=approved - kept)
            case "additional":
                self.move(PREFINANCING=approved, PAYABLE=approved)
            case "interim":
                paid = min(approved, self.room)
                cleared = min(approved - paid, sums[Account.PREFINANCING])
                if paid + cleared:
                    self.move(GRANT_COSTS=paid + cleared, PREFINANCING=-cleared, PAYABLE=paid)
            case _:
                self._settle(approved)
        request.approved, request.payable = approved, sums[Account.PAYABLE] - before
        request.state = "decided" if approved == wanted else "decided in part"
        self.renew()

    def _settle(self, final: int) -> None:
        sums = self.sums
        change = final - sums[Account.GRANT_COSTS]
        if change > 0:
            covered = min(change, sums[Account.PREFINANCING])
            self.move(GRANT_COSTS=change, PREFINANCING=-covered, PAYABLE=change - covered)
        elif change < 0:
            self.move(GRANT_COSTS=change, PREFINANCING=-change)
        if kept := sums[Account.RETENTION]:
            covered = min(kept, sums[Account.PREFINANCING])
            self.move(RETENTION=-kept, PREFINANCING=-covered, PAYABLE=kept - covered)
        self.final = final

    def may_step(self, order: Order, step: str, who: int) -> bool:
        """Whether this person may take this step of an order now."""
        if step in ("verify", "authorise", "build", "send") and order.account != self.account:
            return False
        if step == "execute" and order.state == "acknowledged":
            return who not in {order.by.get(each) for each in NOT_BY[step]}
        return order.state == STEPS[step] and who not in {order.by.get(each) for each in NOT_BY[step]}

    def step(self, order: Order, step: str, who: int) -> None:
        """Take a step, and book it where money moves."""
        order.by[step], order.state = who, BECOMES[step]
        if step == "send":
            self.leaves(order)
        elif step == "execute":
            self.arrives(order)

    def leaves(self, order: Order) -> None:
        """Its file is with the bank."""
        cents = order.amount
        if order.request.is_interest:
            self.move(INTEREST_PAYABLE=-cents, INTEREST_IN_TRANSIT=cents)
        elif order.instead_of is not None:
            self.move(RETURNED=-cents, IN_TRANSIT=cents)
        else:
            self.move(PAYABLE=-cents, IN_TRANSIT=cents)

    def arrives(self, order: Order) -> None:
        """The bank carried it out; interest consumes nothing of a grant."""
        order.state, cents = "executed", order.amount
        if order.request.is_interest:
            self.move(INTEREST_IN_TRANSIT=-cents, BANK=-cents)
        else:
            self.move(IN_TRANSIT=-cents, BANK=-cents, CONSUMED=cents, LEGALLY_COMMITTED=-cents)

    def rejected(self, order: Order) -> None:
        """The bank refused it."""
        order.state, cents = "bank_rejected", order.amount
        if order.request.is_interest:
            self.move(INTEREST_IN_TRANSIT=-cents, INTEREST_PAYABLE=cents)
        else:
            self.move(IN_TRANSIT=-cents, RETURNED=cents)

    def comes_back(self, order: Order, *, unidentified: bool = False) -> None:
        """It was paid and came back to the bank, where it may have stood as not known what for."""
        order.state, cents = "returned", order.amount
        if order.request.state == "cancelled":
            order.request.state = "decided"
        here = {"UNIDENTIFIED": -cents} if unidentified else {"BANK": cents}
        if order.request.is_interest:
            self.move(INTEREST_PAYABLE=cents, **here)
        else:
            self.move(RETURNED=cents, CONSUMED=-cents, LEGALLY_COMMITTED=cents, **here)

    def may_close(self) -> bool:
        """Whether everything is settled."""
        open_debts = self.debts_in("proposed", "pre_informed", "observed", "confirmed", "issued", "part_paid")
        settled = not open_debts and not any(self.sums[each] for each in OPEN)
        return not self.closed and self.final is not None and settled


KEPT = (
    Account.PAYABLE, Account.IN_TRANSIT, Account.BANK, Account.PREFINANCING, Account.RETENTION, Account.GRANT_COSTS,
    Account.CONSUMED, Account.LEGALLY_COMMITTED, Account.RECOVERY_RECEIVABLE, Account.RETURNED, Account.WAIVED,
    Account.INTEREST_RECEIVABLE, Account.INTEREST_INCOME, Account.OFFSET_BETWEEN_GRANTS, Account.UNIDENTIFIED,
    Account.INTEREST_PAYABLE, Account.INTEREST_IN_TRANSIT, Account.INTEREST_COSTS,
)  # fmt: skip
OPEN = (
    Account.PAYABLE, Account.IN_TRANSIT, Account.RETENTION, Account.PREFINANCING, Account.RECOVERY_RECEIVABLE,
    Account.RETURNED, Account.INTEREST_RECEIVABLE, Account.INTEREST_PAYABLE, Account.INTEREST_IN_TRANSIT,
)  # fmt: skip
