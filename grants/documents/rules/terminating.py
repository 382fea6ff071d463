"""What the letter of a confirmed termination says, of a grant or of one partner’s part in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from grants.agreements.rules import TerminationView
from grants.core import clock


@dataclass(frozen=True, slots=True)
class TerminationLetter:
    """The termination with what a letter needs beside it."""

    reference: str
    title: str
    programme: str
    coordinator: str
    report_days: int
    found: TerminationView

    @property
    def heading(self) -> str:
        """What it is about."""
        what = f"the part of {self.found.partner} in grant" if self.found.partner else "grant"
        return f"Termination of {what} {self.reference}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Its key data."""
        found = self.found
        assert found.effective_on is not None and found.confirmed_at is not None, (
            "only what is confirmed is told by letter"
        )
        return [
            ("To", ", ".join(filter(None, (self.coordinator, found.partner)))),
            ("Grant", f"{self.reference}, {self.title}"),
            ("What ends", found.whose[:1].upper() + found.whose[1:]),
            ("Ground", found.reason.words),
            ("First day without work", clock.long_date(found.effective_on)),
            ("Proposed", f"{clock.long_date(clock.in_zone(found.proposed_at).date())}, by {found.by}"),
            ("Objections until", clock.long_date(found.objections_until)),
            ("Confirmed", f"{clock.long_date(clock.in_zone(found.confirmed_at).date())}, by {found.confirmer}"),
            ("SHA-256 of the notice", found.notice.sha256),
        ]

    @property
    def paragraphs(self) -> tuple[tuple[str, str], ...]:
        """Headings, each with what stands under it."""
        found = self.found
        said = [("What happened", found.words)]
        if found.objection:
            said.append(("The objection", found.objection))
        said += [("The decision", found.answer), ("What follows", self._follows())]
        return tuple(said)

    def _follows(self) -> str:
        found = self.found
        assert found.effective_on is not None, "what is confirmed has its day"
        last = clock.long_date(clock.add_days(found.effective_on, -1))
        if found.whole:
            return (
                f"Nothing more is pre-financed. The report period that is open ends on {last}; its report is the final one and is due "
                f"{self.report_days} days after the end. What the pilot cost until then is reported and paid; what was paid above it "
                "comes back."
            )
        return (
            f"{found.partner} takes part until {last}. Nothing more of its share is pre-financed. What it cost until then is declared by "
            "the coordinator in the report about that time, and counts up to its maximum. What is left of its maximum is then moved or "
            "released by an amendment. What was paid for it above its accepted costs is asked back with the balance of the grant: each "
            f"partner owes its own share of what the balance finds too much. From {clock.long_date(found.effective_on)} on its people read what was, and enter nothing more."
        )
