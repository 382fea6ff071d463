"""Facts of an organisation as the register keeps them: read, compared with what stands, frozen; and entries that look alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from uuid import UUID

from grants.core import faults
from grants.core.errors import Conflict, Invalid, Refused
from grants.core.text import fold
from grants.identity.rules.organisations import OrganisationInput, OrganisationView
from grants.identity.rules.ror import ror_id
from grants.identity.rules.vat import vat_number
from grants.identity.rules.words import one_line
from grants.identity.states import FactKind, FactStanding

FACT_WORDS: Mapping[FactKind, str] = {
    FactKind.LEGAL_NAME: "Legal name",
    FactKind.PIC: "PIC",
    FactKind.VAT: "VAT number",
    FactKind.REGISTRATION: "National registration number",
    FactKind.ROR: "ROR iD",
    FactKind.LEGAL_FORM: "Legal form",
    FactKind.PUBLIC_BODY: "Public body",
    FactKind.REGISTERED_ADDRESS: "Registered address",
    FactKind.CONTACT_ADDRESS: "Contact address",
    FactKind.WEBSITE: "Website",
    FactKind.NUTS2: "Region of a natural person (NUTS 2)",
}
FACT_CHARACTERS_MAX = 300
SOURCE_CHARACTERS_MAX = 300
REASON_CHARACTERS_MAX = 500
# What an organisation tells of itself, and what stood before the register kept changes.
STATED_BY_ITSELF = "Stated by the organisation"
STATED_BY_OFFICE = "Entered by the programme office"
BEFORE_THE_REGISTER = "Stood here before changes were kept"


@dataclass(frozen=True, slots=True)
class FactLine:
    """One line of the register: a value stated, or validated where ``validated_on`` says when."""

    organisation_id: UUID
    number: int
    kind: FactKind
    value: str
    source: str
    person_id: UUID | None
    person: str
    at: datetime
    validated_on: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What stands of one kind. ``last`` is its newest line, ``validated`` the newest validated one, if any."""

    kind: FactKind
    value: str
    last: FactLine | None = None
    validated: FactLine | None = None

    @property
    def words(self) -> str:
        """What this kind of fact is called."""
        return FACT_WORDS[self.kind]

    @property
    def shown(self) -> str:
        """The value as people read it."""
        return (
            {"yes": "Yes", "no": "No"}.get(self.value, self.value) if self.kind is FactKind.PUBLIC_BODY else self.value
        )

    def standing(self, on: date) -> FactStanding:
        """How far the fact can be relied on that day.

        A validated fact that was changed is not validated any more, and says so.
        """
        if not self.value:
            return FactStanding.CHANGED if self.validated else FactStanding.MISSING
        if self.validated is None:
            return FactStanding.NOT_VALIDATED
        if self.last != self.validated or self.value != self.validated.value:
            # A line after it with the same value took the validation back.
            return FactStanding.CHANGED if self.validated.value != self.value else FactStanding.NOT_VALIDATED
        until = self.validated.valid_until
        return FactStanding.EXPIRED if until is not None and until <= on else FactStanding.VALIDATED


@dataclass(frozen=True, slots=True)
class ValidationInput:
    """What staff say when they validate a fact: by what, on which day, until when it holds."""

    source: str
    checked_on: date
    valid_until: date | None = None

    def checked(self, today: date) -> ValidationInput:
        """This input tidy; raises :class:`Invalid` with a sentence for each field."""
        problems: dict[str, str] = {}
        source = one_line(self.source, characters_max=SOURCE_CHARACTERS_MAX)
        if not source:
            problems["source"] = "Say what you validated it by, for example an extract of the register and its date."
        if self.checked_on > today:
            problems["checked_on"] = "This day is not here yet. Enter the day on which you looked at the evidence."
        if self.valid_until is not None and self.valid_until <= max(self.checked_on, today):
            problems["valid_until"] = "The fact would have run out already. Enter a later day, or leave it empty."
        if problems:
            raise Invalid("The fact is not validated yet.", problems)
        return ValidationInput(source, self.checked_on, self.valid_until)


