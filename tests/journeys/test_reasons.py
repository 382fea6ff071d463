"""Evaluators of the demo write reasons of their own: by criterion and score, and never the applicant's sentences."""

from __future__ import annotations

import pytest

from grants.demo.reasons import CONSENSUS, reasons
from grants.demo.texts import THOUGHTS

NAMES = tuple(f"Person {number}" for number in range(12))


def sentences_of(text: str) -> set[str]:
    return set(text.removesuffix(" (Invented text of the demo.)").split(". "))


@pytest.mark.parametrize("criterion", ["excellence", "impact", "implementation", "cost_share"])
def test_reasons_differ_by_person_and_score_and_are_the_evaluators_own(criterion: str) -> None:
    for half in range(0, 21):
        texts = {name: reasons(criterion, half, 20, name) for name in NAMES}
        assert len(set(texts.values())) > len(NAMES) // 2
        for text in texts.values():
            assert len(text.split()) >= 30
            assert not any(thought.rstrip(".") in text for thought in THOUGHTS)
        agreed = reasons(criterion, half, 20, CONSENSUS)
        assert len(agreed.split()) >= 30
        assert not any(sentences_of(agreed) & sentences_of(text) for text in texts.values())
    assert reasons(criterion, 4, 20, "Ada") != reasons(criterion, 20, 20, "Ada")
