"""Whether a payment could be carried to its end by the people there are, and whose absence would stop it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.core import clock
from grants.payments.rules.circuit import ALWAYS_APART, Circuit
from grants.payments.states import Step

DEEDS: Mapping[Step, str] = {
    Step.PREPARED: "prepare",
    Step.VERIFIED: "verify",
    Step.AUTHORISED: "authorise",
    Step.SENT: "send",
}
REMEDY = "Have two administrators appoint a stand-in, or give the role to another person."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A payment on its way: which steps are left, and who could take each, by name."""

    reference: str
    due_on: date
    circuit: Circuit
    # In the order of the steps; nobody where a tuple is empty.
    left: Mapping[Step, tuple[UUID, ...]]
    # The steps whose role anybody holds at all.
    held: frozenset[Step] = frozenset(Step)
    # Pairs of people who count as one, as one stands in for the other.
    tied: frozenset[frozenset[UUID]] = frozenset()


def can_be_done(
    left: Sequence[tuple[Step, tuple[UUID, ...]]],
    circuit: Circuit,
    tied: frozenset[frozenset[UUID]] = frozenset(),
    taken: Sequence[tuple[Step, UUID]] = (),
) -> bool:
    """Whether the steps left can be taken by people whom nothing keeps apart.

    >>> one = UUID(int=1)
    >>> can_be_done([(Step.AUTHORISED, (one,)), (Step.SENT, (one,))], Circuit())
    False
    """
    if not left:
        return True
    (step, people), *rest = left
    return any(
        can_be_done(rest, circuit, tied, [*taken, (step, person)])
        for person in people
        if not any(_clash(circuit, tied, (step, person), earlier) for earlier in taken)
    )


def _clash(
    circuit: Circuit, tied: frozenset[frozenset[UUID]], one: tuple[Step, UUID], other: tuple[Step, UUID]
) -> bool:
    (step, person), (earlier, before) = one, other
    if person != before:
        return frozenset({person, before}) in tied
    return frozenset({step, earlier}) in circuit.apart | ALWAYS_APART


def warnings(waiting: Iterable[Waiting], names: Mapping[UUID, str]) -> tuple[str, ...]:
    """What stops a payment that is due, or would when one person is away: a sentence for each cause, the gravest first."""
    causes: dict[tuple[int, str], list[Waiting]] = {}
    for each in waiting:
        for cause in _causes(each, names):
            causes.setdefault(cause, []).append(each)
    return tuple(
        f"{words.format(_counted(found))} {REMEDY}" for (_, words), found in sorted(causes.items(), key=_first)
    )


def _first(item: tuple[tuple[int, str], list[Waiting]]) -> tuple[int, str]:
    return item[0]


def _causes(each: Waiting, names: Mapping[UUID, str]) -> Iterable[tuple[int, str]]:
    nobody = [step for step, people in each.left.items() if not people]
    for step in nobody:
        why = "all who hold the role are kept from it" if step in each.held else "nobody holds the role then"
        yield 0, f"Nobody can {DEEDS[step]} {{}}: {why}."
    if nobody:
        return
    left = list(each.left.items())
    if not can_be_done(left, each.circuit, each.tied):
        yield 0, "Too few different people hold the roles of the circuit for {}."
        return
    for person in sorted({person for people in each.left.values() for person in people}, key=lambda one: names[one]):
        without = [(step, tuple(one for one in people if one != person)) for step, people in left]
        if not can_be_done(without, each.circuit, each.tied):
            yield 1, f"If {names[person]} is away, nobody stands in and {{}} cannot be paid."


def _counted(found: Sequence[Waiting]) -> str:
    first = min(found, key=lambda each: (each.due_on, each.reference))
    said = f"{first.reference}, due {clock.long_date(first.due_on)}"
    return said if len(found) == 1 else f"{said}, and {len(found) - 1} more"
