"""The letter that tells a team the verdict on admissibility and eligibility: frozen when it is sent, hashed, sent once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.applications.rules.eligibility import Desk
from grants.applications.rules.values import ApplicationView
from grants.applications.states import Verdict
from grants.core.errors import Invalid
from grants.dossiers.rules import clean_text, count_words

NOTE_WORDS_MAX = 300
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LetterText:
    """What a letter says: running text, and the conditions with the answer and reason for each."""

    heading: str
    programme: str
    call: str
    reference: str
    coordinator: str
    version: int
    eligible: bool
    paragraphs: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]

    @property
    def sha256(self) -> bytes:
        """Over everything it says, in one spelling."""
        text = json.dumps(self.to_mapping(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()

    def to_mapping(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"schema": SCHEMA, **json.loads(json.dumps(asdict(self)))}

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> LetterText:
        """A stored letter."""
        rest = {key: value for key, value in stored.items() if key not in ("schema", "paragraphs", "conditions")}
        conditions = tuple((each[0], each[1]) for each in stored["conditions"])
        return cls(**rest, paragraphs=tuple(stored["paragraphs"]), conditions=conditions)


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
        conditions=tuple((each.title, _said(each.answer.verdict, each.answer.reason)) for each in shown),
    )


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
