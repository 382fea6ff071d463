"""Questions answered for everybody: until when they are taken, and that nothing public tells who asked.

Everybody gets the same answer at the same time (equal treatment of applicants), so a question is public or set aside.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

from grants.calls.rules.values import CallView
from grants.calls.states import CallState
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.text import fold, without_turns

# Where a call does not say until when: so many days before its deadline, so that every answer can still be used.
QUESTION_DAYS = 7
# So many questions of one person may wait for an answer at once.
WAITING_MAX = 10
QUESTION_CHARACTERS_MAX = 2_000
ANSWER_CHARACTERS_MAX = 6_000
NOTE_CHARACTERS_MAX = 500

# Words of an organisation's name that many share, and so tell nothing of one.
_SHARED = frozenset(
    [
        "administration",
        "agency",
        "association",
        "authority",
        "centre",
        "city",
        "climate",
        "college",
        "company",
        "consortium",
        "council",
        "county",
        "district",
        "energy",
        "europe",
        "european",
        "foundation",
        "group",
        "institute",
        "municipal",
        "municipality",
        "office",
        "organisation",
        "pilot",
        "programme",
        "public",
        "region",
        "regional",
        "research",
        "services",
        "society",
        "town",
        "transport",
        "university",
        "urban",
    ]
)
_TELLING_LETTERS = 4


@dataclass(frozen=True, slots=True)
class AskInput:
    """A question as somebody asks it, and the section of the form it is about."""

    text: str
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """A question and its answer as everybody will read them.

    ``sure`` says that words which may tell who asked were looked at and tell nothing.
    """

    question: str
    answer: str
    section: str | None = None
    session: int | None = None
    sure: bool = False


@dataclass(frozen=True, slots=True)
class VersionView:
    """What was public of a question from a moment on, and why it was corrected."""

    number: int
    question: str
    answer: str
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PublicQuestion:
    """A published question as everybody reads it: no asker, the newest version first."""

    number: int
    question: str
    answer: str
    section: str | None
    session: int | None
    published_at: datetime
    versions: tuple[VersionView, ...] = ()

    @property
    def corrected(self) -> bool:
        """Whether an earlier version was public."""
        return len(self.versions) > 1

    @property
    def changed_at(self) -> datetime:
        """When it last changed."""
        return self.versions[0].at if self.versions else self.published_at


@dataclass(frozen=True, slots=True)
class DraftView:
    """A question at the desk, draft or published."""

    id: UUID
    version: int
    entry: int
    number: int | None
    question: str
    answer: str
    section: str | None
    session: int | None
    sources: int = 0


@dataclass(frozen=True, slots=True)
class AskedView:
    """What one asked oneself: the words, and what became of them."""

    reference: str
    text: str
    asked_at: datetime
    status: str
    number: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Whoever asked, by everything a text might name them with."""

    name: str
    email: str
    organisations: tuple[str, ...] = field(default=())
    # References, titles and acronyms of what they asked about: each tells only as a whole.
    things: tuple[str, ...] = field(default=())


def questions_close_at(call: CallView) -> datetime | None:
    """Until when questions are taken: what the call says, else a week before the deadline at the same hour.

    None where the call has no deadline. A time that the clocks skip or repeat is read as its earlier one.
    """
    if call.closes_at is None:
        return None
    given = call.content.questions_until
    local = given or clock.in_zone(call.closes_at, call.zone).replace(tzinfo=None) - timedelta(days=QUESTION_DAYS)
    try:
        closes = clock.local_to_utc(local, call.zone, fold=clock.Fold.EARLIER)
    except Invalid:
        closes = clock.local_to_utc(datetime.combine(local.date(), time(12)), call.zone)
    return min(closes, call.closes_at)


def takes_questions(call: CallView, at: datetime) -> bool:
    """Whether a question may be asked at that moment."""
    until = questions_close_at(call)
    return call.state is CallState.PUBLISHED and until is not None and clock.in_time(at, until)


def questions_over(call: CallView, at: datetime) -> bool:
    """Whether the last moment to ask has passed, whatever became of the call since."""
    until = questions_close_at(call)
    return until is not None and not clock.in_time(at, until)


