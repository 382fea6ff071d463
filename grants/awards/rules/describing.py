"""The description of a selected application that everybody reads: from what its applicant was told is published, or written anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.core.errors import Invalid
from grants.core.text import grouped
from grants.dossiers import rules as dossiers

DESCRIPTION_CHARACTERS_MAX = 5_000
# So many words in a row are no figure of speech: they were copied.
COPIED_WORDS_MIN = 12


@dataclass(frozen=True, slots=True)
class DescribedAward:
    """A selected application with what is published of it in words.

    ``public_text`` is what another person confirmed or, of what was published elsewhere (``from_source``), the words of its
    source; ``text`` is the newest version, ``number`` its number (0 before there is one). ``answered`` comes from answers whose
    question says that they are published: it stands until somebody confirms other words.
    """

    application_id: UUID
    reference: str
    title: str
    public_text: str = ""
    text: str = ""
    number: int = 0
    answered: str = ""
    written_by: UUID | None = None
    writer: str = ""
    written_at: datetime | None = None
    confirmer: str = ""
    from_source: bool = False

    @property
    def waits(self) -> bool:
        """Whether its newest version waits for another person."""
        return self.number > 0 and not self.confirmer

    @property
    def published(self) -> str:
        """What everybody reads once the results are public."""
        return self.public_text or self.answered

    @property
    def is_as_answered(self) -> bool:
        """Whether that are the words of its applicant."""
        return not self.public_text and bool(self.answered)

    @property
    def start(self) -> str:
        """What its form begins with."""
        return self.text or self.answered


def described_words(confirmed: int, every: int) -> str:
    """How many awards have a description everybody will read.

    >>> described_words(1, 3)
    '1 of 3 awards has a description that is published with it.'
    >>> described_words(0, 1)
    '0 of 1 award have a description that is published with it.'
    """
    return (
        f"{confirmed} of {every} {'award' if every == 1 else 'awards'} {'has' if confirmed == 1 else 'have'} a description "
        "that is published with it."
    )


def _told(item: dossiers.AnsweredQuestion) -> str:
    blocks = ("\n".join("".join(run.text for run in row) for row in block.rows) for block in item.paragraphs)
    return "\n\n".join(blocks).strip()


def _answers(content: dossiers.DossierContent) -> Iterator[tuple[dossiers.Question, str]]:
    for section in dossiers.answered(content):
        for item in section.items:
            yield item.question, _told(item)


def asks_to_publish(definition: dossiers.Definition) -> bool:
    """Whether a form asks anything of which applicants read that the answer is published."""
    return any(question.published for section in definition.sections for question in section.questions)


def published_answers(content: dossiers.DossierContent) -> str:
    """What an applicant answered to questions of which they read that the answer is published, in the order of the form."""
    return "\n\n".join(filter(None, (text for question, text in _answers(content) if question.published)))


def checked_description(text: str, content: dossiers.DossierContent | None) -> str:
    """The text as it is kept; raises :class:`Invalid` where it is empty, too long, or copied from what is not published.

    Nobody told the applicant that another answer than those marked so is published, so no dozen words in a row of one are.
    """
    words = dossiers.clean_text(text)
    if not words:
        raise Invalid("There is no description.", {"text": "Write in a few sentences what the pilot does."})
    if len(words) > DESCRIPTION_CHARACTERS_MAX:
        raise Invalid(
            "The description is too long.",
            {
                "text": f"It has {grouped(len(words))} characters; the limit is {grouped(DESCRIPTION_CHARACTERS_MAX)}. Shorten it."
            },
        )
    copied = None if content is None else _copied(words, content)
    if copied is not None:
        label, run = copied
        raise Invalid(
            "The description repeats what is not published.",
            {
                "text": f"“{run}” stands in the answer to “{label}”, of which the applicant did not read that it is published. "
                "Say it in other words."
            },
        )
    return words


def _copied(text: str, content: dossiers.DossierContent) -> tuple[str, str] | None:
    """The question from whose unpublished answer so many words in a row were taken, and these; None where none were."""
    own = _runs(published_answers(content))
    runs = {run: words for run, words in _runs(text).items() if run not in own}
    for question, answer in _answers(content):
        if question.published or question.kind not in (dossiers.QuestionKind.SHORT, dossiers.QuestionKind.LONG):
            continue
        found = _runs(answer).keys() & runs.keys()
        if found:
            return question.label, runs[min(found, key=lambda run: list(runs).index(run))]
    return None


def _runs(text: str) -> dict[tuple[str, ...], str]:
    """Every run of a dozen words of a text, without case and marks, with the words as they stand."""
    said = re.findall(r"[^\W_]+(?:[-’'.,][^\W_]+)*", text)
    places = range(len(said) - COPIED_WORDS_MIN + 1)
    return {
        tuple(word.casefold() for word in said[at : at + COPIED_WORDS_MIN]): " ".join(said[at : at + COPIED_WORDS_MIN])
        for at in places
    }
