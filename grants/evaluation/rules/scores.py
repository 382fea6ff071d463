"""Marks in half points: their words, what a sheet needs, totals and how far they lie apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from grants.calls.rules import Criterion, Half, Marking, Scale, exact_words, or_words, points
from grants.calls.states import CommentRule
from grants.core.errors import Invalid, Problem
from grants.dossiers.rules import clean_text, count_words
from grants.evaluation.rules.values import MarkInput, SheetInput

COMMENT_CHARACTERS_MAX = 20_000

# What each whole mark from 0 to 5 means (Horizon Europe's evaluation form, in our words); a call may bring its own.
ANCHORS = (
    "Fails the criterion, or cannot be judged",
    "Poor: serious weaknesses",
    "Fair: addresses the criterion broadly, with significant weaknesses",
    "Good: addresses the criterion well, with a number of shortcomings",
    "Very good: addresses the criterion very well, with a small number of shortcomings",
    "Excellent: addresses every relevant aspect; any shortcomings are minor",
)


def half_words(half: Half | None) -> str:
    """Half points as people write them; nothing for a score that is missing.

    >>> half_words(7), half_words(8), half_words(None)
    ('3.5', '4', '')
    """
    return "" if half is None else points(half)


def legend_of(scale: Scale) -> dict[int, str]:
    """The marks of a scale that have words, with them; where a call gives none from 0 to 5, those everybody knows."""
    if not scale.legend and scale.max_half == 10 and not scale.marks_half:
        return {2 * place: words for place, words in enumerate(ANCHORS)}
    return dict(scale.legend)


def anchor_words(half: Half, scale: Scale) -> str:
    """What a score means on its scale: the words of its mark, or that it lies between two; the bare score where none has any.

    >>> anchor_words(7, Scale()), anchor_words(14, Scale(20, marks_half=(0, 6, 14, 20)))
    ('3.5: between good and very good', '7')
    """
    legend = legend_of(scale)
    if half in legend:
        words = legend[int(half)]
        return f"{half_words(half)}: {words[:1].lower()}{words[1:]}"
    below, above = ([at for at in legend if at < half], [at for at in legend if at > half])
    if not below or not above:
        return half_words(half)
    lower, upper = (legend[at].partition(":")[0].lower() for at in (max(below), min(above)))
    return f"{half_words(half)}: between {_short(lower)} and {_short(upper)}"


def _short(words: str) -> str:
    return words.partition(",")[0]


def off_scale(criterion: Criterion, marking: Marking) -> str:
    """What is said where a mark is none of the scale."""
    marks = marking.marks(criterion)
    if marking.scale.marks_half or marking.scale.step_half != 1:
        said = or_words(marks) if len(marks) <= MARKS_NAMED_MAX else f"{marking.scale.words}"
    else:
        said = f"a score from 0 to {half_words(marking.most_half(criterion))} in half points"
    return f"What was sent for {criterion.name} is not on its scale: choose {said}."


# A longer scale is told by its ends and its step.
MARKS_NAMED_MAX = 12


def tidy(sheet: SheetInput, marking: Marking, remark_words: str) -> SheetInput:
    """The sheet with its texts cleaned, one mark for each criterion of the call in the call's order.

    Raises :class:`Invalid` for an unknown criterion, for a score that is not on the scale, and with every text that is
    over the limit: it is named, and how much it is over. ``remark_words`` is what the page calls the text at the end.
    """
    given = {mark.criterion: mark for mark in sheet.marks}
    unknown = sorted(set(given) - {criterion.key for criterion in marking.criteria})
    if unknown:
        raise Invalid(f"This call has no criterion “{unknown[0]}”. Reload the page.")
    marks: list[MarkInput] = []
    wrong: dict[str, str] = {}
    for criterion in marking.criteria:
        mark = given.get(criterion.key, MarkInput(criterion.key, None))
        if mark.half is not None and not marking.allows(criterion, mark.half):
            wrong[f"half_{criterion.key}"] = off_scale(criterion, marking)
        comment = clean_text(mark.comment)
        if len(comment) > COMMENT_CHARACTERS_MAX:
            wrong[f"comment_{criterion.key}"] = too_long(f"“Why this score for {criterion.name}”", comment)
        marks.append(MarkInput(criterion.key, mark.half, comment))
    remark = clean_text(sheet.remark)
    if len(remark) > COMMENT_CHARACTERS_MAX:
        wrong["remark"] = too_long(f"“{remark_words}”", remark)
    if wrong:
        raise Invalid("Nothing was saved yet.", wrong)
    return SheetInput(tuple(marks), remark)


def too_long(what: str, text: str, undone: str = "nothing was saved yet") -> str:
    """How long a text is, the limit, and the way out."""
    over = len(text) - COMMENT_CHARACTERS_MAX
    return (
        f"{what} has {len(text):,} characters; the limit is {COMMENT_CHARACTERS_MAX:,}. "
        f"Shorten it by {over:,}; {undone}."
    )


def problems(sheet: SheetInput, marking: Marking) -> tuple[Problem, ...]:
    """What keeps a sheet from being submitted: scores that are missing, and scores without the words their call demands.

    A score that is not given is missing; it never counts as zero.
    """
    found = []
    marks = {mark.criterion: mark for mark in sheet.marks}
    for criterion in marking.criteria:
        mark = marks.get(criterion.key, MarkInput(criterion.key, None))
        if mark.half is None:
            found.append(Problem(f"half_{criterion.key}", f"Choose a score for {criterion.name}."))
            continue
        words, least = count_words(mark.comment), marking.words_demanded(criterion, mark.half)
        if words < least:
            found.append(
                Problem(
                    f"comment_{criterion.key}",
                    f"{criterion.name} has {half_words(mark.half)}{_why_demanded(criterion, marking)}: "
                    f"say why in at least {_words(least)}; there {'is' if words == 1 else 'are'} {words}.",
                )
            )
    return tuple(found)


def _words(count: int) -> str:
    return "1 word" if count == 1 else f"{count} words"


def _why_demanded(criterion: Criterion, marking: Marking) -> str:
    """Why this mark needs words, as the end of what is said about it."""
    match marking.scoring.comment:
        case CommentRule.BELOW_THRESHOLD:
            return f", below the threshold of {half_words(criterion.threshold_half)}"
        case CommentRule.EXTREMES:
            return ", an end of the scale"
        case CommentRule.ALWAYS | CommentRule.NEVER:
            return ""


def refuse_unfinished(sheet: SheetInput, marking: Marking, text_missing: str = "") -> None:
    """Raise :class:`Invalid` with every problem at its field; ``text_missing`` is said where a text is needed too."""
    found = [*problems(sheet, marking)]
    if text_missing and not sheet.remark:
        found.append(Problem("remark", text_missing))
    if found:
        raise Invalid(
            f"Not finished: {len(found)} {'thing is' if len(found) == 1 else 'things are'} missing. Your text is kept; you can also save it as a draft.",
            {problem.place: problem.message for problem in found},
        )


def total_half(marks: Iterable[MarkInput]) -> int | None:
    """The unweighted sum in half points; None while any score is missing."""
    halves = [mark.half for mark in marks]
    return None if None in halves or not halves else sum(half for half in halves if half is not None)


def below_words(marks: Iterable[MarkInput], marking: Marking) -> str:
    """Which criteria are below their own threshold, whatever the sum is; empty where none is."""
    given = {mark.criterion: mark.half for mark in marks}
    return "; ".join(
        f"{one.name} is below its own {half_words(one.threshold_half)}"
        for one in marking.criteria
        if one.threshold_half is not None and (half := given.get(one.key)) is not None and half < one.threshold_half
    )


def changed_words(name: str, before: int, now: int | None) -> str:
    """What is said of a mark that was changed once the sheets of others could be read.

    >>> changed_words("Excellence", 8, 9)
    'Excellence changed from 4 to 4.5 after the sheets of others could be read'
    """
    return f"{name} changed from {half_words(before)} to {half_words(now) or 'no score'} after the sheets of others could be read"


def weighted_words(marks: Iterable[MarkInput], marking: Marking) -> str:
    """The weighted sum in points as people write it; empty while any score is missing."""
    given = {mark.criterion: mark.half for mark in marks}
    halves = [(given.get(one.key), one.weight) for one in marking.criteria]
    total = Fraction(0)
    for half, weight in halves:
        if half is None:
            return ""
        total += half * weight
    return exact_words(total / 2)


def spread_half(halves: Iterable[int | None]) -> int | None:
    """How far the highest and the lowest score of one criterion lie apart; None with fewer than two scores."""
    given = [half for half in halves if half is not None]
    return max(given) - min(given) if len(given) > 1 else None


# Three tenths of the scale between evaluators (1.5 of 5 points), or a threshold between them: worth a look in the consensus.
SPREAD_WIDE = Fraction(3, 10)


def is_wide(halves: Sequence[int | None], threshold_half: int | None, most_half: int = 10) -> bool:
    """Whether evaluators disagree enough to be marked: three tenths of the scale or more, or on both sides of the threshold."""
    spread = spread_half(halves)
    if spread is None:
        return False
    given = [half for half in halves if half is not None]
    astride = threshold_half is not None and min(given) < threshold_half <= max(given)
    return spread >= SPREAD_WIDE * most_half or astride


def far_words(criterion: Criterion, halves: Sequence[int | None], most_half: int = 10) -> str:
    """Why the evaluators disagree enough on a criterion to be marked, in short; empty where they do not.

    >>> far_words(Criterion("c", "Impact", "", threshold_half=6), (5, 6))
    'Impact: on both sides of the threshold of 3'
    >>> far_words(Criterion("c", "Impact", ""), (4, 8)), far_words(Criterion("c", "Impact", ""), (7, 8))
    ('Impact: 2 points apart', '')
    """
    threshold = criterion.threshold_half
    if not is_wide(halves, threshold, most_half):
        return ""
    given = [half for half in halves if half is not None]
    if threshold is not None and min(given) < threshold <= max(given):
        return f"{criterion.name}: on both sides of the threshold of {half_words(threshold)}"
    spread = max(given) - min(given)
    return f"{criterion.name}: {half_words(spread)} {'point' if spread == 2 else 'points'} apart"


def spread_words(halves: Sequence[int | None], threshold_half: int | None) -> str:
    """How far evaluators lie apart on one criterion, in words; empty with fewer than two scores, or where all agree.

    >>> spread_words((4, 7, 8), 6)
    'From 2 to 4: 2 points apart, on both sides of the threshold of 3.'
    >>> spread_words((7, 8), 6), spread_words((8, 8), 6)
    ('From 3.5 to 4: 0.5 points apart.', '')
    """
    spread = spread_half(halves)
    if not spread:
        return ""
    given = [half for half in halves if half is not None]
    astride = threshold_half is not None and min(given) < threshold_half <= max(given)
    side = f", on both sides of the threshold of {half_words(threshold_half)}" if astride else ""
    point = "point" if spread == 2 else "points"
    return f"From {half_words(min(given))} to {half_words(max(given))}: {half_words(spread)} {point} apart{side}."


# Fewer words than this are anybody's.
BORROWED_WORDS_MIN = 3


def borrowed(text: str, comments: Sequence[tuple[str, str]]) -> tuple[tuple[str, int], ...]:
    """Whose sentences stand word for word in a text, and how many: evaluators with their comments, in their order.

    Worked out anew from what stands, so it is right after every edit and nobody's name is in what applicants read.

    >>> borrowed("The plan is clear. We agree.", [("Ada", "The plan is clear. Costs are high."), ("Ben", "Costs are high.")])
    (('Ada', 1),)
    """
    stands = " ".join(text.split())
    found = []
    for name, comment in comments:
        sentences = {" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n+", comment)}
        taken = sum(len(part.split()) >= BORROWED_WORDS_MIN and part in stands for part in sentences)
        if taken:
            found.append((name, taken))
    return tuple(found)
