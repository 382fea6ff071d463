"""The terms of a signed agreement that can change, the changes themselves, and what they stand on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from grants.agreements.rules.maxima import Held
from grants.agreements.rules.terms import Limits, Percentages, ScheduleLine, Share
from grants.agreements.states import AmendmentKind
from grants.budgets.rules import BudgetContent
from grants.core import clock
from grants.core.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class MilestoneTerm:
    """A milestone as the agreement states it."""

    number: int
    title: str
    criterion: str
    due_on: date


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What an amendment can change of a signed grant; everything else of it stands."""

    starts_on: date
    ends_before: date
    shares: tuple[Share, ...]
    milestones: tuple[MilestoneTerm, ...]
    schedule: tuple[ScheduleLine, ...]
    limits: Limits
    special_conditions: str = ""
    # What was changed of the description of the action, in words; empty for nothing.
    description: str = ""
    # Whose account is paid, its number masked.
    account: str = ""
    # The grant's own budget; None for a grant from before it had one.
    budget: BudgetContent | None = None

    @property
    def maximum(self) -> Money:
        """The maximum grant."""
        return total(share.maximum for share in self.shares)

    @property
    def months(self) -> int:
        """How long the action runs."""
        return clock.months_between(self.starts_on, self.ends_before)

    def share(self, organisation_id: UUID) -> Money:
        """The maximum of one beneficiary; nothing for who is none."""
        return next((each.maximum for each in self.shares if each.organisation_id == organisation_id), ZERO)


@dataclass(frozen=True, slots=True)
class Move:
    """Part of the budget moves from one place to another; without a giver it is added, without a taker it is dropped."""

    amount: Money
    giver: UUID | None = None
    giver_category: str = ""
    taker: UUID | None = None
    taker_category: str = ""


@dataclass(frozen=True, slots=True)
class BudgetShift:
    """Maxima of the beneficiaries, and the budget behind them; their sum may rise within what the call has, or fall."""

    shares: tuple[Share, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class PartnerIn:
    """An organisation becomes a beneficiary; ``shares`` are the maxima of all, the newcomer's with them."""

    organisation_id: UUID
    # When it signed that no reason for exclusion applies to it, and when the lists of sanctions were looked through.
    declared_on: date
    checked_on: date
    shares: tuple[Share, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class PartnerOut:
    """A beneficiary leaves: what it consumed stays its maximum; ``shares`` are the maxima of the others."""

    organisation_id: UUID
    leaves_on: date
    shares: tuple[Share, ...]
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """The action ends later; milestones not reported yet may get later days."""

    ends_before: date
    milestone_days: tuple[tuple[int, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is done changes, in words: the description, special conditions, milestones not reported yet. No amount, no day."""

    description: str
    special_conditions: str
    milestones: tuple[MilestoneTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountChange:
    """The agreement states the coordinator's account that is paid now: two people have confirmed it before, as every account."""

    account_id: UUID
    words: str


Change = BudgetShift | PartnerIn | PartnerOut | Extension | Scope | AccountChange

KINDS: Mapping[AmendmentKind, type[Change]] = {
    AmendmentKind.BUDGET_SHIFT: BudgetShift,
    AmendmentKind.PARTNER_IN: PartnerIn,
    AmendmentKind.PARTNER_OUT: PartnerOut,
    AmendmentKind.EXTENSION: Extension,
    AmendmentKind.SCOPE: Scope,
    AmendmentKind.BANK_ACCOUNT: AccountChange,
}


def kind_of(change: Change) -> AmendmentKind:
    """Which kind of amendment makes a change."""
    return next(kind for kind, made in KINDS.items() if isinstance(change, made))


@dataclass(frozen=True, slots=True)
class Footing:
    """What a change stands on beside the terms: the rules of the call, and what has happened to the grant by now."""

    percentages: Percentages
    interim_months: tuple[int, ...]
    report_days: int
    payment_days: int
    today: date
    coordinator_id: UUID
    # Pre-financing is authorised: it and what was withheld of it are no longer worked out anew.
    prefinanced: bool = False
    # Milestones that were reported or accepted.
    fixed: frozenset[int] = frozenset()
    held: Mapping[UUID, Held] = field(default_factory=dict)
    # Who left it, or does not accede to it any more; of who left, the first day without its part.
    gone: frozenset[UUID] = frozenset()
    left: Mapping[UUID, date] = field(default_factory=dict)
    # Whose part is to end by a confirmed termination that was not carried out yet, and the first day without it.
    ending: Mapping[UUID, date] = field(default_factory=dict)
    # When the earliest report period begins that is not settled.
    unsettled_from: date | None = None
    # Work packages whose lump sum is declared or accepted.
    packages: tuple[str, ...] = ()
    counted_to_ceiling: Money = ZERO
    # What the call has available, and when its parent grant ends.
    available: Money = ZERO
    parent_ends_on: date | None = None
    final_amount: Money | None = None
    names: Mapping[UUID, str] = field(default_factory=dict)
    # The coordinator's account that is confirmed and paid now, if one is.
    paid_accounts: frozenset[UUID] = frozenset()
    # What of the newcomer the register of organisations does not know yet.
    entity_missing: str = ""

    def name(self, organisation_id: UUID) -> str:
        """Of an organisation, for sentences."""
        return self.names.get(organisation_id, "a partner")

    def of(self, organisation_id: UUID) -> Held:
        """What is bound of its maximum."""
        return self.held.get(organisation_id, Held())
