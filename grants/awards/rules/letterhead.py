"""What makes words a letter: who writes to whom and from where, about what, who stands under it, what goes with it, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grants.awards.states import Outcome
from grants.calls.rules.signing import PROGRAMME_SIGNS, Signing
from grants.cities.rules import COUNTRIES
from grants.identity.rules import OrganisationView

REPORT_ANNEX = "Annex: evaluation summary report, which you can read once the results of the call are public."
# What stands where the call names no person.
NOBODY_SIGNS = "For the granting authority"
SIGNED_ELECTRONICALLY = "This letter was issued by the programme’s system and is valid without a signature by hand."


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Everything around the words of a letter, above and below. Each block is lines, as an envelope has them.

    A letter of decision that was frozen before letters had one has none, and is printed as it was.
    """

    sender: tuple[str, ...]
    recipient: tuple[str, ...]
    place: str
    subject: str
    salutation: str
    closing: str
    signature: tuple[str, ...]
    # How it is signed, what goes with it, whom to ask: small, below the signature.
    under: tuple[str, ...]

    def dated(self, sent_on: str) -> str:
        """Place and date as they stand over a letter; before it leaves it has no date.

        >>> letterhead(Addressee("Municipality of Cork"), GrantingAuthority("Pilots"), "PCP-1", "Warm homes", "Call").dated("3 May 2027")
        '3 May 2027'
        """
        return ", ".join(filter(None, (self.place, sent_on or "the date on which it leaves")))

    @property
    def is_unsigned(self) -> bool:
        """Whether no person stands under it: the call names none.

        >>> letterhead(Addressee("City of Cork"), GrantingAuthority("Pilots"), "PCP-1", "Warm homes", "Call").is_unsigned
        True
        """
        return self.signature[:1] == (NOBODY_SIGNS,)

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> Letterhead:
        """A stored one."""
        kept: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
        }
        return cls(**kept)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a letter goes to: the leading organisation by its legal name, and who speaks for it where somebody does."""

    name: str
    contact: str = ""
    street: str = ""
    postcode: str = ""
    town: str = ""
    country_code: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The address as it stands on an envelope; what is not known takes no line.

        >>> Addressee("City of Cork", "Aoife Byrne", "1 Anglesea Street", "T12 T997", "Cork", "IE").lines
        ('City of Cork', 'For the attention of Aoife Byrne', '1 Anglesea Street', 'T12 T997 Cork', 'Ireland')
        >>> Addressee("Cork", town="Cork", country_code="IE").lines
        ('Cork', 'Ireland')
        """
        attention = f"For the attention of {self.contact}" if self.contact else ""
        # A city without a street and a postal code would stand there twice: as who is written to, and as where that is.
        twice = not (self.street or self.postcode) and self.town.casefold() == self.name.casefold()
        return tuple(filter(None, (self.name, attention, *_place_lines(replace(self, town="") if twice else self))))


@dataclass(frozen=True, slots=True)
class GrantingAuthority:
    """Who decides and writes: the programme, and the organisation that runs it where one is named."""

    programme: str
    organisation: OrganisationView | None = None
    # What the call lays down; it goes before what the register says.
    signing: Signing = PROGRAMME_SIGNS

    @property
    def name(self) -> str:
        """Its name; empty where only the programme is known."""
        return self.signing.organisation or (self.organisation.name if self.organisation else "")

    @property
    def lines(self) -> tuple[str, ...]:
        """The head of the letter."""
        known = _place_lines(self.organisation) if self.organisation else ()
        return tuple(filter(None, (self.name, self.programme, *(self.signing.address_lines or known))))

    @property
    def place(self) -> str:
        """Where the letter is written."""
        return self.signing.place or (self.organisation.town or "" if self.organisation else "")

    @property
    def signature(self) -> tuple[str, ...]:
        """Who stands under the letter: whom the call names, else the granting authority.

        >>> GrantingAuthority("Pilot Cities Programme").signature
        ('For the granting authority', 'Pilot Cities Programme')
        >>> GrantingAuthority("Pilots", signing=Signing("Ada Byrne", "Head of Pilots")).signature
        ('Ada Byrne', 'Head of Pilots', 'Pilots')
        """
        person = tuple(filter(None, (self.signing.signed_by, self.signing.role)))
        return tuple(filter(None, (*(person or (NOBODY_SIGNS,)), self.name, self.programme)))

    @property
    def contact_line(self) -> str:
        """Whom to ask, as a letter says it."""
        contact = f"{self.signing.contact.rstrip(' .')}, or " if self.signing.contact else ""
        return f"Questions about this letter: {contact}“Ask the helpdesk” on the page of the application"


def _place_lines(of: Addressee | OrganisationView) -> tuple[str, ...]:
    country = COUNTRIES.get(of.country_code, of.country_code)
    return tuple(filter(None, (of.street, " ".join(filter(None, (of.postcode, of.town))), country)))


def told_words(outcome: Outcome, amount: str, place: str) -> str:
    """An outcome as a team is told it, in a line.

    >>> told_words(Outcome.RESERVE, "", "3"), told_words(Outcome.SELECTED, "EUR 400,000", "")
    ('reserve list, place 3', 'selected, recommended amount EUR 400,000')
    """
    match outcome:
        case Outcome.SELECTED:
            return f"selected, recommended amount {amount}"
        case Outcome.RESERVE:
            return f"reserve list, place {place}" if place else "reserve list"
        case Outcome.NOT_FUNDED | Outcome.BELOW_THRESHOLD:
            return outcome.words.lower()


def letterhead(to: Addressee, by: GrantingAuthority, reference: str, title: str, call: str) -> Letterhead:
    """What stands around the letter of decision on one application.

    >>> found = letterhead(Addressee("City of Cork", "Aoife Byrne"), GrantingAuthority("Pilots"), "PCP-1", "Warm homes", "Pilots 2027")
    >>> found.subject, found.salutation
    ('Decision on application PCP-1, “Warm homes”, in the call “Pilots 2027”', 'Dear Aoife Byrne,')
    """
    return Letterhead(
        sender=by.lines,
        recipient=to.lines,
        place=by.place,
        subject=f"Decision on application {reference}, “{title}”, in the call “{call}”",
        salutation=f"Dear {to.contact}," if to.contact else "Dear applicant,",
        closing="Yours faithfully,",
        signature=by.signature,
        under=(
            SIGNED_ELECTRONICALLY,
            REPORT_ANNEX,
            f"{by.contact_line}, with the reference {reference}.",
        ),
    )
