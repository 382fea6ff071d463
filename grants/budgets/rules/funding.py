"""What stands beside the amounts: who else pays, and the sentences that explain costs of a public administration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grants.budgets.rules.values import BudgetRules, Finding, Nature, OrganisationTotals, Package, Severity, Totals
from grants.core import encoding
from grants.core.errors import Invalid, quoted
from grants.core.money import ZERO, Money, total

NOTE_CHARACTERS_MAX = 400
NAME_CHARACTERS_MAX = 120
SOURCES_MAX = 40


class NoteKind(StrEnum):
    """What a sentence explains."""

    STAFF = "staff"
    VAT = "vat"


class SourceKind(StrEnum):
    """Where money beside the grant comes from."""

    OWN = "own"
    PUBLIC = "public"
    EU = "eu"
    PRIVATE = "private"
    LOAN = "loan"
    IN_KIND = "in_kind"


SOURCE_WORDS: Mapping[SourceKind, str] = {
    SourceKind.OWN: "Own money of a partner",
    SourceKind.PUBLIC: "National, regional or local public money",
    SourceKind.EU: "Another programme of the European Union",
    SourceKind.PRIVATE: "Private money",
    SourceKind.LOAN: "A loan",
    SourceKind.IN_KIND: "In kind",
}


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence about costs of one organisation."""

    organisation_id: UUID
    kind: NoteKind
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Money beside the grant: whose, what kind, how much, and whether it is certain."""

    name: str
    kind: SourceKind
    amount: Money
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What the rules look at beside the amounts. ``public`` are the organisations that are public administrations."""

    packages: Sequence[Package] = ()
    public: Collection[UUID] = ()
    notes: Sequence[Note] = ()
    sources: Sequence[Source] = ()

    def note(self, who: UUID, kind: NoteKind) -> str:
        """The sentence given; empty where there is none."""
        return next((each.text for each in self.notes if (each.organisation_id, each.kind) == (who, kind)), "")


# --- sentences --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A sentence a budget asks of an organisation."""

    organisation_id: UUID
    kind: NoteKind
    amount: Money

    @property
    def place(self) -> str:
        """The id of its field."""
        return note_field(self.organisation_id, self.kind)


def note_field(organisation_id: UUID, kind: NoteKind) -> str:
    """The name and the id of the field in which a sentence is written."""
    return f"note-{kind.value}-{organisation_id}"


_ASKS: Mapping[NoteKind, Nature] = {NoteKind.STAFF: Nature.STAFF, NoteKind.VAT: Nature.PURCHASE}


def asked_sentences(rules: BudgetRules, worked: Totals, public: Collection[UUID]) -> tuple[Asked, ...]:
    """The sentences asked of public administrations: staff (B-09) and recoverable VAT (B-08), where there is money for it."""
    return tuple(
        Asked(row.organisation_id, kind, amount)
        for row in worked.rows
        if row.organisation_id in public
        for kind, nature in _ASKS.items()
        if (amount := _of_nature(rules, row, nature))
    )


def _of_nature(rules: BudgetRules, row: OrganisationTotals, nature: Nature) -> Money:
    pairs = zip(rules.categories, row.amounts, strict=True)
    return total(amount for category, amount in pairs if category.entered and category.nature is nature)


def sentence_findings(rules: BudgetRules, worked: Totals, names: Mapping[UUID, str], beside: Beside) -> list[Finding]:
    """A warning for each sentence that is asked and not given; never a block."""
    found = []
    for asked in asked_sentences(rules, worked, beside.public):
        name = names.get(asked.organisation_id, "One partner")
        given = beside.note(asked.organisation_id, asked.kind)
        if given:
            about = "staff of a public administration" if asked.kind is NoteKind.STAFF else "VAT of a public authority"
            found.append(
                Finding(f"note_{asked.kind}", Severity.KEPT, f"{name}, {about}: explained", f"\u201c{given}\u201d")
            )
            continue
        match asked.kind:
            case NoteKind.STAFF:
                title = f"{name} budgets {asked.amount} for staff of a public administration."
                why = "Its normal work is not eligible; work that is done only because of the grant is."
                remedy = "Say in one sentence which work would not be done without the grant."
            case NoteKind.VAT:
                title = f"{name} budgets {asked.amount} for purchases as a public authority."
                why = "VAT it can recover is not eligible."
                remedy = "Say in one sentence whether the amounts are without VAT, or why it cannot be recovered."
        found.append(Finding(f"note_{asked.kind}", Severity.WARNING, title, why, (), remedy, asked.place))
    return found


