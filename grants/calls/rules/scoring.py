"""How the sheets of a call are marked and what is made of the marks: criteria, scale, thresholds, and the rule of the score.

Marks are whole half points. A mean of marks is an exact fraction of half points; nothing here is a float.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grants.calls.states import CommentRule, ScoreMethod, ThresholdBasis, WeightsCount

# Half points: a mark that was given, or a mean of such marks.
Half = int | Fraction

# The database takes no higher mark; 100 points are more than any scale in use.
MARK_HALF_MAX = 200


@dataclass(frozen=True, slots=True)
class Criterion:
    """An award criterion. The threshold is in half points, on the mark before any weight (domain.md V-12).

    ``max_half`` is the highest mark of this criterion where it is not that of the scale.
    """

    key: str
    name: str
    question: str
    weight: Fraction = Fraction(1)
    threshold_half: int | None = None
    max_half: int | None = None


# As many marks stand beside each other, with a key for some of them; more are a list.
LIST_ABOVE = 21


@dataclass(frozen=True, slots=True)
class Scale:
    """The marks of one criterion in half points: 0 to ``max_half`` in even steps, or those of ``marks_half`` and no other.

    ``anchors`` has a word for each whole mark from 0 upwards, ``named`` words for single marks.
    """

    max_half: int = 10
    step_half: int = 1
    anchors: tuple[str, ...] = ()
    marks_half: tuple[int, ...] = ()
    named: tuple[tuple[int, str], ...] = ()

    @property
    def marks(self) -> tuple[int, ...]:
        """Every mark one may give, lowest first.

        >>> Scale(10, 5).marks, Scale(20, marks_half=(0, 6, 14, 20)).marks
        ((0, 5, 10), (0, 6, 14, 20))
        """
        return self.marks_half or tuple(range(0, self.max_half + 1, max(1, self.step_half)))

    @property
    def legend(self) -> tuple[tuple[int, str], ...]:
        """The marks that have words of their own, with them."""
        if self.named:
            return self.named
        # One word for each whole mark; where steps are wider than that, one for each mark.
        apart = max(2, self.step_half)
        return tuple((apart * place, words) for place, words in enumerate(self.anchors))

    @property
    def words(self) -> str:
        """Which marks there are.

        >>> Scale().words, Scale(20, marks_half=(0, 6, 14, 20)).words
        ('0 to 5 in steps of 0.5', '0, 3, 7 or 10')
        """
        if self.marks_half:
            return or_words(self.marks_half)
        return f"0 to {points(self.max_half)} in steps of {points(self.step_half)}"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What an application must reach, in half points: for each criterion, for single ones, and in all."""

    each_half: int | None = None
    by_criterion: tuple[tuple[str, int], ...] = ()
    total_half: int | None = None


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is made of the marks. Without a word: the consensus decides, weights rank only, thresholds are of bare marks.

    ``board_shift_half`` is by how much the panel may move a score up or down, in half points; 0 where it may not.
    ``evaluators_least`` is how many submitted sheets a score needs; 0 means as many as are asked for.
    """

    method: ScoreMethod = ScoreMethod.CONSENSUS
    weights_count_for: WeightsCount = WeightsCount.RANK_ONLY
    total_threshold_on: ThresholdBasis = ThresholdBasis.MARKS
    board_shift_half: int = 0
    comment: CommentRule = CommentRule.BELOW_THRESHOLD
    comment_words: int = 30
    evaluators_least: int = 0

    @property
    def comment_sentence(self) -> str:
        """Where a comment is demanded, in one sentence."""
        if self.comment is CommentRule.NEVER:
            return f"{COMMENT_WORDS[self.comment]}."
        return f"{COMMENT_WORDS[self.comment]} of at least {self.comment_words} words."

    @property
    def by_mean(self) -> bool:
        """Whether a score is the mean of the assessments; else it is what the evaluators agree on."""
        return self.method is ScoreMethod.MEAN_PER_CRITERION

    @property
    def sentences(self) -> tuple[str, ...]:
        """The rule of the score for people, sentence by sentence."""
        found = [
            METHOD_WORDS[self.method],
            WEIGHTS_WORDS[self.weights_count_for],
            BASIS_WORDS[self.total_threshold_on],
        ]
        if self.board_shift_half:
            found.append(
                f"The panel may move a score by up to {points(self.board_shift_half)} points up or down, with its reason."
            )
        if self.evaluators_least:
            found.append(f"A score needs at least {self.evaluators_least} submitted assessments.")
        return tuple(found)


@functools.lru_cache(maxsize=64)
def _marks_up_to(scale: Scale, most_half: int) -> tuple[int, ...]:
    """The marks of a scale up to one: a score sheet asks for them fifty times."""
    return tuple(half for half in scale.marks if half <= most_half)


# What a call says that says nothing.
PLAIN_SCORING = Scoring()

METHOD_WORDS: Mapping[ScoreMethod, str] = {
    ScoreMethod.CONSENSUS: "The score is the one the evaluators agree on, never an average.",
    ScoreMethod.MEAN_PER_CRITERION: "The score is the mean of the assessments, criterion by criterion.",
}
WEIGHTS_WORDS: Mapping[WeightsCount, str] = {
    WeightsCount.RANK_ONLY: "Weights serve the order of the list only.",
    WeightsCount.SCORE: "The weighted sum is the score.",
}
BASIS_WORDS: Mapping[ThresholdBasis, str] = {
    ThresholdBasis.MARKS: "Thresholds are tested on the marks before any weight.",
    ThresholdBasis.SCORE: "The threshold in all is tested on the weighted score, with what the panel moved it by.",
}
COMMENT_WORDS: Mapping[CommentRule, str] = {
    CommentRule.ALWAYS: "Every mark needs a comment",
    CommentRule.BELOW_THRESHOLD: "A mark below its threshold needs a comment",
    CommentRule.EXTREMES: "The lowest and the highest mark need a comment",
    CommentRule.NEVER: "No mark needs a comment",
}


@dataclass(frozen=True, slots=True)
class Marking:
    """All that a score sheet, a consensus and a ranking need of a call to read its marks."""

    criteria: tuple[Criterion, ...]
    scale: Scale = Scale()
    scoring: Scoring = Scoring()
    total_threshold_half: int | None = None

    def most_half(self, criterion: Criterion) -> int:
        """The highest mark of one criterion, in half points."""
        return self.scale.max_half if criterion.max_half is None else criterion.max_half

    def marks(self, criterion: Criterion) -> tuple[int, ...]:
        """Every mark one may give for a criterion, lowest first."""
        return _marks_up_to(self.scale, self.most_half(criterion))

    def allows(self, criterion: Criterion, half: int) -> bool:
        """Whether one may give this mark, in half points, for a criterion."""
        return half <= self.most_half(criterion) and half in self.scale.marks

    def is_list(self, criterion: Criterion) -> bool:
        """Whether the marks of a criterion are so many that one is chosen from a list."""
        return len(self.marks(criterion)) > LIST_ABOVE

    @property
    def figures(self) -> tuple[str, ...]:
        """The marks that one figure chooses, where marks stand beside each other: whole ones up to 9.

        >>> one = Criterion("a", "Ambition", "?", Fraction(1), None)
        >>> Marking((one,), Scale(20, marks_half=(0, 6, 14, 20))).figures
        ('0', '3', '7')
        """
        return tuple(points(half) for half in sorted(self._beside()) if half % 2 == 0 and half <= 18)

    @property
    def has_half_key(self) -> bool:
        """Whether half a point can be added to a mark, or taken from it.

        >>> one = Criterion("a", "Ambition", "?", Fraction(1), None)
        >>> Marking((one,)).has_half_key, Marking((one,), Scale(20, marks_half=(0, 6, 14, 20))).has_half_key
        (True, False)
        """
        beside = self._beside()
        return any(half % 2 and half - 1 in beside for half in beside)

    @property
    def has_list(self) -> bool:
        """Whether the mark of any criterion is chosen from a list."""
        return any(self.is_list(one) for one in self.criteria)

    def _beside(self) -> frozenset[int]:
        return frozenset(half for one in self.criteria if not self.is_list(one) for half in self.marks(one))

    @property
    def total_max_half(self) -> int:
        """The highest sum of marks before any weight, in half points."""
        return sum(self.most_half(criterion) for criterion in self.criteria)

    @property
    def score_max(self) -> Fraction:
        """The highest weighted sum in points, before the panel moves it."""
        return sum((self.most_half(one) * one.weight for one in self.criteria), Fraction(0)) / 2

    @property
    def sum_least_half(self) -> int | None:
        """What the bare marks must sum to, in half points; None where nothing is asked of their sum."""
        return self.total_threshold_half if self.scoring.total_threshold_on is ThresholdBasis.MARKS else None

    @property
    def score_least_half(self) -> int | None:
        """What the weighted score must be, in half points; None where nothing is asked of it."""
        return None if self.scoring.total_threshold_on is ThresholdBasis.MARKS else self.total_threshold_half

    @property
    def needs_words(self) -> str:
        """What is needed in all, before anything is sent; empty where nothing is."""
        if self.total_threshold_half is None:
            return ""
        least = points(self.total_threshold_half)
        if self.sum_least_half is not None:
            return f"Needs {least} in all"
        return f"The weighted score needs {least} of {self.score_max_words}"

    @property
    def score_max_words(self) -> str:
        """The highest weighted sum as people write it."""
        return exact_words(self.score_max)

    @property
    def weighted(self) -> bool:
        """Whether criteria count differently."""
        return any(criterion.weight != 1 for criterion in self.criteria)

    @property
    def counts_weighted(self) -> bool:
        """Whether the weighted sum is what counts: as the score, or against the threshold in all."""
        return self.weighted and (
            self.scoring.weights_count_for is WeightsCount.SCORE or self.score_least_half is not None
        )

    @property
    def weight_parts(self) -> tuple[int, Mapping[str, int]]:
        """The weights as whole numbers over one denominator, by criterion, so that a browser adds them up exactly.

        >>> one, two = (Criterion(key, key, "?", weight, None) for key, weight in (("a", Fraction(5, 3)), ("b", Fraction(1, 2))))
        >>> Marking((one, two)).weight_parts
        (6, {'a': 10, 'b': 3})
        """
        over = math.lcm(*(one.weight.denominator for one in self.criteria))
        return over, {one.key: int(one.weight * over) for one in self.criteria}

    def words_demanded(self, criterion: Criterion, half: int) -> int:
        """How many words a mark needs beside it; none for 0."""
        match self.scoring.comment:
            case CommentRule.ALWAYS:
                demanded = True
            case CommentRule.BELOW_THRESHOLD:
                demanded = criterion.threshold_half is not None and half < criterion.threshold_half
            case CommentRule.EXTREMES:
                marks = self.marks(criterion)
                demanded = half in (marks[0], marks[-1])
            case CommentRule.NEVER:
                demanded = False
        return self.scoring.comment_words if demanded else 0

    def comment_hint(self, criterion: Criterion) -> str:
        """Where a comment is demanded for a criterion, said before anything is sent; empty where it never is."""
        least = f"At least {self.scoring.comment_words} words"
        match self.scoring.comment:
            case CommentRule.ALWAYS:
                return f"{least} with every score."
            case CommentRule.BELOW_THRESHOLD:
                least_half = criterion.threshold_half
                return "" if least_half is None else f"{least} where the score is below {points(least_half)}."
            case CommentRule.EXTREMES:
                marks = self.marks(criterion)
                return f"{least} with {points(marks[0])} and with {points(marks[-1])}."
            case CommentRule.NEVER:
                return ""


def points(half: Half) -> str:
    """Half points as points: exactly, or to three decimals where they have no end.

    >>> points(7), points(6), points(Fraction(40, 3))
    ('3.5', '3', 'about 6.667')
    """
    if isinstance(half, int):
        sign, whole = ("−", -half) if half < 0 else ("", half)
        return f"{sign}{whole // 2}.5" if whole % 2 else f"{sign}{whole // 2}"
    return exact_words(half / 2)


def exact_words(number: Fraction) -> str:
    """An exact number with its decimals, or to three of them where it has no end, said to be rounded.

    >>> exact_words(Fraction(55, 4)), exact_words(Fraction(10, 3)), exact_words(Fraction(-5, 2))
    ('13.75', 'about 3.333', '−2.5')
    """
    size, under = abs(number.numerator), number.denominator
    sign = "−" if number.numerator < 0 else ""
    if under == 1:
        return f"{sign}{size}"
    thousandths = (size * 2000 + under) // (under * 2)
    text = f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".")
    # A list of a thousand says its scores again and again: whether three decimals are all there are is one division.
    return f"about {sign}{text}" if size * 1000 % under else f"{sign}{text}"


def or_words(halves: tuple[int, ...]) -> str:
    """Marks as a choice.

    >>> or_words((0, 6, 14))
    '0, 3 or 7'
    """
    said = [points(half) for half in halves]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


# What a call may name in its order for ties beside its criteria: each looks at those that are ranked higher.
UNCOVERED_TOPIC, NEW_COUNTRY = "uncovered_topic", "new_country"
TIE_WORDS = {
    UNCOVERED_TOPIC: "a topic that no application ranked higher covers",
    NEW_COUNTRY: "a lead from a country from where no application ranked higher leads",
}


def tie_words(names: Sequence[str], criteria: Mapping[str, str]) -> str:
    """The order for ties in words.

    >>> tie_words(("uncovered_topic", "a"), {"a": "Excellence"})
    'a topic that no application ranked higher covers, then more points in “Excellence”'
    """
    return ", then ".join(TIE_WORDS.get(name) or f"more points in “{criteria.get(name, name)}”" for name in names)
