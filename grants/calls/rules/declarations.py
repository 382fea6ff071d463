"""Declarations of a call as data: other grants for the same costs, ethics, no significant harm and whatever else it asks.

They become sections of the form, and so are written, checked, frozen, printed and filled offline like every answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grants.core.text import fold
from grants.dossiers.rules import (
    AnsweredQuestion,
    AnsweredSection,
    AskedIf,
    Choice,
    Column,
    Question,
    QuestionKind,
    Section,
    table_rows,
)

STEP = "Declarations"
OTHER_GRANTS, DECLARED = "other_grants", "call_declarations"
SECTIONS = frozenset({OTHER_GRANTS, DECLARED})
ROWS_MAX = 40


class Said(StrEnum):
    """An answer to a declaration."""

    YES = "yes"
    NO = "no"


class Declarant(StrEnum):
    """Who declares: the lead for all, or each organisation for itself."""

    LEAD = "lead"
    EACH = "each_organisation"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One thing to declare; the answer ``explain`` demands an explanation and, where ``evidence`` is set, a file."""

    key: str
    text: str
    explain: Said | None = None
    by: Declarant = Declarant.LEAD
    evidence: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredLine:
    """What was declared, for whoever checks it; ``look`` marks an answer that needs to be looked at."""

    text: str
    words: tuple[str, ...]
    look: bool


_YES_NO = (Choice(Said.YES.value, "Yes"), Choice(Said.NO.value, "No"))
_GRANTS = (
    Column("funder", "Funder"),
    Column("number", "Number or call", required=False),
    Column("amount", "Amount, EUR", QuestionKind.MONEY),
    Column("starts", "From", QuestionKind.DATE),
    Column("ends", "Until", QuestionKind.DATE),
    Column("state", "Asked for or received"),
    Column("overlap", "Which costs are the same"),
    Column("explanation", "Why nothing is paid twice"),
)


def sections_of(declarations: Sequence[Declaration], *, other_grants: bool) -> tuple[Section, ...]:
    """The sections that ask what a call wants declared; none where it wants nothing.

    >>> [each.key for each in sections_of((), other_grants=True)]
    ['other_grants']
    """
    found = []
    if other_grants:
        found.append(_other_grants())
    if declarations:
        questions = tuple(question for each in declarations for question in _questions(each))
        intro = "Each is answered with yes or no. Where an answer needs an explanation, the form asks for it."
        found.append(Section(DECLARED, "Declarations of the call", STEP, intro, questions))
    return tuple(found)


def _other_grants() -> Section:
    asked = Question(
        OTHER_GRANTS,
        "Has anybody of the consortium asked for or received another grant for the same work or costs?",
        QuestionKind.CHOICE,
        hint="The same costs are never paid twice from public money.",
        choices=_YES_NO,
    )
    listed = Question(
        f"{OTHER_GRANTS}_list",
        "The other grants, one in a row",
        QuestionKind.TABLE,
        columns=_GRANTS,
        rows_max=ROWS_MAX,
        asked_if=AskedIf(OTHER_GRANTS, (Said.YES.value,)),
    )
    intro = "Other grants do no harm by themselves. What matters is that no cost is paid twice."
    return Section(OTHER_GRANTS, "Other grants for the same", STEP, intro, (asked, listed))


def _questions(each: Declaration) -> Iterator[Question]:
    key = f"declare_{each.key}"
    if each.by is Declarant.EACH:
        why = f"Explanation, where the answer is {each.explain.value}" if each.explain else "Remark"
        columns = (
            Column("organisation", "Organisation"),
            Column("answer", "Yes or no"),
            Column("why", why, required=False),
        )
        hint = f"{each.hint} Each organisation of the consortium has a row of its own.".strip()
        yield Question(key, each.text, QuestionKind.TABLE, hint=hint, columns=columns, rows_max=ROWS_MAX)
    else:
        yield Question(key, each.text, QuestionKind.CHOICE, hint=each.hint, choices=_YES_NO)
    asked_if = None if each.by is Declarant.EACH or each.explain is None else AskedIf(key, (each.explain.value,))
    if asked_if is not None:
        yield Question(f"{key}_why", f"Explain: {each.text}", QuestionKind.LONG, words_max=300, asked_if=asked_if)
    if each.evidence:
        yield Question(f"{key}_file", f"Evidence: {each.text}", QuestionKind.FILE, asked_if=asked_if)


def each_problems(
    declarations: Iterable[Declaration], questions: Iterable[tuple[Question, str]], organisations: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """(question, sentence) of each declaration by every organisation in which one is missing, unclear or unexplained.

    ``questions`` are the questions with what is typed in them.
    """
    typed = {question.key: (question, text) for question, text in questions}
    for each in declarations:
        key = f"declare_{each.key}"
        if each.by is not Declarant.EACH or key not in typed:
            continue
        rows = {fold(row[0].strip()): row for row in table_rows(*typed[key]) if row and row[0].strip()}
        for name in organisations:
            row = rows.get(fold(name))
            if row is None:
                yield (
                    key,
                    f"{name} has no row yet. Each organisation declares for itself; write its name as in the team.",
                )
            elif fold(row[1].strip()) not in {said.value for said in Said}:
                yield key, f"{name}: the answer is “{row[1].strip()}”. Write yes or no."
            elif each.explain is not None and fold(row[1].strip()) == each.explain.value and not row[2].strip():
                yield key, f"{name} answers {each.explain.value}, which needs an explanation. Write it in its row."


def declared_lines(
    declarations: Sequence[Declaration], sections: Iterable[AnsweredSection]
) -> tuple[DeclaredLine, ...]:
    """What an application declared, as whoever checks it reads it: what needs a look is marked."""
    known = {f"declare_{each.key}": each for each in declarations}
    found = []
    for section in sections:
        if section.section.key not in SECTIONS:
            continue
        for item in section.items:
            if item.question.kind is QuestionKind.FILE or item.answer.empty:
                continue
            found.append(DeclaredLine(item.question.label, _words(item), _looks(item, known.get(item.question.key))))
    return tuple(found)


def _looks(item: AnsweredQuestion, each: Declaration | None) -> bool:
    if item.question.key == OTHER_GRANTS:
        return item.answer.picked == (Said.YES.value,)
    if each is None or each.explain is None:
        return False
    if each.by is Declarant.EACH:
        rows = table_rows(item.question, item.answer.text)
        return any(fold(row[1].strip()) == each.explain.value for row in rows)
    return item.answer.picked == (each.explain.value,)


def _words(item: AnsweredQuestion) -> tuple[str, ...]:
    if item.question.kind is QuestionKind.CHOICE:
        return tuple(each.label for each in item.question.choices if each.value in item.answer.picked)
    if item.question.kind is QuestionKind.TABLE:
        rows = table_rows(item.question, item.answer.text)
        return tuple(" · ".join(cell.strip() for cell in row if cell.strip()) for row in rows)
    return (item.answer.text,)
