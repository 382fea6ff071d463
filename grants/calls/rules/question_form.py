"""The form of one question of a call: which fields its kind of answer has, and what of the call hangs on it.

Works on the tree of a call file (groups and lists of plain values), since that is what a form shows and gives back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from grants.calls.rules.content import Condition
from grants.calls.rules.plain_words import key_from
from grants.core.yaml_schema import Record
from grants.dossiers.rules import ANSWER_NAMED, Definition, QuestionKind

Tree = dict[str, Any]

# What every question has, in the order of its form; what only some kinds have stands between.
_FIRST = ("label", "kind", "hint", "required")
_OWN: Mapping[QuestionKind, tuple[str, ...]] = {
    QuestionKind.SHORT: ("words_max", "characters_max", "published"),
    QuestionKind.LONG: ("words_max", "characters_max", "published"),
    QuestionKind.NUMBER: (),
    QuestionKind.MONEY: (),
    QuestionKind.CHOICE: ("choices",),
    QuestionKind.MULTICHOICE: ("choices", "picks_max"),
    QuestionKind.DATE: (),
    QuestionKind.CONFIRMATION: (),
    QuestionKind.FILE: ("file_types", "megabytes_max", "pages_max"),
    QuestionKind.TABLE: ("columns", "rows_max"),
}
# Without these nothing can be answered, though a question is kept while they are missing.
_NEEDED = ("choices", "columns")
# What few questions need, each group behind its heading.
FOLDED: Mapping[str, tuple[str, ...]] = {
    "Guidance for whoever writes": ("guidance", "example", "criterion"),
    "Ask it only sometimes": ("asked_if",),
    "In other languages": ("translations",),
    "Short name": ("key",),
}
# Keeps the way a question reads an answer in its label; shown beside the kinds to choose from.
KIND_HINTS: Mapping[QuestionKind, str] = {
    QuestionKind.SHORT: "A name, a place, a web address.",
    QuestionKind.LONG: "Paragraphs, lists and bold words, with a limit in words or characters.",
    QuestionKind.NUMBER: "Inhabitants, tonnes, people reached.",
    QuestionKind.MONEY: "Written as people in Europe write it: 1.250,50 or 1 250.50.",
    QuestionKind.CHOICE: "Exactly one of a list of your own.",
    QuestionKind.MULTICHOICE: "As many of a list of your own as you allow.",
    QuestionKind.DATE: "A day of the calendar.",
    QuestionKind.CONFIRMATION: "A box to tick: “We confirm that …”.",
    QuestionKind.FILE: "One or more documents, with the types, size and pages you allow.",
    QuestionKind.TABLE: "Rows with columns of your own: words, numbers, amounts, days.",
}


def question_fields(whole: Record, kind: QuestionKind) -> Record:
    """Of the whole group of a question only what a question of that kind has, in the order of its form.

    >>> from grants.core.yaml_schema import plain_text
    >>> whole = Record(dict, dict.fromkeys(("key", "label", "kind", "choices", "rows_max"), plain_text))
    >>> list(question_fields(whole, QuestionKind.CHOICE).kinds)
    ['label', 'kind', 'choices', 'key']
    """
    folded = [name for names in FOLDED.values() for name in names]
    wanted = (*_FIRST, *_OWN[kind], *folded)
    return _part_of(whole, [name for name in wanted if name in whole.kinds], needed=_NEEDED)


def section_fields(whole: Record) -> Record:
    """Of the whole group of a section all but its questions."""
    return _part_of(whole, [name for name in ("title", "step", "intro", "key", "translations") if name in whole.kinds])


def _part_of(whole: Record, names: Sequence[str], *, needed: Sequence[str] = ()) -> Record:
    """A part of a group as a form shows it; the file is read by the whole group."""
    return Record(whole.build, {name: whole.kinds[name] for name in names}, (*whole.required, *needed), whole.older)


# --- what hangs on a question ---------------------------------------------------------------------------------------


def dependents(
    sections: Iterable[Tree], keys: Collection[str], conditions: Iterable[Condition] = ()
) -> tuple[str, ...]:
    """What would be left without its question if those of these short names were gone, in the order of the form.

    >>> dependents([{"title": "A", "questions": [{"key": "b", "label": "B", "asked_if": {"question": "a"}}]}], {"a"})
    ('“B” is asked only by the answer to it',)
    """
    found = []
    for section in sections:
        if _told(section.get("intro"), keys):
            found.append(f"the introduction of “{section.get('title', '')}” repeats its answer")
        for question in section.get("questions") or ():
            if question.get("key") in keys:
                continue
            label = question.get("label", "")
            if (question.get("asked_if") or {}).get("question") in keys:
                found.append(f"“{label}” is asked only by the answer to it")
            if _told(f"{label} {question.get('hint', '')}", keys):
                found.append(f"“{label}” repeats its answer")
    found += [f"the condition “{each.rule}” looks at its answer" for each in conditions if _looks_at(each, keys)]
    return tuple(found)


def _told(text: Any, keys: Collection[str]) -> bool:
    return any(key in keys for key in ANSWER_NAMED.findall(str(text or "")))


def _looks_at(condition: Condition, keys: Collection[str]) -> bool:
    return condition.test is not None and condition.test.question in keys


def marks_of(before: Definition, after: Definition) -> dict[str, str]:
    """What is new or changed in the form of a call, by the key of its question or section; what went is told elsewhere."""
    old = {question.key: (section.key, question) for section in before.sections for question in section.questions}
    marks = {section.key: "New" for section in after.sections if before.section(section.key) is None}
    for section in after.sections:
        for question in section.questions:
            if question.key not in old:
                marks[question.key] = "New"
            elif old[question.key][1] != question:
                marks[question.key] = "Changed"
            elif old[question.key][0] != section.key:
                marks[question.key] = "Moved"
    return marks


# --- the order of a list --------------------------------------------------------------------------------------------


def moved(entries: Sequence[Any], number: int, step: int) -> list[Any]:
    """The list with one entry a place up or down; at the end of the list it stays.

    >>> moved(["a", "b", "c"], 0, 1), moved(["a", "b"], 0, -1)
    (['b', 'a', 'c'], ['a', 'b'])
    """
    rest = [*entries[:number], *entries[number + 1 :]]
    place = min(max(number + step, 0), len(rest))
    return [*rest[:place], entries[number], *rest[place:]]


def doubled(entries: Sequence[Any], number: int, taken: Collection[str]) -> list[Any]:
    """The list with a copy of one entry after it, in which every short name is a new one.

    What refers to a question inside the copy refers to the copy of it.

    >>> doubled([{"key": "a", "label": "A"}], 0, {"a"})[1]
    {'key': 'a_2', 'label': 'A'}
    """
    copy, known, renamed = deepcopy(entries[number]), set(taken), {}
    if isinstance(copy, dict):
        for group in [copy, *(copy.get("questions") or ())]:
            if isinstance(group.get("key"), str):
                renamed[group["key"]] = key_from(re.sub(r"_[0-9]+$", "", group["key"]), known)
                group["key"] = renamed[group["key"]]
                known.add(group["key"])
        for question in copy.get("questions") or ():
            condition = question.get("asked_if") or {}
            if condition.get("question") in renamed:
                condition["question"] = renamed[condition["question"]]
            for name in ("label", "hint"):
                if isinstance(question.get(name), str):
                    question[name] = ANSWER_NAMED.sub(
                        lambda match: f"{{answer:{renamed.get(match[1], match[1])}}}", question[name]
                    )
    return [*entries[: number + 1], copy, *entries[number + 1 :]]
