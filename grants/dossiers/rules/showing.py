"""Answers as people read them."""

from __future__ import annotations

from grants.core.clock import long_date, read_date
from grants.core.errors import Invalid
from grants.core.money import parse_money
from grants.dossiers.markup import Block, blocks
from grants.dossiers.rules.typed import table_rows
from grants.dossiers.rules.values import Answer, Question, QuestionKind


def shown(question: Question, answer: Answer) -> str:
    """The answer as text for people: labels for picks, one spelling for amounts, numbers and dates that can be read."""
    labels = {choice.value: choice.label for choice in question.choices}
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            return "; ".join(labels.get(value, value) for value in answer.picked)
        case QuestionKind.CONFIRMATION:
            return "Confirmed" if answer.picked else ""
        case QuestionKind.FILE:
            return ""
        case QuestionKind.TABLE:
            return "\n".join(
                "; ".join(
                    f"{column.label}: {cell}" for column, cell in zip(question.columns, row, strict=False) if cell
                )
                for row in table_rows(question, answer.text)
            )
        case QuestionKind.MONEY | QuestionKind.DATE:
            return _as_read(question, answer.text)
        case _:
            return answer.text


def _as_read(question: Question, text: str) -> str:
    try:
        return str(parse_money(text)) if question.kind is QuestionKind.MONEY else long_date(read_date(text))
    except Invalid:
        return text


def paragraphs(text: str) -> tuple[Block, ...]:
    """The text as paragraphs and lists, so that a page or a PDF keeps what was pasted."""
    return blocks(text)
