"""How well an evaluator fits an application, in points of 1000, and which part gives how many of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grants.calls.rules import CallContent
from grants.evaluation.rules.conflicts import Consortium
from grants.evaluation.rules.pool import LANGUAGE_LEVELS, TOPIC_LEVELS, PoolMember

FIT_MAX = 1000
LEVEL_MAX = max(TOPIC_LEVELS)
BID_MIN, BID_MAX = -2, 2


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a fit: how many points of how many."""

    name: str
    points: int
    of: int


@dataclass(frozen=True, slots=True)
class Fitting:
    """What fits are measured by in one call: its settings, its language, and how rare each topic is in the pool."""

    content: CallContent
    rarity: Mapping[str, int]

    def parts(self, member: PoolMember, about: Consortium) -> tuple[Part, ...]:
        """Each part that counts, in thousandths of all weights together.

        With topics at 750 and language at 250, knowing two of four topics best and the language natively is 375 + 250
        points. The language is that of the call: applications have none of their own. A language without a level
        counts whole.
        """
        weights = self.content.assignment.weights
        whole = sum(points for _, points in weights) or 1
        shares = self._shares(member, about)
        return tuple(
            Part(name, points * FIT_MAX * shares[name][0] // (whole * shares[name][1]), points * FIT_MAX // whole)
            for name, points in weights
        )

    def utility(self, member: PoolMember, about: Consortium) -> int:
        """All parts together, 0 to 1000."""
        return sum(part.points for part in self.parts(member, about))

    def _shares(self, member: PoolMember, about: Consortium) -> dict[str, tuple[int, int]]:
        """How much of each part is met, as numerator and denominator."""
        settings, language = self.content.assignment, self.content.language
        asked = sum(self.rarity.get(topic, 1) for topic in about.topics)
        known = sum(self.rarity.get(topic, 1) * member.level_of(topic) for topic in set(member.topics) & about.topics)
        level = LANGUAGE_LEVELS.get(member.levels.get(language, ""), 100) if language in member.languages else 0
        wish = member.bids.get(about.application_id, 0)
        fits_role = not settings.roles or bool(set(settings.roles) & set(member.roles))
        return {
            # An application that names no topics counts half for everybody.
            "topics": (known, LEVEL_MAX * asked) if asked else (1, 2),
            "language": (level if language else 100, 100),
            "role": (int(fits_role), 1),
            "wish": (max(BID_MIN, min(BID_MAX, wish)) - BID_MIN, BID_MAX - BID_MIN),
            "not last year’s evaluator of the applicant": (int(not (member.met_last_year & about.organisation_ids)), 1),
        }


def fitting(content: CallContent, members: Sequence[PoolMember]) -> Fitting:
    """The measure of a call: where its settings say so, topics that few of the pool know count more."""
    if not content.assignment.rare_topics:
        return Fitting(content, {})
    known = Counter(topic for member in members for topic in set(member.topics))
    return Fitting(
        content,
        {topic: round(100 * (1 + math.log((1 + len(members)) / (1 + count)))) for topic, count in known.items()},
    )