def read_note(text: str) -> str:
    """A sentence on one line; raises :class:`Invalid` where it is longer than can be stored."""
    tidy = " ".join(text.split())
    if len(tidy) > NOTE_CHARACTERS_MAX:
        raise Invalid(f"The sentence has {len(tidy)} characters; the limit is {NOTE_CHARACTERS_MAX}. Shorten it.")
    return tidy


# --- co-financing -----------------------------------------------------------------------------------------------


def source_field(number: int, part: str) -> str:
    """The name and the id of one field of the table of sources."""
    return f"source-{number}-{part}"


def checked_source(name: str, kind: SourceKind, amount: Money, *, confirmed: bool) -> Source:
    """A source that can be stored; raises :class:`Invalid` with the parts of the table row that are wrong."""
    tidy = " ".join(name.split())
    problems = {}
    if not tidy:
        problems["name"] = "Say whose money it is."
    elif len(tidy) > NAME_CHARACTERS_MAX:
        problems["name"] = f"The name has {len(tidy)} characters; the limit is {NAME_CHARACTERS_MAX}. Shorten it."
    if not amount:
        problems["amount"] = f"Enter the amount that {quoted(tidy)} gives, or empty the line."
    if problems:
        raise Invalid("A source needs a name and an amount.", problems)
    return Source(tidy, kind, amount, confirmed)


def sources_mark(sources: Sequence[Source]) -> str:
    """A short mark of these sources, by which a form that was overtaken is known."""
    text = json.dumps([encoding.encode(each) for each in sources], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def financing_findings(worked: Totals, sources: Sequence[Source]) -> list[Finding]:
    """The grant and all other sources together pay the total cost, to the cent; a source not confirmed is a warning."""
    if not worked.total or (not sources and worked.requested == worked.total):
        return []
    others = total(source.amount for source in sources)
    gap = worked.total - worked.requested - others
    figures = (("Total cost", worked.total), ("Asked for", worked.requested), ("Other sources", others))
    explanation = f"The total cost is {worked.total}, you ask for {worked.requested}, other sources give {others}."
    if gap > ZERO:
        found = [
            Finding(
                "financing",
                Severity.BROKEN,
                f"{gap} of the total cost is paid by nobody.",
                explanation,
                (*figures, ("Missing", gap)),
                f"Name sources of {gap} more, or reduce the costs.",
                source_field(len(sources), "amount"),
            )
        ]
    elif gap < ZERO and worked.requested == worked.total:
        # Where the call pays all, more costs mean more asked for: no source can ever fit, confirmed or not.
        return [
            Finding(
                "financing",
                Severity.BROKEN,
                "This call pays all costs of this budget, so no other source is needed.",
                explanation,
                (*figures, ("Too much", -gap)),
                f"Take the sources of {others} out of the table, and leave costs that others pay out of this budget.",
                source_field(0, "amount"),
            )
        ]
    elif gap < ZERO:
        found = [
            Finding(
                "financing",
                Severity.BROKEN,
                f"The sources give {-gap} more than is needed.",
                explanation,
                (*figures, ("Too much", -gap)),
                f"Reduce the sources by {-gap}, or raise the costs.",
                source_field(0, "amount"),
            )
        ]
    else:
        found = [
            Finding("financing", Severity.KEPT, "Grant and other sources pay the total cost", explanation, figures)
        ]
    return found + [
        Finding(
            "source",
            Severity.WARNING,
            f"{source.name} has not confirmed {source.amount}.",
            remedy="Tick it once it is certain.",
            place=source_field(number, "confirmed"),
        )
        for number, source in enumerate(sources)
        if not source.confirmed
    ]
