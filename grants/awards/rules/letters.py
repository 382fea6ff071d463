"""Letters that tell the decision, each with its evaluation summary report: texts of a call with named places, what stands in their way."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.awards.rules.delivery import NO_MAILS, Delivery, Mailed
from grants.awards.rules.letterhead import Letterhead
from grants.awards.states import LetterState, MailingState, Outcome
from grants.calls.rules import Criterion, Half
from grants.core.errors import Invalid, Refused, there_are
from grants.core.money import Money
from grants.dossiers.markup import Block, BlockKind, blocks
from grants.dossiers.rules import clean_text, count_words

TEXT_WORDS_MAX = 1_000
SCHEMA = 1
_PLACE = re.compile(r"\{([^{}]*)\}")

# What a text may name in braces, and what stands there in the letter.
PLACES: Mapping[str, str] = {
    "application": "Title of the application",
    "reference": "Reference of the application",
    "lead": "Name of the leading organisation",
    "call": "Title of the call",
    "call_reference": "Reference of the call",
    "programme": "Name of the programme",
    "requested": "What the application asked for",
    "score": "Its official score, with the highest possible one; only in letters sent once the results are public",
    "complaints": "What the call says on complaints",
    "results_public": "From when the results of the call are public",
}
_WHY = "Which rule kept it out, as the confirmed list says it, and where that list departs from the published rules, as sentences"
_ONLY: Mapping[Outcome, Mapping[str, str]] = {
    Outcome.SELECTED: {
        "amount": "The recommended amount",
        "conditions": "On which conditions it is selected, as a sentence",
    },
    Outcome.RESERVE: {"why": _WHY, "reserve_place": "Its place on the reserve list"},
    Outcome.NOT_FUNDED: {"why": _WHY},
    Outcome.BELOW_THRESHOLD: {
        "below": "Which threshold it does not reach, as a sentence; with the marks once the results are public"
    },
}

_REPORT = "The evaluation summary report goes with this letter: the scores, and what the evaluators agreed to tell you. You can read it once the results of the call are public: {results_public}."
_OBJECT = "How you can object: {complaints}"

# What is sent until the programme writes its own words.
HOUSE_TEXTS: Mapping[Outcome, str] = {
    Outcome.SELECTED: f"""We are glad to tell you that the application “{{application}}” ({{reference}}) of {{lead}} is selected in the call “{{call}}”. The recommended amount is {{amount}}.

{{conditions}}

This is the selection decision, not yet the grant award. The grant is awarded when due diligence is passed and both sides have signed the grant agreement; until then nothing is due to you.

{_REPORT}

{_OBJECT}""",
    Outcome.RESERVE: f"""The application “{{application}}” ({{reference}}) of {{lead}} to the call “{{call}}” reached every threshold. {{why}} It stands on the reserve list at place {{reserve_place}}.

No money is set aside for it. If money becomes free and the programme decides to support it after all, we write to you; nothing happens by itself.

{_REPORT}

{_OBJECT}""",
    Outcome.NOT_FUNDED: f"""The application “{{application}}” ({{reference}}) of {{lead}} to the call “{{call}}” reached every threshold. {{why}} It will not be funded.

{_REPORT}

{_OBJECT}""",
    Outcome.BELOW_THRESHOLD: f"""The application “{{application}}” ({{reference}}) of {{lead}} to the call “{{call}}” will not be funded. {{below}}

{_REPORT}

{_OBJECT}""",
}


def places_of(outcome: Outcome) -> dict[str, str]:
    """What a letter of that outcome may name, with what stands there."""
    return {**PLACES, **_ONLY[outcome]}


def checked_text(outcome: Outcome, text: str) -> str:
    """The words of a letter; raises :class:`Invalid` for a place that does not exist, a single brace, too many words.

    >>> checked_text(Outcome.RESERVE, "Place {reserve_place}")
    'Place {reserve_place}'
    """
    cleaned = clean_text(text)
    wrong = ""
    known = places_of(outcome)
    unknown = dict.fromkeys(f"{{{name}}}" for name in _PLACE.findall(cleaned) if name not in known)
    rest = _PLACE.sub("", cleaned)
    alone = "A brace stands alone. Write a place as {application}, with both braces." if {*rest} & {*"{}"} else ""
    if not cleaned:
        wrong = "Write the words of the letter, or keep those that stand."
    elif unknown:
        named = f"There is no place {' and no place '.join(unknown)} in this letter."
        wrong = f"{named} {there_are('{' + name + '}' for name in known)} {alone}".strip()
    elif alone:
        wrong = alone
    elif (words := count_words(cleaned)) > TEXT_WORDS_MAX:
        wrong = f"The letter has {words} words; the limit is {TEXT_WORDS_MAX}. Cut {words - TEXT_WORDS_MAX}."
    if wrong:
        raise Invalid("The words were not kept.", {"text": wrong})
    return cleaned


# The place that says why, in the letters of outcomes that nobody hoped for.
_REASON: Mapping[Outcome, str] = {
    Outcome.RESERVE: "why", Outcome.NOT_FUNDED: "why", Outcome.BELOW_THRESHOLD: "below"
}  # fmt: skip


def reason_lacking(outcome: Outcome, text: str) -> str:
    """What whoever writes or sends these words must know where they tell no reason of the decision; empty where they do.

    >>> reason_lacking(Outcome.NOT_FUNDED, "Not funded. {why}"), reason_lacking(Outcome.SELECTED, "Selected.")
    ('', '')
    """
    place = _REASON.get(outcome)
    if place is None or place in _PLACE.findall(text):
        return ""
    return (
        f"The words of the letter “{outcome.words}” do not have the place {{{place}}}, so no applicant reads in it why the "
        f"decision is so. Write {{{place}}} where the reason shall stand, unless the words tell it themselves."
    )


def below_words(criteria: Sequence[Criterion], halves: Mapping[str, Half]) -> str:
    """Which threshold is not reached, without a mark: what a letter may tell before the results are public."""
    bars = ((one.name, one.threshold_half, halves.get(one.key)) for one in criteria)
    missed = [name for name, least, given in bars if least is not None and given is not None and given < least]
    return f"It does not reach the threshold for {' and for '.join(missed) if missed else 'the score as a whole'}."


def empty_words(name: str, *, public: bool) -> str:
    """Why there is nothing to write in a place, and what to do."""
    if name == "score" and not public:
        return "No score is told before the results are public. Take {score} out of the text, or publish them first."
    return f"There is nothing to write for {{{name}}}. Take it out of the text."


def filled(text: str, values: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paragraphs of a letter, and the places for which there is nothing to write.

    >>> filled("Dear {lead},\\n\\n{below}", {"lead": "Ærøsted", "below": ""})
    (('Dear Ærøsted,', ''), ('below',))
    """
    empty = tuple(dict.fromkeys(name for name in _PLACE.findall(text) if not values.get(name, "").strip()))
    # What is put in is never read for places again: a title may hold braces.
    told = [_as_lines(block) for block in blocks(text)]
    return tuple(_PLACE.sub(lambda found: values.get(found[1], "").strip(), part) for part in told), empty


def _as_lines(block: Block) -> str:
    """A paragraph as one line, however it was broken while it was typed; a list keeps a line for each item."""
    between = " " if block.kind is BlockKind.PARAGRAPH else "\n"
    return between.join(" ".join(line.split()) for line in block)


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
        raise Refused("No letter waits to be prepared.")