def refuse_late_question(call: CallView, at: datetime, printed: str) -> None:
    """Refuse a question after the last moment for it; ``printed`` says that moment in words."""
    faults.point("deadline")
    if not takes_questions(call, at):
        raise Refused(
            f"Questions about this call were taken until {printed}. The helpdesk still helps with technical questions."
            if printed
            else "This call takes no questions now."
        )


def asked_text(text: str) -> str:
    """A question as it is kept; raises :class:`Invalid` for one that is empty or too long."""
    return _text(text, "text", "question", QUESTION_CHARACTERS_MAX)


def checked(given: Wording, sections: Iterable[str], *, complete: bool) -> Wording:
    """The wording as it is kept; a draft may lack its answer, what is published may not. Raises :class:`Invalid`."""
    problems: dict[str, str] = {}
    texts = {}
    for name, what, most in (
        ("question", "question", QUESTION_CHARACTERS_MAX),
        ("answer", "answer", ANSWER_CHARACTERS_MAX),
    ):
        try:
            texts[name] = _text(getattr(given, name), name, what, most)
        except Invalid as error:
            texts[name] = ""
            if complete or getattr(given, name).strip():
                problems.update(error.problems)
    if given.section and given.section not in set(sections):
        problems["section"] = "Choose a section of the form, or none."
    if problems:
        raise Invalid("The answer is not complete.", problems)
    return Wording(texts["question"], texts["answer"], given.section or None, given.session, given.sure)


def telling_words(text: str, asker: Asker) -> tuple[str, ...]:
    """Words of a text that may tell who asked: names, addresses, an organisation by its name or a word of its own, an
    application by its reference, title or acronym.

    >>> asker = Asker("Ana Kowalska", "ana@northbridge.example", ("Municipality of Northbridge",))
    >>> telling_words("May Northbridge lead, asks Mrs KOWALSKA?", asker)
    ('Kowalska', 'Northbridge')
    >>> telling_words("May a municipality lead?", asker)
    ()
    """
    folded = fold(text)
    wanted = {fold(each): each for each in (asker.email, asker.name, *asker.organisations, *asker.things)}
    for name in (asker.name, *asker.organisations):
        # Some accents are signs of their own, and must not part the word.
        for word in re.findall(r"(?:[^\W\d_]|[\u0300-\u036f])+", unicodedata.normalize("NFC", name)):
            if len(fold(word)) >= _TELLING_LETTERS and fold(word) not in _SHARED:
                wanted[fold(word)] = word
    found = {each for each in wanted if each and re.search(rf"(?<!\w){re.escape(each)}(?!\w)", folded)}
    # “Northbridge” says it all where “Municipality of Northbridge” stands.
    return tuple(wanted[each] for each in sorted(found) if not any(each != other and other in each for other in found))


def refuse_telling(given: Wording, askers: Collection[Asker], note: str = "") -> None:
    """Refuse to publish what may tell who asked, unless somebody looked at those words and says they do not.

    ``note`` is the reason of a correction, which everybody reads too.
    """
    if given.sure:
        return
    problems = {}
    for name, text in (("question", given.question), ("answer", given.answer), ("note", note)):
        words = sorted({word for asker in askers for word in telling_words(text, asker)})
        if words:
            named = " and ".join(f"“{word}”" for word in words)
            problems[name] = (
                f"This names {named}, which may tell who asked. Reword it, "
                "or tick below that it tells nothing about who asked."
            )
    if problems:
        raise Invalid("Nothing was published: the text may tell who asked.", problems)


def correction_note(note: str) -> str:
    """Why a published answer changes; everybody reads it. Raises :class:`Invalid`."""
    return _text(note, "note", "reason for the correction", NOTE_CHARACTERS_MAX)


def _text(text: str, name: str, what: str, most: int) -> str:
    kept = without_turns(text.replace("\r\n", "\n")).strip()
    if not kept:
        raise Invalid(f"Write the {what}.", {name: f"Write the {what}."})
    if len(kept) > most:
        sentence = f"The {what} has {len(kept)} characters; the limit is {most}. Take out {len(kept) - most}."
        raise Invalid(sentence, {name: sentence})
    return kept
