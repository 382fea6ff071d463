"""How an order is kept in its circuit: who must differ, no own account, never more than is payable. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.identity.rules.standing_in import Tie, tied_by
from grants.payments.states import Step

STEP_PEOPLE: Mapping[Step, str] = {
    Step.PREPARED: "the initiator",
    Step.VERIFIED: "the verifier",
    Step.AUTHORISED: "the authorising officer",
    Step.SENT: "the accounting officer",
}


Signed = Mapping[Step, UUID]
# Two steps that need different people.
Pair = frozenset[Step]

ALL_PAIRS: frozenset[Pair] = frozenset(frozenset(pair) for pair in combinations(Step, 2))
# What every circuit keeps: initiator, authorising officer and accounting officer differ on every order (F1).
ALWAYS_APART: frozenset[Pair] = frozenset(
    frozenset(pair) for pair in combinations((Step.PREPARED, Step.AUTHORISED, Step.SENT), 2)
)
# What a circuit may leave to one person, in the order of the steps.
MAY_MEET: tuple[tuple[Step, Step], ...] = (
    (Step.PREPARED, Step.VERIFIED),
    (Step.VERIFIED, Step.AUTHORISED),
    (Step.VERIFIED, Step.SENT),
)


@dataclass(frozen=True, slots=True)
class Circuit:
    """Which steps of an order need different people, and since when that holds; None where nothing was ever set."""

    apart: frozenset[Pair] = ALL_PAIRS
    since: datetime | None = None
    number: int | None = None

    @property
    def words(self) -> str:
        """Who must differ, in a sentence.

        >>> Circuit().words
        'Initiator, verifier, authorising officer and accounting officer are four different people.'
        >>> Circuit(ALL_PAIRS - {frozenset({Step.PREPARED, Step.VERIFIED})}).words
        'Initiator, authorising officer and accounting officer are three different people; the verifier may also be the initiator.'
        """
        return apart_words(self.apart)


DEFAULT_CIRCUIT = Circuit()


def apart_words(apart: frozenset[Pair]) -> str:
    """Who must differ, in a sentence."""
    if apart == ALL_PAIRS:
        return "Initiator, verifier, authorising officer and accounting officer are four different people."
    met = [first if second is Step.VERIFIED else second for first, second in MAY_MEET if {first, second} not in apart]
    others = " or ".join(STEP_PEOPLE[step] for step in met)
    return (
        "Initiator, authorising officer and accounting officer are three different people; "
        f"the verifier may also be {others}."
    )


def pair_code(pair: Iterable[Step]) -> str:
    """How the record names a pair.

    >>> pair_code((Step.VERIFIED, Step.PREPARED))
    'prepared/verified'
    """
    return "/".join(sorted(step.value for step in pair))


def pair_of(code: str) -> Pair:
    """The pair of that name."""
    return frozenset(Step(each) for each in code.split("/"))


def refuse_fewer_apart(apart: frozenset[Pair], standing: frozenset[Pair]) -> None:
    """No circuit has fewer than three people apart, and a new one says something new."""
    faults.point("four_eyes")
    if not ALWAYS_APART <= apart <= ALL_PAIRS:
        raise Refused("Initiator, authorising officer and accounting officer are always three different people.")
    if apart == standing:
        raise Invalid("This is the circuit that holds already.", {"meets": "Change who may also verify, or leave it."})


def circuit_at(circuits: Iterable[Circuit], at: datetime) -> Circuit:
    """The circuit that held at a moment, which is that of every order prepared then.

    >>> circuit_at([], datetime(2024, 5, 1)) == Circuit()
    True
    """
    held = [each for each in circuits if each.since is not None and each.since <= at]
    return max(held, key=lambda each: (each.since, each.number), default=DEFAULT_CIRCUIT)


def refuse_same_person(signed: Signed, step: Step, user_id: UUID | None, circuit: Circuit = DEFAULT_CIRCUIT) -> None:
    """As many different people on each order as its circuit says: refuse whoever took a step that is kept apart from this."""
    faults.point("four_eyes")
    if user_id is None:
        raise Refused("A person must take this step, not the program.")
    if (earlier := is_kept_apart(signed, step, user_id, circuit)) is not None:
        raise Refused(
            f"You are {STEP_PEOPLE[earlier]} of this order; {STEP_PEOPLE[step]} must be somebody else. Ask a colleague with that role."
        )


def is_kept_apart(signed: Signed, step: Step, user_id: UUID | None, circuit: Circuit) -> Step | None:
    """The step this person took that the circuit keeps apart from another; None where they may take it."""
    taken = (one for one, person in signed.items() if person == user_id and one is not step)
    return next((one for one in taken if frozenset({one, step}) in circuit.apart), None)


def refuse_own_account(people: Iterable[UUID | None], user_id: UUID | None) -> None:
    """Nobody verifies or authorises an order to an account he or she entered or confirmed (I15).

    To send what others approved is open to who confirmed the account, and not to who entered it
    (:func:`refuse_sending_to_own_account`).
    """
    faults.point("four_eyes")
    if user_id in set(people):
        raise Refused(
            "You entered or confirmed the bank account of this order, so you cannot verify or authorise it. Ask a colleague."
        )


def refuse_tied_account(
    people: Iterable[tuple[UUID | None, datetime | None]], ties: Iterable[Tie], at: datetime
) -> None:
    """Nor does who counts as one, now or when they did it, with somebody of ``people``: who entered or confirmed it, and when."""
    faults.point("four_eyes")
    tie = tied_by(people, ties, at)
    if tie is not None:
        raise Refused(
            f"{tie.name} entered or confirmed the bank account of this order, and {tie.how}: you count as one person. Ask a "
            "colleague."
        )


def refuse_sending_to_own_account(entered_by: UUID, user_id: UUID | None, reference: str) -> None:
    """Who entered an account, in whatever role they then had, does not send money to it."""
    faults.point("four_eyes")
    if entered_by == user_id:
        raise Refused(
            f"You entered the bank account of order {reference}, so its payment is not yours to send or to book. Ask another "
            "accounting officer."
        )


def refuse_impersonating(on_behalf_of: UUID | None) -> None:
    """Steps of the circuit are taken by people themselves; who stands in for somebody signs with their own name."""
    faults.point("four_eyes")
    if on_behalf_of is not None:
        raise Refused(
            "Nobody moves money on somebody else's behalf. They do it themselves, or a stand-in appointed in writing does."
        )


def refuse_over_payable(payable: Money, ordered: Money, amount: Money) -> None:
    """The orders of a request together never exceed what is payable (I12)."""
    faults.point("ceiling")
    left = payable - ordered
    if amount <= ZERO:
        raise Invalid("The amount is missing.", {"amount": "Enter an amount above zero."})
    if amount > left:
        raise Refused(
            f"{left} of {payable} is left to order; {amount} is {amount - left} more. Lower the amount, or cancel another order first."
        )


def refuse_value_date(value_on: date, sent_on: date, today: date) -> None:
    """The bank's value date lies between the day the file left and today."""
    if not sent_on <= value_on <= today:
        raise Invalid(
            "The value date cannot be right.",
            {
                "value_on": f"The file left on {clock.long_date(sent_on)}. Enter the day the bank booked the payment, from that day to today."
            },
        )


def shares_of(amount: Money, still_open: Sequence[tuple[UUID | None, Money]]) -> tuple[tuple[UUID | None, Money], ...]:
    """A payment over the partners in proportion to their open commitments; never more than one has open."""
    faults.point("ceiling")
    if amount > total(each for _, each in still_open):
        raise Refused(
            f"{total(each for _, each in still_open)} of the commitment is open; {amount} cannot be paid. Look at the ledger of this grant."
        )
    parts = amount.split([each.cents for _, each in still_open])
    return tuple((partner, part) for (partner, _), part in zip(still_open, parts, strict=True) if part)
