"""A run of the assignment as lists show it, and what is known of there being nothing better: by prices, or by a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from grants.core.text import grouped
from grants.evaluation.states import RunStatus

# The program that decides under rules on groups and a floor, as :attr:`RunView.solver` names it.
SEARCHER = "HiGHS"
# What each weighs where the matching looks for the fewest rules to set aside. A load may be changed here; a seat that stands
# is taken from somebody; a rule is broken by whoever fills the seat by hand; somebody to be found weighs most.
PERSON_WEIGHS, RULE_WEIGHS, RELEASE_WEIGHS, LOAD_WEIGHS = 3.0, 2.0, 1.5, 1.0
# Beyond so many open pairs it does not look: it would not end in time, and the reasons by counting stand alone.
RELAXED_PAIRS_MAX = 400_000


@dataclass(frozen=True, slots=True)
class RunView:
    """A run of the assignment with its proof."""

    number: int
    status: RunStatus
    created_at: datetime
    seed: str
    objective: int | None
    bound: int | None
    reasons: tuple[str, ...]
    applications: int
    evaluators: int
    seats: int
    seats_new: int
    pairs_priced: int
    rounds: int
    input_hash: str
    changes: tuple[str, ...] = ()
    # Something of it is shut to the reader: its totals less what they see would tell of the rest, so they are not shown.
    partial: bool = False
    # What no assignment could exceed without rules on groups and floor; None in runs of before it was kept.
    ideal: int | None = None
    solver: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mean(self) -> str:
        """How well a seat fits on average, of 1000."""
        return f"{self.objective // self.seats}" if self.objective is not None and self.seats else "–"

    @property
    def changes_words(self) -> str:
        """What the changes of a run without an assignment are the smallest of, or why none are named."""
        if self.changes:
            return (
                "The smallest change that makes an assignment possible, by a count in which a person to be found weighs "
                f"{PERSON_WEIGHS:g}, a rule set aside {RULE_WEIGHS:g}, a seat released {RELEASE_WEIGHS:g}, and a load changed by one "
                f"{LOAD_WEIGHS:g}:"
            )
        return (
            "Which rules to set aside was not worked out: that is done where at most "
            f"{grouped(RELAXED_PAIRS_MAX)} pairs of an evaluator and an application may meet. What is missing by count stands above."
        )

    @property
    def by_prices(self) -> bool:
        """Whether prices prove the bound, so that anybody can add it up again; else a search found it."""
        return SEARCHER not in self.solver or self.bound == self.ideal

    @property
    def is_best(self) -> bool:
        """Whether nothing better exists among the choices the run had."""
        return self.objective is not None and self.objective == self.bound

    @property
    def headline(self) -> str:
        """What was found, as a list heads it."""
        if not self.is_best:
            return "an assignment"
        return "the best assignment, proved" if self.by_prices else "the best assignment that a search found"

    @property
    def bound_label(self) -> str:
        """What the bound stands under among figures."""
        return "Proved: at most" if self.by_prices else "By the search: at most"

    @property
    def bound_words(self) -> str:
        """The bound and whence it is known, in a sentence or two."""
        assert self.bound is not None, "a run that was solved has one"
        if self.by_prices:
            return f"No assignment{self._bounded} can be worth more than {grouped(self.bound)}, which is proved."
        found = f"Of all that {self._conditions} none is worth more than {grouped(self.bound)}: so the search of {self._searched}."
        return f"{found}{self._ideal_words}"

    @property
    def proof_words(self) -> str:
        """Whether anything better exists, and whence that is known."""
        assert self.objective is not None and self.bound is not None, "a run that was solved has both"
        gap = self.bound - self.objective
        if self.by_prices and not gap:
            return (
                f"No other choice of people{self._bounded} is worth more: that is proved, by a price for every open pair "
                f"({grouped(self.pairs_priced)} of them), and can be added up again without the program that found it."
            )
        below = f"This one is {grouped(gap)} below, so at most so much is still to be had; whether it is, nobody worked out."
        if self.by_prices:
            return (
                f"No choice of people can be worth more than {grouped(self.bound)}: that is proved, by prices. {below}"
            )
        of = f"Of all choices that {self._conditions}"
        if not gap:
            return f"{of} none is worth more: found so by {self._searched}, by a search to the end.{self._ideal_words}"
        return f"{of} none can be worth more than {grouped(self.bound)}: found so by {self._searched}. {below}{self._ideal_words}"

    @property
    def _bounded(self) -> str:
        """Among what the prices compare where not everything could be chosen; empty where all was open."""
        if SEARCHER in self.solver:
            return ""
        if self.settings.get("standing") == "movable":
            return " that moves as few seats"
        return " beside the seats that stood" if self.seats > self.seats_new else ""

    @property
    def _conditions(self) -> str:
        """What the search kept to."""
        asked = (
            (self.settings.get("rules"), "keep the rules on who sits together"),
            (self.settings.get("floor"), "keep what the worst served application has"),
            (self.settings.get("standing") == "movable", "move as few seats"),
        )
        return " and ".join(words for wanted, words in asked if wanted) or "keep the rules"

    @property
    def _searched(self) -> str:
        """The program that searched, with its version."""
        return self.solver[self.solver.index(SEARCHER) :]

    @property
    def _ideal_words(self) -> str:
        if self.ideal is None:
            return ""
        return f" What can be added up again by prices is that without this no more than {grouped(self.ideal)} is possible."