def address_line(view: OrganisationView) -> str:
    """Street, postcode and town, country in one line; empty where neither street nor town is known."""
    place = " ".join(filter(None, (view.postcode, view.town)))
    if not (view.street or place):
        return ""
    return ", ".join(filter(None, (view.street, place, view.country_code)))


def of_columns(view: OrganisationView) -> Mapping[FactKind, str]:
    """Facts that stand in the entry itself, beside their lines."""
    return {
        FactKind.LEGAL_NAME: view.name,
        FactKind.PIC: view.pic or "",
        FactKind.REGISTERED_ADDRESS: address_line(view),
        FactKind.WEBSITE: view.website or "",
    }


def facts_of(view: OrganisationView, lines: Iterable[FactLine]) -> tuple[Fact, ...]:
    """Every fact of one organisation, in the order of the page; ``lines`` in any order."""
    last: dict[FactKind, FactLine] = {}
    validated: dict[FactKind, FactLine] = {}
    for line in sorted((each for each in lines if each.organisation_id == view.id), key=lambda each: each.number):
        last[line.kind] = line
        if line.validated_on is not None:
            validated[line.kind] = line
    columns = of_columns(view)
    return tuple(
        Fact(kind, columns.get(kind, last[kind].value if kind in last else ""), last.get(kind), validated.get(kind))
        for kind in FactKind
    )


def stated_facts(values: OrganisationInput) -> Mapping[FactKind, str]:
    """The facts of a checked input in their one spelling, but for those of the entry itself."""
    return {
        FactKind.VAT: vat_number(one_line(values.vat or ""), values.country_code) or "",
        FactKind.REGISTRATION: _line(values.registration),
        FactKind.ROR: ror_id(values.ror) or "",
        FactKind.LEGAL_FORM: _line(values.legal_form),
        FactKind.PUBLIC_BODY: {True: "yes", False: "no", None: ""}[values.public_body],
        FactKind.CONTACT_ADDRESS: _line(values.contact_address),
        FactKind.NUTS2: (values.nuts2 or "").strip().upper(),
    }


def _line(text: str | None) -> str:
    return one_line(text or "", characters_max=FACT_CHARACTERS_MAX)


def frozen_facts(facts: Sequence[Fact]) -> dict[str, str]:
    """What a submission freezes beside name and PIC, which it holds already: values by kind, without those missing."""
    held = {FactKind.LEGAL_NAME, FactKind.PIC}
    return {fact.kind.value: fact.value for fact in facts if fact.value and fact.kind not in held}


def refuse_own_word(stated_by: UUID | None, actor_id: UUID | None) -> None:
    """Refuse to have a fact validated by the person who stated it, whatever became of it since."""
    faults.point("four_eyes")
    if stated_by is not None and stated_by == actor_id:
        raise Refused("You entered this fact yourself. A colleague must validate it.")


def refuse_own_organisation(organisation_id: UUID, own: Collection[UUID]) -> None:
    """Refuse to have a fact validated by somebody of the organisation it is about."""
    faults.point("four_eyes")
    if organisation_id in own:
        raise Refused("You belong to this organisation. A colleague who does not must validate its facts.")


def why_not_validate(
    *, stated_by: UUID | None, actor_id: UUID | None, organisation_id: UUID, own: Collection[UUID]
) -> str:
    """Why this person cannot validate a fact, as the act would refuse it; empty where they can."""
    try:
        refuse_own_organisation(organisation_id, own)
        refuse_own_word(stated_by, actor_id)
    except Refused as error:
        return str(error)
    return ""


