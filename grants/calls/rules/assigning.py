"""How evaluators are assigned to applications: what counts how much, and what those of one application must be together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AssignmentRules:
    """Weights of the parts of a fit in points, rules on the evaluators of one application, and the floor.

    A limit of None and an empty list ask for nothing.
    """

    topics: int
    language: int
    role: int = 0
    bid: int = 0
    novelty: int = 0
    rare_topics: bool = False
    country_max: int | None = None
    organisation_max: int | None = None
    roles: tuple[str, ...] = ()
    reader: bool = False
    # At least one woman and one man, counting who said so of themselves.
    balance: bool = False
    floor: bool = False

    @property
    def weights(self) -> tuple[tuple[str, int], ...]:
        """Each part of a fit with its points, without those that do not count."""
        named = (
            ("topics", self.topics), ("language", self.language), ("role", self.role),
            ("wish", self.bid), ("not last year’s evaluator of the applicant", self.novelty),
        )  # fmt: skip
        return tuple((name, points) for name, points in named if points)

    @property
    def groups(self) -> tuple[str, ...]:
        """Each rule on the evaluators of one application in words."""
        found = []
        if self.country_max:
            found.append(f"at most {self.country_max} from one country")
        if self.organisation_max:
            found.append(f"at most {self.organisation_max} from one organisation")
        found += [f"at least one with the role “{role}”" for role in self.roles]
        if self.reader:
            found.append("at least one who reads the language of the application")
        if self.balance:
            found.append("at least one woman and one man, counting those who said so")
        return tuple(found)

    @property
    def words(self) -> str:
        """All of it as one sentence, without its full stop."""
        parts = ["What counts: " + ", ".join(f"{name} {points}" for name, points in self.weights)]
        if self.groups:
            parts.append("Of the evaluators of one application " + ", ".join(self.groups))
        if self.floor:
            parts.append("The worst served application is served as well as possible before all others")
        return ". ".join(parts)


# What holds where a call says nothing.
PLAIN = AssignmentRules(topics=750, language=250)
