"""What may be taken of a partner's maximum, and what may be given to it: the one guard for whatever moves maxima. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grants.core.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Held:
    """What of one partner's maximum is bound: open and consumed commitment by the ledger, what is on its way to it (payable,
    in transit, returned), and what counts of its costs in accepted reports, be it booked or not yet."""

    open: Money = ZERO
    consumed: Money = ZERO
    on_the_way: Money = ZERO
    accepted: Money = ZERO


def least(maximum: Money, held: Held) -> Money:
    """The least a partner's maximum may become: never below what it consumed and has on its way, nor below its accepted costs.

    >>> least(Money(100), Held(open=Money(60), consumed=Money(40), on_the_way=Money(15))).cents
    55
    """
    return max(held.consumed + held.on_the_way, maximum - held.open + held.on_the_way, held.accepted, ZERO)


def lowering_problem(name: str, maximum: Money, new: Money, held: Held) -> str:
    """Why a partner's maximum cannot become ``new``; empty where it can. Raising is bounded by others."""
    floor = least(maximum, held)
    if new >= min(floor, maximum):
        return ""
    return (
        f"The maximum of {name} would fall to {new}, but {floor} of it is paid, on its way or accepted. "
        f"Leave it at least {floor}."
    )


def raising_problem(name: str, maximum: Money, new: Money, *, gone: bool) -> str:
    """Why a partner that is bound no more gets no more money; empty where it can."""
    if not gone or new <= maximum:
        return ""
    return (
        f"{name} left this grant, or its accession was ended, so the agreement binds it no more: its maximum stays at most {maximum}. "
        "Raise another partner, or have another organisation join."
    )


def packages_problem(codes: Sequence[str]) -> str:
    """Why neither maxima nor budget move where lump sums are declared or accepted; empty where none are.

    Every package is worth what the maxima and the budget make it, and what is accepted of one is kept in per cent.
    """
    if not codes:
        return ""
    return (
        f"The lump sums of {', '.join(codes)} are declared or accepted already, and each follows from the budget and the maxima. So "
        "neither moves any more. Take back what is only declared, or change what is done, or its end, without moving budget."
    )