def refuse_unseen(fact: Fact, shown: str) -> None:
    """Refuse to validate anything but what the person looked at."""
    if not fact.value:
        raise Refused(f"There is no {fact.words} to validate. Ask the organisation to enter it.")
    if fact.value != shown:
        raise Conflict(f"The {fact.words} was changed while you looked at it. It now says “{fact.shown}”.")


# Entries that look alike


@dataclass(frozen=True, slots=True)
class Entry:
    """What is compared of an organisation."""

    id: UUID
    name: str
    country_code: str
    local_name: str | None = None
    pic: str | None = None
    vat: str = ""


# How alike two names are from which on a person should look, of 1 for the same letters.
ALIKE_MIN = 0.9
# Words that say of what kind an organisation is, not which one.
_KIND_WORDS = frozenset(
    [
        "municipality",
        "city",
        "town",
        "commune",
        "comune",
        "commune",
        "ville",
        "de",
        "of",
        "the",
        "stadt",
        "gmina",
        "miasto",
        "ayuntamiento",
        "concello",
        "camara",
        "municipal",
        "municipio",
        "kommun",
        "kommune",
        "opstina",
        "opcina",
        "grad",
        "gemeente",
        "gemeinde",
        "di",
        "du",
        "da",
        "la",
        "le",
        "el",
        "and",
    ]
)


def name_key(name: str) -> str:
    """The words by which names are compared, in one order, without those that only say the kind.

    >>> name_key("Municipality of Łódź"), name_key("Lodz, City of")
    ('lodz', 'lodz')
    """
    words = "".join(letter if letter.isalnum() else " " for letter in fold(name)).split()
    telling = sorted(word for word in words if word not in _KIND_WORDS)
    return " ".join(telling or sorted(words))


def alike(one: Entry, other: Entry) -> str:
    """Why two entries may be the same organisation, in words; empty where nothing says so.

    >>> alike(Entry(UUID(int=1), "City of Łódź", "PL"), Entry(UUID(int=2), "Lodz", "PL"))
    'Nearly the same name'
    """
    if one.pic and one.pic == other.pic:
        return "The same PIC"
    if one.vat and one.vat == other.vat:
        return "The same VAT number"
    if one.country_code != other.country_code:
        return ""
    pairs = ((a, b) for a in _names(one) for b in _names(other))
    return "Nearly the same name" if any(_near(a, b) for a, b in pairs) else ""


def _names(entry: Entry) -> tuple[str, ...]:
    return tuple(name_key(name) for name in (entry.name, entry.local_name or "") if name.strip())


def _near(one: str, other: str) -> bool:
    if one == other:
        return True
    matcher = SequenceMatcher(None, one, other)
    return (
        matcher.real_quick_ratio() >= ALIKE_MIN and matcher.quick_ratio() >= ALIKE_MIN and matcher.ratio() >= ALIKE_MIN
    )


def pairs_alike(entries: Sequence[Entry]) -> tuple[tuple[Entry, Entry, str], ...]:
    """Pairs that share a PIC, a VAT number or, in one country, the telling words of a name; each pair once, in order.

    Names that are only nearly the same are compared on the page of one organisation: here it would be each with each.
    """
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        keys: set[tuple[str, ...]] = {("name", entry.country_code, name) for name in _names(entry)}
        keys |= {(kind, value) for kind, value in (("pic", entry.pic or ""), ("vat", entry.vat)) if value}
        for key in keys:
            groups.setdefault(key, []).append(entry)
    found: dict[tuple[UUID, UUID], tuple[Entry, Entry, str]] = {}
    for group in groups.values():
        for place, one in enumerate(group):
            for other in group[place + 1 :]:
                first, second = in_order(one.id, other.id)
                found.setdefault((first, second), (one, other, alike(one, other)))
    return tuple(sorted(found.values(), key=lambda pair: (pair[0].country_code, pair[0].name, str(pair[1].id))))


def in_order(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """A pair as it is kept."""
    return (one, other) if one < other else (other, one)
