"""Every version of one score or text, of a sheet or of a consensus, told as the history of one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select

from grants.core.db import db
from grants.core.errors import NotFound
from grants.dossiers import merging
from grants.dossiers import rules as dossiers
from grants.dossiers.queries.versions import VERSIONS_SHOWN_MAX, AnswerVersionView, History, Sitting
from grants.dossiers.rules import Definition, Question
from grants.evaluation import rules


def field_in(form: Definition, name: str) -> Question:
    """One field of a form; :class:`NotFound` for a name that is none."""
    found = form.question(name)
    if found is None:
        raise NotFound
    return found


def history_of(question: Question, versions: Select[Any], number: Any, before: int | None = None) -> History:
    """The versions that a statement finds, newest first, what one person saved within ten minutes together."""
    asked = versions.order_by(number.desc()).limit(VERSIONS_SHOWN_MAX + 1)
    if before is not None:
        asked = asked.where(number < before)
    found = [_view(question, row) for row in db.session.scalars(asked)]
    # One more was asked for: what the oldest shown is compared with.
    older, shown = found[VERSIONS_SHOWN_MAX:], found[:VERSIONS_SHOWN_MAX][::-1]
    return History(_sittings(shown, older), shown[0].number if older else None)


def version_of(question: Question, version: Select[Any]) -> AnswerVersionView:
    """The one version that a statement finds; :class:`NotFound`."""
    row = db.session.scalars(version).one_or_none()
    if row is None:
        raise NotFound
    return _view(question, row)


def _sittings(versions: Sequence[AnswerVersionView], older: Sequence[AnswerVersionView]) -> tuple[Sitting, ...]:
    made = []
    for start, end in merging.sittings([(each.saved_by, each.saved_at) for each in versions]):
        earlier = versions[start - 1] if start else older[0] if older else None
        pieces = merging.compared(earlier.shown if earlier else "", versions[end - 1].shown)
        made.append(Sitting(tuple(versions[start:end][::-1]), pieces))
    return tuple(made[::-1])


def _view(question: Question, row: Any) -> AnswerVersionView:
    answer = rules.kept(question, row.text)
    words = dossiers.count_words(answer.text)
    return AnswerVersionView(row.number, answer, dossiers.shown(question, answer), words, row.saved_at, row.saved_by)
