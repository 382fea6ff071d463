"""The application as an evaluator reads it beside the sheet: what was sent never changes, so it is made ready once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from flask import get_template_attribute
from markupsafe import Markup

from grants.applications import queries as applications
from grants.budgets import queries as budgets
from grants.calls.rules import Criterion
from grants.dossiers import rules as dossiers
from grants.evaluation.views.quoted import texts_of

# A process of the site keeps so many: a few megabytes, and the applications of all who score at the same time.
KEPT_MAX = 48


@dataclass(frozen=True, slots=True)
class Beside:
    """One application ready to be shown, without any look at who may: answers, and budget with files, as HTML.

    ``fed`` has for each criterion the places of the answers that feed it, ``texts`` what can be quoted by its place.
    """

    answers: Markup
    money: Markup
    fed: Mapping[str, Sequence[str]]
    texts: Sequence[tuple[str, str]]


def beside(submission_id: UUID, criteria: Sequence[Criterion]) -> Beside:
    """The version of an application that stands, each answer with the way back to the criterion it feeds.

    One statement where it was not shown lately. Who reads it is checked before.
    """
    return _made(submission_id, tuple((one.key, one.name) for one in criteria))


@lru_cache(maxsize=KEPT_MAX)
def _made(submission_id: UUID, criteria: tuple[tuple[str, str], ...]) -> Beside:
    content = applications.submission_content(submission_id)
    sections = dossiers.answered(content.dossier)
    names = {str(file.file_id): file.name for file in content.files}
    back = {key: (f"#criterion-{key}", f"Score it under {n}. {name}") for n, (key, name) in enumerate(criteria, 1)}
    answers, money = (get_template_attribute("evaluation/beside.html", name) for name in ("answers", "money"))
    return Beside(
        answers(content, sections, names, back),
        money(content, budgets.unstored(content.budget, content.organisation_names)),
        _fed(sections),
        tuple(texts_of(content, sections)),
    )


def _fed(sections: Sequence[dossiers.AnsweredSection]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for section in sections:
        for item in section.items:
            if item.question.criterion:
                found.setdefault(item.question.criterion, []).append(f"answer-{item.question.key}")
    return found
