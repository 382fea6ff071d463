"""Everything that was answered, section by section, in the order of the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grants.dossiers.markup import Block, blocks, plain
from grants.dossiers.rules.finding import asked, with_answers
from grants.dossiers.rules.showing import shown
from grants.dossiers.rules.typed import count_words
from grants.dossiers.rules.values import Answer, DossierContent, Question, QuestionKind, Section


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """One question with its answer made ready to read."""

    question: Question
    answer: Answer
    paragraphs: tuple[Block, ...]
    words: int


@dataclass(frozen=True, slots=True)
class AnsweredSection:
    """One section made ready to read."""

    section: Section
    items: tuple[AnsweredQuestion, ...]


def answered(content: DossierContent) -> tuple[AnsweredSection, ...]:
    """The whole document made ready to read: for the print view, the check page, evaluators and the PDF."""
    by_key = {answer.question: answer for answer in content.answers}
    sections = (with_answers(section, content.definition, by_key) for section in content.definition.sections)
    return tuple(
        AnsweredSection(section, tuple(_answered(q, content) for q in section.questions if asked(q, by_key)))
        for section in sections
    )


def _answered(question: Question, content: DossierContent) -> AnsweredQuestion:
    answer = content.answer(question.key)
    made = blocks if question.kind is QuestionKind.LONG else plain
    return AnsweredQuestion(question, answer, made(shown(question, answer)), count_words(answer.text))


def answer_words(item: AnsweredQuestion, file_names: Mapping[str, str]) -> str:
    """An answer as the screen shows it; to a question that asks for files, their names."""
    if item.question.kind is QuestionKind.FILE:
        return "\n".join(file_names[each] for each in item.answer.picked if each in file_names)
    return shown(item.question, item.answer)
