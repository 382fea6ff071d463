"""Letters that tell the decision, each with its evaluation summary report: what one says, what stands in its way, how far it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.awards.rules.delivery import NO_MAILS, Delivery, Mailed
from grants.awards.rules.letter_words import reason_lacking
from grants.awards.rules.letterhead import Letterhead
from grants.awards.states import LetterState, MailingState, Outcome
from grants.core.errors import Refused
from grants.core.money import Money

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One criterion of the report, each figure as it is written."""

    name: str
    question: str
    score: str
    most: str
    least: str
    comment: str


@dataclass(frozen=True, slots=True)
class Report:
    """The evaluation summary report: official scores, agreed words, what the panel moved and why. Nobody's name, nobody's sheet."""

    rows: tuple[ReportRow, ...]
    total: str = ""
    total_most: str = ""
    total_least: str = ""
    # With the weights of the criteria, or after the panel moved it; empty where that is the total.
    score: str = ""
    score_least: str = ""
    basis: str = ""
    marks: str = ""
    moved: str = ""
    moved_why: str = ""
    text: str = ""


def _hashed(mapping: Mapping[str, Any]) -> bytes:
    text = json.dumps(mapping, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class DecisionText:
    """Everything one letter says, with its report; hashed as a whole, and without it. Dated, it is one that was sent."""

    outcome: Outcome
    programme: str
    call: str
    call_reference: str
    reference: str
    application: str
    lead: str
    paragraphs: tuple[str, ...]
    report: Report
    sent_on: str = ""
    # Within how many days one may complain about it, None where one may not; once sent, until when.
    complaint_days: int | None = None
    complain_until: str = ""
    # What makes it a letter; None in those that were frozen before there was one.
    letterhead: Letterhead | None = None
    # Its outcome in a line, for the history; empty where it has no letterhead.
    outcome_told: str = ""

    @property
    def complaint_words(self) -> str:
        """Until when one may complain, in a sentence; empty where the call takes no complaints about it."""
        if self.complain_until:
            return f"You may complain until {self.complain_until}."
        if self.complaint_days is None:
            return ""
        return f"You may complain within {self.complaint_days} calendar days; the letter names the last one when it leaves."

    @property
    def heading(self) -> str:
        """What the letter tells, in a line."""
        words = {
            Outcome.SELECTED: "is selected",
            Outcome.RESERVE: "is on the reserve list",
            Outcome.NOT_FUNDED: "is not funded",
            Outcome.BELOW_THRESHOLD: "is below a threshold",
        }
        return f"“{self.application}” {words[self.outcome]}"

    @property
    def sha256(self) -> bytes:
        """Over everything it says with its report, in one spelling. Marks are few: who has it finds them by trying."""
        return _hashed(self.to_mapping())

    @property
    def letter_sha256(self) -> bytes:
        """Over the letter without its report, so that it can be shown before the results are public."""
        return _hashed({key: value for key, value in self.to_mapping().items() if key != "report"})

    def dated(self, sent_on: str, complain_until: str = "") -> DecisionText:
        """The letter as it leaves, with its date and the last day for a complaint."""
        return replace(self, sent_on=sent_on, complain_until=complain_until)

    def to_mapping(self) -> dict[str, Any]:
        """As plain JSON, in the spelling that the hashes of letters were taken of: ``frame`` holds the letterhead and its line."""
        spelled = {"schema": SCHEMA, **json.loads(json.dumps(asdict(self)))}
        letterhead, told = spelled.pop("letterhead"), spelled.pop("outcome_told")
        return spelled if letterhead is None else {**spelled, "frame": {**letterhead, "told": told}}

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> DecisionText:
        """A stored letter."""
        report = stored["report"]
        rows = tuple(ReportRow(**row) for row in report["rows"])
        apart = ("schema", "outcome", "paragraphs", "report", "frame")
        rest = {key: value for key, value in stored.items() if key not in apart}
        around = dict(stored.get("frame", {}))
        return cls(
            outcome=Outcome(stored["outcome"]), paragraphs=tuple(stored["paragraphs"]), report=Report(**{**report, "rows": rows}),
            outcome_told=around.pop("told", ""), letterhead=Letterhead.from_mapping(around) if around else None, **rest,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hashes:
    """What the record of a letter has, over the letter alone and over it with its report."""

    letter: str
    both: str

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Hashes:
        """Over a letter as it is stored: one of an earlier shape, read by us now, would come to other ones.

        >>> old = {"lead": "Cork", "report": {}}
        >>> Hashes.of(old).letter == Hashes.of({"lead": "Cork"}).both
        True
        """
        alone = {key: value for key, value in stored.items() if key != "report"}
        return cls(_hashed(alone).hex(), _hashed(stored).hex())


class Hindrance(StrEnum):
    """Why a letter cannot be sent as it stands."""

    NO_OUTCOME = "no_outcome"
    NO_CONSENSUS = "no_consensus"
    REPEATED = "repeated"
    NO_RECIPIENT = "no_recipient"
    EMPTY_PLACE = "empty_place"


@dataclass(frozen=True, slots=True)
class LetterException:
    """One thing that stands in the way of a letter, in words with the way out."""

    kind: Hindrance
    words: str


@dataclass(frozen=True, slots=True)
class LetterRow:
    """One application after the decision: its letter as it would be, or as it is on its way."""

    application_id: UUID
    reference: str
    title: str
    lead: str
    outcome: Outcome | None
    amount: Money | None = None
    text: DecisionText | None = None
    exceptions: tuple[LetterException, ...] = ()
    left_out: str = ""
    left_out_by: str = ""
    # When somebody said that its team was told otherwise.
    told_at: datetime | None = None
    letter_id: UUID | None = None
    version: int = 0
    state: LetterState | None = None
    mailing: int | None = None
    sent_at: datetime | None = None
    sha256: str = ""
    letter_sha256: str = ""
    failure: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    delivery: Delivery = NO_MAILS
    # What each place of its words becomes, while it is still to be prepared.
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> tuple[str, str]:
        """How far it is, in a word with its colour. “Sent” is said only where a mail server took a mail about it."""
        mails = self.delivery
        match self.state:
            case LetterState.SENT if self.acknowledged_at:
                return "Acknowledged", "green"
            case LetterState.SENT if mails.having(Mailed.SENT):
                return ("Sent, not to all", "yellow") if mails.failed else ("Sent", "green")
            case LetterState.SENT if mails.having(Mailed.WAITING):
                return "Mail on the way", "blue"
            case LetterState.SENT if mails.kept:
                return "Kept here", "blue"
            case LetterState.SENT if mails.failed:
                return "Mail not delivered", "red"
            case LetterState.SENT:
                return "On its page", "blue"
            case LetterState.FAILED:
                return "Failed", "red"
            case LetterState.QUEUED:
                return "On the way", "blue"
            case LetterState.PREPARED:
                return "Prepared", "yellow"
            case LetterState.DROPPED | None:
                return self._unprepared

    @property
    def _unprepared(self) -> tuple[str, str]:
        if self.left_out:
            return "Left out", "grey"
        return ("Something is missing", "red") if self.exceptions else ("To be prepared", "grey")

    @property
    def waits(self) -> bool:
        """Whether its letter is still to be prepared."""
        return self.state is None and not self.left_out

    @property
    def blocks(self) -> bool:
        """Whether it keeps the others from being prepared."""
        return self.waits and bool(self.exceptions)


@dataclass(frozen=True, slots=True)
class MailingView:
    """Letters that leave together, as pages show them."""

    id: UUID
    number: int
    state: MailingState
    version: int
    prepared_by: str
    prepared_by_id: UUID
    prepared_at: datetime
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    returned_by: str = ""
    return_reason: str = ""
    letters: int = 0


@dataclass(frozen=True, slots=True)
class TextView:
    """The words of one outcome's letter: those of the house until the programme writes its own."""

    outcome: Outcome
    text: str
    number: int = 0
    written_by: str = ""
    written_at: datetime | None = None

    @property
    def reason_lacking(self) -> str:
        """A warning where the words tell no reason of the decision."""
        return reason_lacking(self.outcome, self.text)


@dataclass(frozen=True, slots=True)
class LettersPage:
    """The letters of a call for one reader; ``hidden`` are those they are kept from, which somebody else looks at."""

    call_id: UUID
    slug: str
    title: str
    reference: str
    zone: str
    decided: bool
    rows: tuple[LetterRow, ...] = ()
    hidden: int = 0
    texts: tuple[TextView, ...] = ()
    mailings: tuple[MailingView, ...] = field(default=())
    # Whether the results of the call are public by now.
    public: bool = False

    def having(self, *states: LetterState) -> int:
        """How many letters stand in one of these states."""
        return sum(row.state in states for row in self.rows)

    @property
    def waiting(self) -> tuple[LetterRow, ...]:
        """Those whose letters are still to be prepared."""
        return tuple(row for row in self.rows if row.waits)

    def example(self, outcome: Outcome) -> LetterRow | None:
        """The first letter with this outcome that waits and can be told: what its places become shows them with data."""
        return next((row for row in self.rows if row.waits and row.places and row.outcome is outcome), None)

    @property
    def blocked(self) -> tuple[LetterRow, ...]:
        """Those with something in the way."""
        return tuple(row for row in self.rows if row.blocks)

    @property
    def left_out(self) -> tuple[LetterRow, ...]:
        """Those left out by name, each with its reason."""
        return tuple(row for row in self.rows if row.left_out and row.state is None)

    @property
    def open_mailing(self) -> MailingView | None:
        """Letters that wait for a second person."""
        return next((each for each in self.mailings if each.state is MailingState.PREPARED), None)

    @property
    def returned(self) -> MailingView | None:
        """The latest mailing where it was given back and its letters wait to be prepared again."""
        latest = next(iter(self.mailings), None)
        return latest if latest is not None and latest.state is MailingState.RETURNED and self.waiting else None

    def prepared_at(self, mailing: int | None) -> datetime | None:
        """When the letters of a mailing were prepared: what they say is of that day."""
        return next((each.prepared_at for each in self.mailings if each.number == mailing), None)

    @property
    def shown_hash(self) -> str:
        """Over every letter that would be prepared now: who prepares them says which they looked at."""
        told = "".join(row.text.sha256.hex() for row in self.waiting if row.text is not None and not row.exceptions)
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def under_way(self) -> bool:
        """Whether letters are being sent at this moment."""
        return any(row.state is LetterState.QUEUED for row in self.rows)


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter as its applicant reads it; ``report`` says whether its report may be read already, and the hash over both shown.

    ``held`` is a letter whose PDF names that hash, as they once did: it is handed out with the report.
    """

    letter_id: UUID
    version: int
    text: DecisionText
    sent_at: datetime
    sha256: str
    letter_sha256: str
    report: bool
    acknowledged_at: datetime | None = None
    has_file: bool = False
    held: bool = False


def refuse_blocked(page: LettersPage) -> None:
    """Raise :class:`Refused` where a letter cannot be sent as it stands and was not left out by name."""
    if page.blocked:
        first = page.blocked[0]
        others = len(page.blocked) - 1
        more = f" {others} more {'has' if others == 1 else 'have'} something in the way." if others else ""
        raise Refused(
            f"{first.reference}: {first.exceptions[0].words}{more} Mend it, or leave the letter out by name with a reason."
        )
    if not page.waiting:
        raise Refused("No letter waits to be prepared: each is prepared, sent or left out by name.")
