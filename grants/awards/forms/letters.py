"""Forms of the decision letters: their words, what is left out, who prepares and who sends, acknowledging."""

from __future__ import annotations

from wtforms import HiddenField, TextAreaField

from grants.awards.rules.letter_words import TEXT_WORDS_MAX
from grants.web.forms import A_PARAGRAPH, CharactersMax, ContestedForm, Needed


class LetterTextForm(ContestedForm):
    """The words of one outcome’s letter; ``version`` is the number of those it was opened with."""

    text = TextAreaField(
        "Words of the letter",
        [Needed("Write the words of the letter."), CharactersMax(20_000)],
        description=f"An empty line begins a paragraph, “- ” or “1. ” an item of a list, and **two stars** stand around bold words. At most {TEXT_WORDS_MAX} words. Places in braces are filled for each applicant.",
    )


class LeaveOutForm(ContestedForm):
    """Why one letter is left out."""

    reason = TextAreaField(
        "Why this letter is left out",
        [Needed("Write why this letter is left out, and who tells the applicant."), A_PARAGRAPH],
        description="It stands beside the letter and in the record.",
    )


class PrintAgainForm(ContestedForm):
    """Why a letter is printed anew."""

    reason = TextAreaField(
        "What is wrong with its PDF",
        [Needed("Write what is wrong with the PDF."), A_PARAGRAPH],
        description="It stands in the record. The words of the letter stay as they were sent; the old file is kept.",
    )


class PrepareForm(ContestedForm):
    """Prepare the letters on the page; ``shown`` says which they are."""

    shown = HiddenField()


class LetterDeedForm(ContestedForm):
    """A deed on letters without words of its own."""


class ReturnLettersForm(ContestedForm):
    """The second person gives the letters back."""

    reason = TextAreaField(
        "What must be different", [Needed("Write what must be different before they are sent."), A_PARAGRAPH]
    )
