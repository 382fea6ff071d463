"""What each partner and the signatory sign off, and whether what they signed still stands as they saw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.applications.rules.issues import Issue, Page
from grants.core.errors import Conflict
from grants.dossiers.rules import Answer

PART_SCHEMA = 1


class Standing(StrEnum):
    """How a sign-off stands; derived from what was signed and what stands now, never stored."""

    MISSING = "missing"
    CHANGED = "changed"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class SignOffView:
    """Somebody confirmed one exact version, at a moment."""

    organisation_id: UUID | None
    user_id: UUID
    person: str
    signed_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class SignedPart:
    """What is to be signed: one partner's part, or the whole where no organisation is named; by whom, and how it stands."""

    organisation_id: UUID | None
    label: str
    # Who may sign it; empty where nobody is named yet.
    people: tuple[tuple[UUID, str], ...]
    sections: tuple[str, ...]
    sha256: str
    last: SignOffView | None

    @property
    def standing(self) -> Standing:
        """Missing, signed as it stands now, or changed after it was signed."""
        # Of somebody who was taken out of the team it counts no longer.
        if self.last is None or not self.may_sign(self.last.user_id):
            return Standing.MISSING
        return Standing.SIGNED if self.last.sha256 == self.sha256 else Standing.CHANGED

    def may_sign(self, user_id: UUID | None) -> bool:
        """Whether this person is one of those who sign it."""
        return any(person == user_id for person, _ in self.people)

    @property
    def who(self) -> str:
        """Those who may sign it, by name."""
        return " or ".join(name for _, name in self.people)


class SignedAnother(Conflict):
    """What was to be signed changed after the person had looked at it."""


def part_content(
    *, reference: str, organisation_id: UUID, answers: Sequence[tuple[str, Answer]], budget: Mapping[str, Any]
) -> dict[str, Any]:
    """What a partner signs, as plain JSON with one spelling: the sections asked of it and its own row of the budget."""
    return {
        "schema": PART_SCHEMA,
        "application": reference,
        "organisation_id": str(organisation_id),
        "answers": [
            {"section": section, "question": each.question, "text": each.text, "picked": list(each.picked)}
            for section, each in answers
        ],
        "budget": dict(budget),
    }


def sign_off_issues(parts: Iterable[SignedPart]) -> tuple[Issue, ...]:
    """Every sign-off that is missing or was overtaken by a change, with who must sign."""
    return tuple(
        Issue(Page.SIGN_OFF, _said(part), "Sign-offs") for part in parts if part.standing is not Standing.SIGNED
    )


def overtaken(parts: Iterable[SignedPart]) -> tuple[Issue, ...]:
    """Only those that were signed and changed since: worth a look also where no sign-off is demanded."""
    return tuple(Issue(Page.SIGN_OFF, _said(part), "Sign-offs") for part in parts if part.standing is Standing.CHANGED)


def _said(part: SignedPart) -> str:
    match part.standing:
        case Standing.CHANGED:
            assert part.last is not None
            return f"{part.label} was changed after {part.last.person} signed it off. Ask {part.who or 'for it'} to sign again."
        case _ if not part.people:
            return "Nobody is named who signs the whole application off. Invite a signatory on the page of the team."
        case _ if part.last is not None:
            return (
                f"{part.label} was signed off by {part.last.person}, who does not sign it any more. "
                f"Ask {part.who} to sign it off."
            )
        case _:
            return f"{part.label} is not signed off. Ask {part.who}."
