"""What other aims take of the form of a call and of the advice, and what is said of it. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from grants.calls.rules import CallView
from grants.core.errors import Invalid
from grants.dossiers.rules import Question, QuestionKind, read_number

# Most that one application is believed to save, in tonnes: beyond it somebody mistook the unit.
TONNES_MAX = 10**9

# Why an aim is not offered: words that go on after its name.
NOT_READ = "it takes the advice beside the ranking, which is read by the chair and by managers who decide"
NO_ADVICE = "nobody asked for the advice beside the ranking yet, which says how likely each application is fundable"
ABSTAINS = "the advice beside the ranking abstains, so it says no chances"
NO_SAVING_QUESTION = "no question of the form of this call asks for a number of tCO₂e saved"

_OF_CO2, _SAVED = re.compile(r"co2"), re.compile(r"sav|reduc|avoid|cut|fewer|less")


def asks_for_savings(words: str) -> bool:
    """Whether a question with this label and hint asks how much CO₂ is saved. It is known by its words alone.

    >>> asks_for_savings("CO₂ saved in a year, tonnes"), asks_for_savings("tonnes of CO 2 avoided")
    (True, True)
    >>> asks_for_savings("CO2 emitted now"), asks_for_savings("Energy saved")
    (False, False)
    """
    said = words.casefold().replace("₂", "2").replace(" ", "")
    return bool(_OF_CO2.search(said) and _SAVED.search(said))


def saving_question(call: CallView) -> Question | None:
    """The question of a call's form that asks for a number of tonnes of CO₂ saved: the first that says so; else None."""
    for section in call.content.definition.sections:
        for question in section.questions:
            if question.kind is QuestionKind.NUMBER and asks_for_savings(f"{question.label} {question.hint}"):
                return question
    return None


def tenths(text: Any) -> int:
    """An answered number of tonnes in tenths; 0 for what is no number, or one that nobody believes.

    >>> tenths("12.5"), tenths("1234,5"), tenths("12 000"), tenths("-3"), tenths(None), tenths("many"), tenths("1e12")
    (125, 12345, 120000, 0, 0, 0, 0)
    """
    try:
        number = Decimal(read_number(text or "0"))
    except Invalid:
        return 0
    return int(number * 10) if 0 < number <= TONNES_MAX else 0


def quality_note(run: int) -> str:
    """By what the expected quality of a set is measured."""
    return (
        "Expected quality: each score weighted by how likely the application is fundable, "
        f"by run {run} of the advice beside the ranking."
    )


def savings_note(question: Question, without: int) -> str:
    """By what the savings of a set are measured, and how many answered no such number."""
    count = f" {without} without such a number count as zero." if without else ""
    return f"tCO₂e saved: as the applications answered “{question.label}”, checked by nobody.{count}"
