"""What comes after a confirmed list, in words."""

from __future__ import annotations

from dataclasses import dataclass

from grants.awards.states import NamesShown


@dataclass(frozen=True, slots=True)
class After:
    """How far the letters of a call are: how many applications were decided, and what became of the letter of each."""

    decided: int
    sent: int = 0
    under_way: int = 0
    failed: int = 0
    acknowledged: int = 0
    left_out: int = 0
    # The number of a mailing that waits for a second person.
    mailing: int | None = None
    # For how many outcomes the programme wrote its own words.
    own_texts: int = 0
    # How many complaints wait for their decision.
    complaints: int = 0
    # How many of a call are about eligibility: those a list waits for.
    about_eligibility: int = 0
    # Where the names of the evaluators stand; None until somebody decides that.
    names: NamesShown | None = None
    # Of how many letters no mail left, as no mail server is set: each stands on the page of its team.
    kept: int = 0

    @property
    def complaint_words(self) -> str:
        """What waits of complaints; empty where nothing does.

        >>> After(3, complaints=1).complaint_words, After(3).complaint_words
        ('1 complaint is open', '')
        """
        if not self.complaints:
            return ""
        return "1 complaint is open" if self.complaints == 1 else f"{self.complaints} complaints are open"

    @property
    def names_words(self) -> str:
        """Where the names of the evaluators stand, or shall.

        >>> After(3).names_words
        'Nobody has decided where they stand. Never beside what each of them assessed'
        """
        match self.names:
            case NamesShown.CALL:
                return "Beside the call once its results are public, never beside what each of them assessed"
            case NamesShown.YEAR:
                return "With all evaluators of the year once the results are public, never beside what each of them assessed"
            case NamesShown.NOWHERE:
                return "Named nowhere yet, as somebody decided"
            case None:
                return "Nobody has decided where they stand. Never beside what each of them assessed"

    @property
    def names_state(self) -> tuple[str, str]:
        """What the page says of it in a word, and in which colour."""
        return ("To decide", "blue") if self.names is None else ("Decided", "green")

    @property
    def complete(self) -> bool:
        """Whether everybody was told, or left out by name.

        >>> After(3, sent=2, left_out=1).complete, After(3, sent=2).complete
        (True, False)
        """
        return self.decided > 0 and self.sent + self.left_out >= self.decided

    @property
    def words(self) -> str:
        """How far they are.

        >>> After(3, sent=1, failed=1, under_way=1, acknowledged=1).words
        '1 of 3 told, 1 on the way, 1 failed, 1 acknowledged'
        >>> After(3, sent=3, kept=2).words
        '3 of 3 on their pages, of 2 no mail left, as no mail server is set'
        """
        parts = [f"{self.sent} of {self.decided} {'on their pages' if self.kept else 'told'}"]
        if self.kept:
            parts.append(f"of {self.kept} no mail left, as no mail server is set")
        for number, said in (
            (self.under_way, "on the way"), (self.failed, "failed"), (self.left_out, "left out by name"),
            (self.acknowledged, "acknowledged"),
        ):  # fmt: skip
            if number:
                parts.append(f"{number} {said}")
        return ", ".join(parts)
