"""The letter that tells a team the verdict on admissibility and eligibility: frozen when it is sent, hashed, sent once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.applications.rules.admissibility import is_formal
from grants.applications.rules.eligibility import ConditionView, Desk
from grants.applications.rules.values import ApplicationView
from grants.applications.states import Verdict
from grants.core.errors import Invalid
from grants.dossiers.rules import clean_text, count_words

NOTE_WORDS_MAX = 300
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LetterText:
    """What a letter says: running text, and the conditions of the call with the answer and reason for each.

    ``formal`` is what is asked of the form of every application and named by no call; letters sent before they were told
    apart have none.
    """

    heading: str
    programme: str
    call: str
    reference: str
    coordinator: str
    version: int
    eligible: bool
    paragraphs: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]
    formal: tuple[tuple[str, str], ...] = ()

    @property
    def parts(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """What was asked with its answers under the heading of each part, without empty ones."""
        if self.eligible:
            heads = ("The conditions of the call and the answers to them", "Asked of the form of every application")
        else:
            heads = (
                "The conditions of the call that are not met",
                "Asked of the form of every application, and not met",
            )
        return tuple((head, rows) for head, rows in zip(heads, (self.conditions, self.formal), strict=True) if rows)

    @property
    def sha256(self) -> bytes:
        """Over everything it says, in one spelling."""
        text = json.dumps(self.to_mapping(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()

    def to_mapping(self) -> dict[str, Any]:
        """As plain JSON; without what it has nothing of, so that the hash of an older letter stays its own."""
        stored = {"schema": SCHEMA, **json.loads(json.dumps(asdict(self)))}
        return stored if self.formal else {key: value for key, value in stored.items() if key != "formal"}

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> LetterText:
        """A stored letter."""
        lists = ("paragraphs", "conditions", "formal")
        rest = {key: value for key, value in stored.items() if key not in ("schema", *lists)}
        conditions, formal = (tuple((e[0], e[1]) for e in stored.get(name, ())) for name in lists[1:])
        return cls(**rest, paragraphs=tuple(stored["paragraphs"]), conditions=conditions, formal=formal)


@dataclass(frozen=True, slots=True)
class LetterView:
    """A letter as pages show it: a preview until it is sent."""

    application_id: UUID
    reference: str
    name: str
    text: LetterText
    note: str = ""
    check_version: int = 0
    sent_at: datetime | None = None
    sent_by: str = ""
    sha256: str = ""
    letter_id: UUID | None = None


def letter_text(view: ApplicationView, desk: Desk, body: str) -> LetterText:
    """The letter of one verdict; ``body`` is the text of the template with its facts."""
    assert desk.verdict is not None and view.submission is not None, "a letter tells a verdict on what was sent"
    eligible = desk.verdict is Verdict.PASS
    shown = desk.conditions if eligible else desk.failed
    return LetterText(
        heading=f"{view.reference} is {'eligible' if eligible else 'not eligible'}",
        programme=view.call.programme.name,
        call=view.call.title,
        reference=view.reference,
        coordinator=view.coordinator.name,
        version=view.submission.number,
        eligible=eligible,
        paragraphs=tuple(" ".join(part.split()) for part in body.split("\n\n") if part.strip()),
        conditions=_answers(each for each in shown if not is_formal(each.condition)),
        formal=_answers(each for each in shown if is_formal(each.condition)),
    )


def _answers(views: Iterable[ConditionView]) -> tuple[tuple[str, str], ...]:
    return tuple((each.title, _said(each.answer.verdict, each.answer.reason)) for each in views)


def _said(verdict: Verdict | None, reason: str) -> str:
    if verdict is Verdict.FAIL:
        return f"Not met. {reason}"
    return "Met" if verdict is Verdict.PASS else "Not asked, since another condition is met in its place"


def checked_note(text: str) -> str:
    """The free words of a letter; raises :class:`Invalid` where they are too many."""
    cleaned = clean_text(text)
    words = count_words(cleaned)
    if words > NOTE_WORDS_MAX:
        sentence = f"The words of your own are {words}; the limit is {NOTE_WORDS_MAX}. Cut {words - NOTE_WORDS_MAX}."
        raise Invalid(sentence, {"note": sentence})
    return cleaned
