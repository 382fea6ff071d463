"""A pay run as a bank is told of it: who pays whom how much, when and why. Frozen values; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from grants.core.money import Money


class Layout(StrEnum):
    """The versions of the ISO 20022 message for credit transfers that banks of the euro area take."""

    V03 = "pain.001.001.03"
    V09 = "pain.001.001.09"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address in its parts; ``lines`` are what somebody kept unparted, which no bank takes any more."""

    country: str = ""
    town: str = ""
    postcode: str = ""
    street: str = ""
    building: str = ""
    lines: tuple[str, ...] = ()

    @property
    def given(self) -> bool:
        """Whether any of it is there; an empty address is written as none."""
        return any((self.country, self.town, self.postcode, self.street, self.building, self.lines))


NO_ADDRESS = Address()


@dataclass(frozen=True, slots=True)
class Account:
    """An account by its IBAN, compact and in capitals, and the BIC of its bank where it is known."""

    iban: str
    bic: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Who pays or is paid, by the name the account is held in."""

    name: str
    account: Account
    address: Address = NO_ADDRESS


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment of a run. ``end_to_end_id`` comes back on statements and names this payment for ever."""

    instruction_id: str
    end_to_end_id: str
    amount: Money
    payee: Party
    remittance: str = ""


@dataclass(frozen=True, slots=True)
class PayRun:
    """Payments of one account that leave as one file on one day.

    ``created_at`` is the moment of the act, with its zone: the same run gives the same bytes. Without ``batch_booking`` each
    payment is a line of the statement, which is what it is matched by. Raises ``ValueError`` for a moment without zone.
    """

    message_id: str
    payment_id: str
    created_at: datetime
    execution_on: date
    debtor: Party
    transfers: tuple[Transfer, ...]
    layout: Layout = Layout.V09
    service_level: str = "SEPA"
    charge_bearer: str = "SLEV"
    batch_booking: bool = False

    def __post_init__(self) -> None:
        if self.created_at.tzinfo is None:
            raise ValueError("A pay run is created at a moment with a zone.")

    @property
    def cents(self) -> int:
        """The control sum in cents."""
        return sum(each.amount.cents for each in self.transfers)

    @property
    def stamp(self) -> str:
        """The moment of creation as the file says it: UTC, whole seconds."""
        return self.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decimal(cents: int) -> str:
    """Cents as a file of payments writes them: a point, two decimals, no groups.

    >>> decimal(5), decimal(1_234_50)
    ('0.05', '1234.50')
    """
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"
