"""What a team did last, as lines of a panel: one line for what a person did in one place at one sitting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.dossiers.merging import SITTING

# What is told beside answers: in which words, and on which page it stands.
CHANGES_TOLD: Mapping[str, tuple[str, str]] = {
    "application.edit_details": ("Title and summary", "details"),
    "application.save_serving": ("Actions and barriers it serves", "serving"),
    "application.save_budget": ("Budget", "budget"),
    "application.explain_costs": ("Budget, sentences on costs", "budget"),
    "application.save_sources": ("Budget, who else pays", "budget"),
    "application.save_plan": ("Work plan", "plan"),
    "application.attach_file": ("Files", "attached"),
    "application.replace_file": ("Files", "attached"),
    "application.remove_file": ("Files", "attached"),
    "application.invite": ("Team, a partner invited", "team"),
    "application.invite_person": ("Team, a person invited", "team"),
    "application.accept_invitation": ("Team, an invitation accepted", "team"),
    "application.decline_invitation": ("Team, an invitation declined", "team"),
    "application.join": ("Team, joined", "team"),
    "application.leave": ("Team, left", "team"),
    "application.remove_person": ("Team, a person taken out", "team"),
    "application.remove_partner": ("Team, a partner taken out", "team"),
    "application.change_role": ("Team, a role changed", "team"),
    "application.hand_over": ("Team, the lead handed over", "team"),
    "application.sign_off": ("Signed off", "sign_off"),
    "application.submit": ("Sent", "receipt"),
}
CHANGES_SHOWN_MAX = 6


@dataclass(frozen=True, slots=True)
class LastChange:
    """Somebody changed something: an answer, with section and question, or what the act says."""

    at: datetime
    person: str
    user_id: UUID
    verb: str
    what: str = ""
    section: str = ""
    question: str = ""

    @property
    def words(self) -> str:
        """What was changed."""
        return self.what or CHANGES_TOLD[self.verb][0]

    @property
    def page(self) -> str:
        """The page on which it stands."""
        return "section" if self.section else CHANGES_TOLD[self.verb][1]


def told_together(changes: Iterable[LastChange]) -> tuple[LastChange, ...]:
    """The newest lines, newest first: of what one person changed in one place at one sitting, the newest stands."""
    found: list[LastChange] = []
    oldest: dict[tuple[UUID, str], datetime] = {}
    for change in sorted(changes, key=lambda each: each.at, reverse=True):
        place = (change.user_id, change.words)
        if place in oldest and oldest[place] - change.at <= SITTING:
            oldest[place] = change.at
            continue
        oldest[place] = change.at
        found.append(change)
    return tuple(found[:CHANGES_SHOWN_MAX])
