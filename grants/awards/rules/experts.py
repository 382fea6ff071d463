"""Names of evaluators as they are published: alphabetical, never beside an application (domain rule C-07)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from grants.awards.states import NamesShown
from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import clean_text

# Below these a reader could guess who assessed what.
EVALUATORS_LEAST = 10
APPLICATIONS_LEAST = 5


@dataclass(frozen=True, slots=True)
class NamesPage:
    """The evaluators of one call who assessed something, by name, and how they are published."""

    call_id: UUID
    slug: str
    title: str
    public: bool
    people: tuple[tuple[UUID, str], ...]
    applications: int
    shown: NamesShown = NamesShown.NOWHERE
    number: int = 0
    left_out: Mapping[UUID, str] = field(default_factory=dict)

    @property
    def few(self) -> bool:
        """Whether a link between a name and an application could be guessed."""
        return few(len(self.people), self.applications)


def few(evaluators: int, applications: int) -> bool:
    """Whether so few names beside so few applications would tell who assessed what.

    >>> few(10, 5), few(9, 5), few(10, 4)
    (False, True, True)
    """
    return evaluators < EVALUATORS_LEAST or applications < APPLICATIONS_LEAST


def checked_names(page: NamesPage, shown: NamesShown, left_out: Mapping[UUID, str]) -> dict[UUID, str]:
    """Who is left out with cleaned reasons; refused where a list beside the call would tell who assessed what."""
    left = sum(key not in left_out for key, _ in page.people)
    if shown is NamesShown.CALL and few(left, page.applications):
        raise Refused(
            f"This call has {left} evaluators to name and {page.applications} applications: beside it their names would "
            f"let people guess who assessed what. Publish them with all names of the year."
        )
    known = {key for key, _ in page.people}
    found = {key: clean_text(reason) for key, reason in left_out.items() if key in known}
    if not all(found.values()):
        raise Invalid("A reason is missing.", {"left_out": "Write why each of these people is left out."})
    return found
