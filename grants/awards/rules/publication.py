"""What is published of a decided list: the pilots, the others, and when that may not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.awards.states import AmountBasis, EndedElsewhere
from grants.budgets.rules import Cell
from grants.calls.rules import ResultsInput
from grants.core import clock
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.dossiers.rules import clean_text

PILOTS_MAX = 500


@dataclass(frozen=True, slots=True)
class PublishedPilot:
    """One pilot of an outcome that was published elsewhere; the first organisation leads.

    A synthetic amount says so wherever it is shown; ``synthetic_note`` says which figures are invented.
    """

    title: str
    organisations: tuple[UUID, ...]
    amount: Money
    amount_basis: AmountBasis
    acronym: str = ""
    source_url: str = ""
    summary: str = ""
    synthetic_note: str = ""
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedOther:
    """An application of an outcome published elsewhere that got no grant, and how it ended; the first organisation leads.

    ``requested`` is what it asked for; nothing is reserved for it. ``synthetic_note`` says what of it is invented.
    """

    title: str
    organisations: tuple[UUID, ...]
    ended: EndedElsewhere
    reason: str
    requested: Money = ZERO
    summary: str = ""
    synthetic_note: str = ""

    @property
    def recorded(self) -> str:
        """Its summary followed by how it ended, as its page shows it."""
        return " ".join(filter(None, (self.summary.strip(), f"{self.ended.words}: {self.reason.strip()}")))


@dataclass(frozen=True, slots=True)
class PublishedOutcome:
    """A whole outcome with the page it was published on; ``others`` are the applications that got no grant."""

    source_url: str
    source_title: str
    reason: str
    pilots: tuple[PublishedPilot, ...]
    others: tuple[PublishedOther, ...] = ()

    def checked(self) -> PublishedOutcome:
        """The same outcome; raises :class:`Invalid` when a source, a pilot or a title is missing."""
        wrong: dict[str, str] = {}
        if not self.source_url.startswith(("https://", "http://")):
            wrong["source_url"] = "Give the address of the page that published the outcome, beginning with https://."
        if not self.source_title.strip():
            wrong["source_title"] = "Give the title of that page."
        if not clean_text(self.reason):
            wrong["reason"] = "Write why the outcome is recorded here."
        if not 0 < len(self.pilots) <= PILOTS_MAX:
            wrong["pilots"] = f"An outcome has from 1 to {PILOTS_MAX} pilots."
        for number, pilot in enumerate(self.pilots, 1):
            if not pilot.title.strip():
                wrong["pilots"] = f"Pilot {number} has no title."
            if not pilot.organisations:
                wrong["pilots"] = f"“{pilot.title}” names no lead organisation."
            if pilot.amount <= ZERO:
                wrong["pilots"] = (
                    f"“{pilot.title}” has no amount above zero. Write what the pilot was granted, or leave it out."
                )
            if pilot.amount_basis is AmountBasis.REQUESTED:
                wrong["pilots"] = f"“{pilot.title}”: a published amount is published or synthetic, never requested."
        wrong |= self._wrong_others()
        if wrong:
            raise Invalid("The outcome was not recorded.", wrong)
        return self

    def _wrong_others(self) -> dict[str, str]:
        wrong: dict[str, str] = {}
        if len(self.others) > PILOTS_MAX:
            wrong["others"] = f"An outcome has at most {PILOTS_MAX} applications that got no grant."
        for number, other in enumerate(self.others, 1):
            if not other.title.strip():
                wrong["others"] = f"Application {number} without a grant has no title."
            if not other.organisations:
                wrong["others"] = f"“{other.title}” names no lead organisation."
            if not clean_text(other.reason):
                wrong["others"] = f"“{other.title}” does not say why it got no grant."
            if other.requested < ZERO:
                wrong["others"] = f"“{other.title}” asks for less than nothing."
        return wrong

    @property
    def asked(self) -> Money:
        """What all pilots get together."""
        return total(pilot.amount for pilot in self.pilots)


@dataclass(frozen=True, slots=True)
class Decided:
    """How far the selection of a call is: what two people confirmed, what waits, who has no result yet."""

    confirmed: int
    open_list: int | None
    without_result: int
    submitted_here: int


def refuse_unpublishable(found: Decided) -> None:
    """Raise :class:`Refused` where results cannot be published yet: they are decided by two people, for everybody."""
    if found.open_list is not None:
        raise Refused(
            f"List {found.open_list} of this call waits for a second person. Results are published once it is confirmed."
        )
    if not found.confirmed:
        raise Refused(
            "The selection of this call is not decided. Results are published once one person has decided the list "
            "and another has confirmed it."
        )
    if found.without_result:
        many = found.without_result != 1
        raise Refused(
            f"{found.without_result} {'applications' if many else 'application'} of this call "
            f"{'have' if many else 'has'} no result yet. Every applicant is told first, then results are published."
        )


@dataclass(frozen=True, slots=True)
class PublicationView:
    """A publication one person proposed and another has still to look at."""

    id: UUID
    version: int
    given: ResultsInput
    without_letters: str
    prepared_by: str
    prepared_by_id: UUID
    prepared_at: datetime

    @property
    def from_words(self) -> str:
        """From when, on the clock of the call."""
        local = self.given.local
        return "public at once" if local is None else f"public from {clock.long_date(local.date())}, {local:%H:%M}"


def untold_words(untold: int) -> str:
    """How many were not told by a letter, and the way out.

    >>> untold_words(1)[:58]
    '1 application has no letter of decision that was sent. Sen'
    """
    many = untold != 1
    return (
        f"{untold} {'applications have' if many else 'application has'} no letter of decision that was sent. Send "
        f"{'them' if many else 'it'} first, or write why the results are published without."
    )


@dataclass(frozen=True, slots=True)
class Withheld:
    """A selected application everybody reads nothing of, and why: the ground, the reason that is stored, who stands behind it.

    ``entry`` is what was written by name; without one the letter that tells its team first ends it. One that is not
    selected any more stays withheld: selected again it would not be named.
    """

    application_id: UUID
    reference: str
    title: str
    ground: str
    reason: str
    name: str
    since: datetime | None
    entry: UUID | None = None
    withheld_by: UUID | None = None
    selected: bool = True
    # By when another person confirms or ends it, and who did.
    confirm_by: datetime | None = None
    confirmed_name: str = ""

    @property
    def waits(self) -> bool:
        """Whether one person alone withholds it, so that another has to look at it."""
        return self.entry is not None and not self.confirmed_name

    def is_late(self, at: datetime) -> bool:
        """Whether nobody looked at it in time; it stays withheld."""
        return self.waits and self.confirm_by is not None and self.confirm_by < at


def withheld_words(number: int) -> str:
    """What everybody reads of awards that are withheld by name: that there are some, and nothing of them; of none, nothing.

    >>> withheld_words(1)
    '1 selected application is not named here, for a reason that is on the record of the programme.'
    """
    if not number:
        return ""
    many = number != 1
    return (
        f"{number} selected {'applications are' if many else 'application is'} not named here, "
        f"for {'reasons that are' if many else 'a reason that is'} on the record of the programme."
    )


def gone_words(declined: int, dropped: int) -> str:
    """What everybody reads of those that were selected and get no grant: how many, and nothing of them; of none, nothing.

    >>> gone_words(1, 0), gone_words(0, 0)
    ('1 application was selected, and declined the grant.', '')
    >>> gone_words(2, 1)
    '2 applications were selected, and declined the grant. 1 application was selected, and no agreement with it came about.'
    """
    return " ".join(
        f"{number} {'applications were' if number != 1 else 'application was'} selected, and {what}."
        for number, what in (
            (declined, "declined the grant"),
            (dropped, f"no agreement with {'it' if dropped == 1 else 'them'} came about"),
        )
        if number
    )


@dataclass(frozen=True, slots=True)
class Award:
    """A selected application as everybody reads it: who leads, where, how much. No rank, no score, nobody's name."""

    title: str
    lead: str
    country: str
    cities: str
    amount: Money
    decided_on: date | None = None
    invented: bool = False
    # What the pilot does, in words that two people stand behind; empty where nobody published any.
    description: str = ""
