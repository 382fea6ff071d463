"""The privacy notice of a call: what people are told about their data (GDPR, articles 13 and 14), in versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime

from grants.core.errors import Invalid

PART_CHARACTERS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class PrivacyText:
    """What a notice must say, part by part."""

    controller: str
    purpose: str
    legal_basis: str
    recipients: str
    retention: str
    rights: str
    contact: str


# Each part as a heading, in the order people read them.
HEADINGS: Mapping[str, str] = {
    "controller": "Who is responsible",
    "purpose": "What your data are used for",
    "legal_basis": "Why that is lawful",
    "recipients": "Who gets them",
    "retention": "How long they are kept",
    "rights": "Your rights",
    "contact": "Whom to ask",
}
assert tuple(HEADINGS) == tuple(each.name for each in fields(PrivacyText)), "every part has a heading"


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One version of a notice; the highest number stands."""

    number: int
    text: PrivacyText
    published_at: datetime
    note: str | None

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Heading and words of each part."""
        return tuple((heading, getattr(self.text, name)) for name, heading in HEADINGS.items())


@dataclass(frozen=True, slots=True)
class NoticeAsked:
    """A notice somebody has not accepted yet; ``earlier`` is the version they did accept."""

    slug: str
    number: int
    earlier: int | None = None


def checked_notice(given: PrivacyText) -> PrivacyText:
    """The notice as it is kept; raises :class:`Invalid` where a part is missing or too long."""
    problems = {}
    for name, heading in HEADINGS.items():
        text = getattr(given, name).strip()
        if not text:
            problems[name] = f"Write this part: “{heading}”."
        elif len(text) > PART_CHARACTERS_MAX:
            problems[name] = (
                f"This part has {len(text)} characters; the limit is {PART_CHARACTERS_MAX}. "
                f"Take out {len(text) - PART_CHARACTERS_MAX}."
            )
    if problems:
        raise Invalid("The privacy notice is not complete.", problems)
    return replace(given, **{name: getattr(given, name).strip() for name in HEADINGS})


def refuse_unread(asked: NoticeAsked | None, accepted: int | None) -> None:
    """Refuse whoever has not accepted the version that stands; ``accepted`` is the number their form carried."""
    if asked is not None and accepted != asked.number:
        sentence = (
            f"The privacy notice of this call is at version {asked.number}. "
            "Read it, and confirm that you have, before you go on."
        )
        raise Invalid(sentence, {"notice": sentence})
