"""How a call file holds a scale and the rule of the score: marks in half points, words for them, and what is made of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import yaml

from grants.calls.rules.scoring import MARK_HALF_MAX, Scale, Scoring, points
from grants.calls.states import CommentRule, ScoreMethod, ThresholdBasis, WeightsCount
from grants.core.yaml_schema import (
    MISSING,
    Items,
    Reading,
    Record,
    exact,
    is_null,
    one_of,
    plain_text,
    under,
    whole,
)


def halves(node: yaml.Node, place: str, reading: Reading) -> int | None:
    """Points in half steps, kept as whole half points."""
    found = exact(0, 1000)(node, place, reading)
    if found is None:
        return None
    if (found * 2).denominator != 1:
        reading.wrong(node, place, f"is {node.value}; points come in halves, for example 3 or 3.5.")
        return None
    return int(found * 2)


def _named(mark: str, node: yaml.Node, place: str, reading: Reading) -> tuple[int, str] | None:
    """A mark with the words for it."""
    if not re.fullmatch(r"[0-9]{1,4}([.][05])?", mark):
        reading.wrong(node, place, f"is for “{mark}”; write a mark such as 3 or 3.5 before its words.")
        return None
    words = plain_text(node, place, reading)
    return None if words is None else (int(2 * Fraction(mark)), words)


def _anchor(node: yaml.Node, place: str, reading: Reading) -> tuple[int, str] | str | None:
    """Words for the mark of its place in the list; in a form also a mark and its words."""
    if isinstance(node, yaml.MappingNode):
        pairs = reading.pairs(node, place)
        if set(pairs) != {"value", "label"}:
            reading.wrong(node, place, "must be the words for a mark.")
            return None
        return _named(str(pairs["value"].value), pairs["label"], place, reading)
    return plain_text(node, place, reading)


class Anchors(Items):
    """Words for the whole marks from 0 upwards as a list, or for single marks as a group by mark."""

    def __call__(self, node: yaml.Node, place: str, reading: Reading) -> tuple[Any, ...] | None:
        if not isinstance(node, yaml.MappingNode):
            return super().__call__(node, place, reading)
        pairs = reading.pairs(node, place).items()
        found = [_named(mark, child, under(place, mark), reading) for mark, child in pairs]
        return tuple(each for each in found if each is not None)


class _Scale(Record):
    """A scale: evenly stepped up to a highest mark, or the marks one by one."""

    def built(self, pairs: Mapping[str, yaml.Node], node: yaml.Node, place: str, reading: Reading) -> Scale | None:
        before = len(reading.problems)
        given = {name for name, child in pairs.items() if not is_null(child)}
        if "marks" in given and given & {"max", "step"}:
            reading.wrong(
                node, under(place, "marks"), "stand beside a highest mark or a step. Keep one of the two ways."
            )
        elif not given & {"marks", "max"}:
            reading.wrong(node, under(place, "max"), MISSING)
        scale: Scale | None = super().built(pairs, node, place, reading)
        if scale is None or len(reading.problems) > before:
            return None
        for name, message in _scale_faults(scale):
            reading.wrong(pairs.get(name, node), under(place, name), message)
        return scale if len(reading.problems) == before else None


def _scale_faults(scale: Scale) -> list[tuple[str, str]]:
    found = []
    top = "marks" if scale.marks_half else "max"
    if scale.max_half > MARK_HALF_MAX:
        found.append((top, f"go up to {points(scale.max_half)}; a mark is at most {points(MARK_HALF_MAX)} points."))
    if scale.marks_half and len(set(scale.marks_half)) < max(2, len(scale.marks_half)):
        found.append(("marks", "must be two or more, each once."))
    if scale.marks_half and scale.anchors:
        said = f"have {len(scale.anchors)} entries for {len(scale.marks_half)} marks. Write one for each mark."
        found.append(("anchors", said))
    doubled = [half for half, times in Counter(half for half, _ in scale.named).items() if times > 1]
    strange = doubled or [half for half, _ in scale.named if half not in scale.marks]
    if strange:
        said = "twice. Keep one." if doubled else f"which is no mark of this scale: {scale.words}."
        found.append(("anchors", f"name {points(strange[0])}{' ' if doubled else ', '}{said}"))
    return found


def _scale(
    max: int | None = None,
    step: int = 1,
    anchors: tuple[tuple[int, str] | str, ...] = (),
    marks: tuple[int, ...] = (),
) -> Scale:
    said = tuple(each for each in anchors if isinstance(each, str))
    named = tuple(sorted(each for each in anchors if not isinstance(each, str)))
    if marks:
        ordered = tuple(sorted(marks))
        if len(said) == len(marks):
            # A list of words is for the marks in the order they were written.
            return Scale(ordered[-1], 1, (), ordered, tuple(sorted(zip(marks, said, strict=True))))
        return Scale(ordered[-1], 1, said, ordered, named)
    return Scale(max or 0, step, said, (), named)


SCALE = _Scale(
    _scale,
    {"max": halves, "step": halves, "marks": Items(halves), "anchors": Anchors(_anchor)},
)

SCORING = Record(
    lambda board_shift_max=0, **given: Scoring(board_shift_half=board_shift_max, **given),
    {
        "method": one_of(ScoreMethod),
        "weights_count_for": one_of(WeightsCount),
        "total_threshold_on": one_of(ThresholdBasis),
        "board_shift_max": halves,
        "comment": one_of(CommentRule),
        "comment_words": whole(1, 500),
        "evaluators_least": whole(1, 9),
    },
)
