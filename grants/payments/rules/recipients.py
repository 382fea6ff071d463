"""What is published of a recipient (F18): name, purpose, amount and place; of a natural person the region alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from grants.awards.states import WithheldGround
from grants.core.money import Money

WITHHELD = "Withheld"


@dataclass(frozen=True, slots=True)
class RecipientFacts:
    """What is known of one beneficiary of a grant; ``region`` (NUTS 2) is that of a natural person, empty of all others."""

    grant: str
    position: int
    call: str
    call_title: str
    name: str
    purpose: str
    amount: Money
    coordinates: bool
    town: str
    country: str
    region: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class Recipient:
    """One line of the list as it is published; ``ground`` says why name, purpose and place are left out."""

    key: str
    grant: str
    call: str
    call_title: str
    name: str
    purpose: str
    amount: Money
    role: str
    place: str
    country: str
    signed_on: date
    ground: str = ""

    @property
    def is_withheld(self) -> bool:
        """Whether it stands without its name."""
        return bool(self.ground)


def published(facts: RecipientFacts, ground: WithheldGround | None) -> Recipient:
    """The line that everybody may read: the amount always, the name unless it is withheld.

    >>> from grants.core.money import euros
    >>> person = RecipientFacts("PCP-2022-G-0001", 1, "PCP-2022-C-0001", "First call", "Jan Kowalski", "Bees on roofs",
    ...     euros(9_000), False, "Lublin", "PL", "PL81", date(2023, 5, 2))
    >>> published(person, None).place
    'PL81'
    >>> held = published(person, WithheldGround.RIGHTS)
    >>> held.name, held.purpose, held.place, held.grant, held.amount.cents
    ('Withheld', '', '', '', 900000)
    """
    key = f"{facts.grant}.{facts.position}"
    if ground is not None:
        # The reference of the grant would name it too: its public page does.
        return Recipient(
            *(key, "", facts.call, facts.call_title, WITHHELD, "", facts.amount, "", "", "", facts.signed_on),
            ground=ground.words,
        )
    return Recipient(
        *(key, facts.grant, facts.call, facts.call_title, facts.name, facts.purpose, facts.amount),
        role="Coordinator" if facts.coordinates else "Partner",
        # Of a natural person no town: with the name it would be an address (F18).
        place=facts.region or facts.town,
        country=facts.country,
        signed_on=facts.signed_on,
    )
