"""Marks in half points: their words, what a sheet needs, totals and how far they lie apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from grants.calls.rules import Criterion
from grants.core.errors import Invalid, Problem
from grants.dossiers.rules import clean_text, count_words
from grants.evaluation.rules.values import HALF_MAX, MarkInput, SheetInput

# A low score is what an applicant will ask about: it needs reasons (mock-up 06).
WORDS_BELOW_THRESHOLD_MIN = 30
COMMENT_CHARACTERS_MAX = 20_000

# What each whole mark means (Horizon Europe's evaluation form, in our words); a call may bring its own.
ANCHORS = (
    "Fails the criterion, or cannot be judged",
    "Poor: serious weaknesses",
    "Fair: addresses the criterion broadly, with significant weaknesses",
    "Good: addresses the criterion well, with a number of shortcomings",
    "Very good: addresses the criterion very well, with a small number of shortcomings",
    "Excellent: addresses every relevant aspect; any shortcomings are minor",
)


def half_words(half: int | None) -> str:
    """Half points as people write them; nothing for a score that is missing.

    >>> half_words(7), half_words(8), half_words(None)
    ('3.5', '4', '')
    """
    if half is None:
        return ""
    return f"{half // 2}.5" if half % 2 else str(half // 2)


def anchor_words(half: int, anchors: Sequence[str] = ()) -> str:
    """What a score means: the words of its whole mark, or that it lies between two.

    >>> anchor_words(7)
    '3.5: between good and very good'
    """
    words = anchors or ANCHORS
    whole = half // 2
    if whole >= len(words):
        return half_words(half)
    if half % 2 and whole + 1 < len(words):
        lower, upper = (words[index].partition(":")[0].lower() for index in (whole, whole + 1))
        return f"{half_words(half)}: between {_short(lower)} and {_short(upper)}"
    return f"{half_words(half)}: {words[whole][:1].lower()}{words[whole][1:]}"


def _short(words: str) -> str:
    return words.partition(",")[0]


def tidy(sheet: SheetInput, criteria: Sequence[Criterion], max_half: int = HALF_MAX) -> SheetInput:
    """The sheet with its texts cleaned, one mark for each criterion of the call in the call's order.

    Raises :class:`Invalid` for an unknown criterion, for a score that is not on the scale, and with every text that is
    over the limit: it is named, and how much it is over.
    """
    given = {mark.criterion: mark for mark in sheet.marks}
    unknown = sorted(set(given) - {criterion.key for criterion in criteria})
    if unknown:
        raise Invalid(f"This call has no criterion “{unknown[0]}”. Reload the page.")
    marks: list[MarkInput] = []
    wrong: dict[str, str] = {}
    for criterion in criteria:
        mark = given.get(criterion.key, MarkInput(criterion.key, None))
        if mark.half is not None and not 0 <= mark.half <= max_half:
            wrong[f"half_{criterion.key}"] = (
                f"{criterion.name}: choose a score from 0 to {half_words(max_half)} in half points."
            )
        comment = clean_text(mark.comment)
        if len(comment) > COMMENT_CHARACTERS_MAX:
            wrong[f"comment_{criterion.key}"] = _too_long(f"Your text for “{criterion.name}”", comment)
        marks.append(MarkInput(criterion.key, mark.half, comment))
    remark = clean_text(sheet.remark)
    if len(remark) > COMMENT_CHARACTERS_MAX:
        wrong["remark"] = _too_long("The text at the end", remark)
    if wrong:
        raise Invalid("Nothing was saved yet.", wrong)
    return SheetInput(tuple(marks), remark)


def _too_long(what: str, text: str) -> str:
    """How long a text is, the limit, and the way out."""
    over = len(text) - COMMENT_CHARACTERS_MAX
    return (
        f"{what} has {len(text):,} characters; the limit is {COMMENT_CHARACTERS_MAX:,}. "
        f"Shorten it by {over:,} and save again; nothing was saved yet."
    )


def problems(sheet: SheetInput, criteria: Sequence[Criterion]) -> tuple[Problem, ...]:
    """What keeps a sheet from being submitted: scores that are missing, and low scores without reasons.

    A score that is not given is missing; it never counts as zero.
    """
    found = []
    marks = {mark.criterion: mark for mark in sheet.marks}
    for criterion in criteria:
        mark = marks.get(criterion.key, MarkInput(criterion.key, None))
        if mark.half is None:
            found.append(Problem(f"half_{criterion.key}", f"Choose a score for {criterion.name}."))
            continue
        words = count_words(mark.comment)
        if demands_comment(mark.half, criterion) and words < WORDS_BELOW_THRESHOLD_MIN:
            found.append(
                Problem(
                    f"comment_{criterion.key}",
                    f"{criterion.name} has {half_words(mark.half)}, below the threshold of {half_words(criterion.threshold_half)}: "
                    f"say why in at least {WORDS_BELOW_THRESHOLD_MIN} words; there {'is' if words == 1 else 'are'} {words}.",
                )
            )
    return tuple(found)


def demands_comment(half: int, criterion: Criterion) -> bool:
    """Whether a score needs written reasons: exactly where it lies below the criterion's threshold."""
    return criterion.threshold_half is not None and half < criterion.threshold_half


def refuse_unfinished(sheet: SheetInput, criteria: Sequence[Criterion], text_missing: str = "") -> None:
    """Raise :class:`Invalid` with every problem at its field; ``text_missing`` is said where a text is needed too."""
    found = [*problems(sheet, criteria)]
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


def spread_half(halves: Iterable[int | None]) -> int | None:
    """How far the highest and the lowest score of one criterion lie apart; None with fewer than two scores."""
    given = [half for half in halves if half is not None]
    return max(given) - min(given) if len(given) > 1 else None


# Three half points between evaluators, or a threshold between them: worth a look in the consensus.
SPREAD_HALF_WIDE = 3


def is_wide(halves: Sequence[int | None], threshold_half: int | None) -> bool:
    """Whether evaluators disagree enough to be marked: 1.5 points or more, or on both sides of the threshold."""
    spread = spread_half(halves)
    if spread is None:
        return False
    given = [half for half in halves if half is not None]
    astride = threshold_half is not None and min(given) < threshold_half <= max(given)
    return spread >= SPREAD_HALF_WIDE or astride


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


def said_of_dissent(words: str) -> str:
    """What somebody holds instead, tidied; raises :class:`Invalid` where it is missing or too long."""
    held = clean_text(words)
    if not held:
        raise Invalid("Nothing was sent.", {"words": "Write what you hold instead, and on which score or words."})
    if len(held) > COMMENT_CHARACTERS_MAX:
        raise Invalid("Nothing was sent.", {"words": _too_long("Your view", held)})
    return held
